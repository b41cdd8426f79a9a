"""boto3 against moto's server, which keeps load balancers and parameters as AWS does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from expandcontract.colours.aws_alb import AwsAlb
from expandcontract.colours.aws_ssm import AwsSsm
from expandcontract.colours.source import Answer, Scene, Source, Unanswered
from expandcontract.domain.colour import Router

REGION = "eu-central-1"

# botocore itself calls what Python has deprecated
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client maker; the account is a new one in each test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    import urllib.request

    reset = urllib.request.Request(f"{aws_endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    return lambda service: boto3.client(service, region_name=REGION, endpoint_url=aws_endpoint)


@dataclass
class Balancer:
    """A load balancer with a target group for each colour."""

    elb: Any
    listener: str
    groups: dict[str, str]

    def forward(self, weights: dict[str, int], sticky: int | None = None) -> None:
        groups = [{"TargetGroupArn": self.groups[colour], "Weight": weight} for colour, weight in weights.items()]
        config: dict[str, Any] = {"TargetGroups": groups}
        if sticky is not None:
            config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky}
        action = {"Type": "forward", "ForwardConfig": config}
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=[action])


@pytest.fixture
def balancer(aws: Any) -> Balancer:
    ec2, elb = aws("ec2"), aws("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    load_balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    groups = {}
    for colour in ("blue", "green"):
        made = elb.create_target_group(Name=f"web-{colour}", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
        groups[colour] = made["TargetGroupArn"]
        elb.add_tags(ResourceArns=[groups[colour]], Tags=[{"Key": "colour", "Value": colour}])
    listener = elb.create_listener(
        LoadBalancerArn=load_balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": groups["blue"]}],
    )["Listeners"][0]["ListenerArn"]
    return Balancer(elb, listener, groups)


def ask(source: Source, seconds: float = 5.0) -> Answer:
    return source.ask(Scene(Router(), seconds))


def refuses(source: Source) -> str:
    with pytest.raises(Unanswered) as why:
        ask(source)
    return str(why.value)


def alb(aws_endpoint: str, **options: str) -> AwsAlb:
    return AwsAlb(tag=options.pop("tag", "colour"), region=REGION, endpoint_url=aws_endpoint, **options)


def test_one_target_group_has_all_the_traffic(aws_endpoint: str, balancer: Balancer) -> None:
    found = ask(alb(aws_endpoint, listener=balancer.listener))

    assert list(found.weights) == ["blue"]
    assert found.drain.total_seconds() == 300, "the deregistration delay of a new target group"


def test_weights_and_stickiness_that_outlives_them(aws_endpoint: str, balancer: Balancer) -> None:
    balancer.forward({"blue": 0, "green": 999}, sticky=3600)
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
    for group in balancer.groups.values():
        balancer.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])

    found = ask(alb(aws_endpoint, listener=balancer.listener))

    assert found.weights == {"blue": 0, "green": 999}
    assert (found.stickiness.total_seconds(), found.drain.total_seconds()) == (3600, 20)


def test_stickiness_of_the_target_groups_counts_as_well(aws_endpoint: str, balancer: Balancer) -> None:
    sticky = [
        {"Key": "stickiness.enabled", "Value": "true"},
        {"Key": "stickiness.type", "Value": "lb_cookie"},
        {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "604800"},
    ]
    balancer.elb.modify_target_group_attributes(TargetGroupArn=balancer.groups["blue"], Attributes=sticky)

    assert ask(alb(aws_endpoint, listener=balancer.listener)).stickiness.days == 7


def test_a_rule_that_forwards(aws_endpoint: str, balancer: Balancer) -> None:
    rule = balancer.elb.create_rule(
        ListenerArn=balancer.listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/shop/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": balancer.groups["green"]}],
    )["Rules"][0]["RuleArn"]

    assert list(ask(alb(aws_endpoint, rule=rule)).weights) == ["green"]


def test_what_is_not_one_forward_to_tagged_groups(aws_endpoint: str, balancer: Balancer) -> None:
    assert f"target group {balancer.groups['blue']} without the tag slot" in refuses(
        alb(aws_endpoint, tag="slot", listener=balancer.listener)
    )

    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    balancer.elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[fixed])
    assert "fixed-response" in refuses(alb(aws_endpoint, listener=balancer.listener))

    assert "ListenerNotFound" in refuses(alb(aws_endpoint, listener=f"{balancer.listener}0"))


def test_aws_that_is_not_there_or_denies(aws_endpoint: str, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "EndpointConnectionError" in refuses(AwsSsm("/shop/live", REGION, "http://127.0.0.1:1"))

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    assert "NoCredentialsError" in refuses(AwsSsm("/shop/live", REGION, aws_endpoint))


def test_a_parameter_and_when_it_was_switched(aws_endpoint: str, aws: Any) -> None:
    ssm, source = aws("ssm"), AwsSsm("/shop/live", REGION, aws_endpoint)
    assert "ParameterNotFound" in refuses(source)

    for value in ("blue", "green", "green"):
        ssm.put_parameter(Name="/shop/live", Value=value, Type="String", Overwrite=True)
    second = ssm.get_parameter_history(Name="/shop/live")["Parameters"][1]

    found = ask(source)

    assert found.weights == {"green": 100}
    assert found.said == "'green' in /shop/live (version 3)"
    assert found.switched_at == second["LastModifiedDate"], "version 3 only repeats what version 2 had switched to"

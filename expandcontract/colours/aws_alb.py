"""
A listener of an Application Load Balancer, or one rule of it: the weights of its target groups.

Weight 0 isn't yet "no traffic": stickiness goes before weights, and a target finishes what it has begun.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from expandcontract.colours.aws_api import asked, aws_client
from expandcontract.colours.source import Answer, Scene, Unanswered

_UNSAID = 1  # the weight of a target group that has none


@dataclass(frozen=True)
class AwsAlb:
    """The colour of a target group is the value of its tag. Exactly one of listener and rule must be there."""

    CLIENT: ClassVar = "boto3"

    tag: str  # the key, such as colour
    listener: str | None = None  # its ARN; the default action counts
    rule: str | None = None  # its ARN, where a rule forwards
    region: str | None = None  # default: as boto3 finds it
    endpoint_url: str | None = None  # another address of the service

    def __post_init__(self) -> None:
        if (self.listener is None) == (self.rule is None):
            raise ValueError("needs either listener or rule")

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        elb = aws_client("elbv2", self.region, self.endpoint_url, scene)
        forward = self._forward(elb)
        groups = {group["TargetGroupArn"]: int(group.get("Weight", _UNSAID)) for group in forward["TargetGroups"]}
        colours = self._colours(elb, list(groups))
        weights: dict[str, int] = {}
        for group, weight in groups.items():
            weights[colours[group]] = weights.get(colours[group], 0) + weight
        said = ", ".join(f"{colour}={weight}" for colour, weight in weights.items())
        lengths = [_attributes(elb, group) for group in groups]
        return Answer(
            weights,
            f"{said} of {self.listener or self.rule}",
            stickiness=max(_sticky(forward), *(length.stickiness for length in lengths)),
            drain=max(length.drain for length in lengths),
        )

    def _forward(self, elb: Any) -> Mapping[str, Any]:
        """What is forwarded, in the form that has weights."""
        if self.rule is not None:
            found = asked(elb.describe_rules, RuleArns=[self.rule])["Rules"]
            actions = found[0]["Actions"] if found else []
        else:
            found = asked(elb.describe_listeners, ListenerArns=[self.listener])["Listeners"]
            actions = found[0]["DefaultActions"] if found else []
        forwards = [action for action in actions if action["Type"] == "forward"]
        if len(forwards) != 1:
            kinds = ", ".join(action["Type"] for action in actions) or "no action"
            raise Unanswered(f"{kinds} at {self.listener or self.rule}, which isn't one forward")
        config = forwards[0].get("ForwardConfig")
        if config and config.get("TargetGroups"):
            return dict(config)
        return {"TargetGroups": [{"TargetGroupArn": forwards[0]["TargetGroupArn"]}]}

    def _colours(self, elb: Any, groups: Sequence[str]) -> Mapping[str, str]:
        described = asked(elb.describe_tags, ResourceArns=list(groups))["TagDescriptions"]
        tags = {one["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in described}
        untagged = [group for group in groups if not tags.get(group, {}).get(self.tag)]
        if untagged:
            raise Unanswered(f"target group {', '.join(untagged)} without the tag {self.tag}")
        return {group: tags[group][self.tag] for group in groups}


@dataclass(frozen=True)
class _Lengths:
    stickiness: timedelta
    drain: timedelta


def _attributes(elb: Any, group: str) -> _Lengths:
    """How long a target group's clients and requests last after it has lost its weight."""
    listed = asked(elb.describe_target_group_attributes, TargetGroupArn=group)["Attributes"]
    found = {one["Key"]: one["Value"] for one in listed}
    sticky = found.get("stickiness.enabled") == "true"
    return _Lengths(
        timedelta(seconds=max(_seconds(found), default=0)) if sticky else timedelta(0),
        timedelta(seconds=int(found.get("deregistration_delay.timeout_seconds", 300))),
    )


def _seconds(attributes: Mapping[str, str]) -> Iterator[int]:
    for cookie in ("lb_cookie", "app_cookie"):
        if f"stickiness.{cookie}.duration_seconds" in attributes:
            yield int(attributes[f"stickiness.{cookie}.duration_seconds"])


def _sticky(forward: Mapping[str, Any]) -> timedelta:
    between_groups = forward.get("TargetGroupStickinessConfig") or {}
    return timedelta(seconds=int(between_groups.get("DurationSeconds", 0)) if between_groups.get("Enabled") else 0)

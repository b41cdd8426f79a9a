"""A parameter of AWS Systems Manager; its history says when it was last switched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from expandcontract.colours.aws_api import asked, aws_client
from expandcontract.colours.source import Answer, Scene
from expandcontract.colours.words import weights_in

_PAGES = 20  # of 50 versions each; AWS keeps 100 versions


@dataclass(frozen=True)
class AwsSsm:
    """Somebody has to write it beside moving the traffic, so ask the load balancer as well."""

    CLIENT: ClassVar = "boto3"

    parameter: str  # its name, such as /myapp/current-live
    region: str | None = None  # default: as boto3 finds it
    endpoint_url: str | None = None  # another address of the service

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        ssm = aws_client("ssm", self.region, self.endpoint_url, scene)
        current = asked(ssm.get_parameter, Name=self.parameter, WithDecryption=True)["Parameter"]
        value, version = current["Value"], current["Version"]
        said = f"{value!r} in {self.parameter} (version {version})"
        return Answer(weights_in(value), said, _switched_at(ssm, self.parameter, value, version))


def _switched_at(ssm: Any, parameter: str, value: str, version: int) -> datetime | None:
    """When the parameter got the value that it has: a version that repeats it is no switch."""
    versions: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    for _ in range(_PAGES):
        page = asked(ssm.get_parameter_history, Name=parameter, WithDecryption=True, **more)
        versions += page["Parameters"]
        if not page.get("NextToken"):
            break
        more = {"NextToken": page["NextToken"]}
    switched: datetime | None = None
    for known in sorted(versions, key=lambda one: int(one["Version"]), reverse=True):
        if known["Version"] > version:
            continue
        if known["Value"] != value:
            break
        switched = known["LastModifiedDate"]
    return switched

"""Every kind of colour source by its name; a kind is imported when somebody has configured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

ENTRY_POINTS = "expandcontract.colours"

BUILT_IN: Mapping[str, str] = {
    "ledger": "expandcontract.colours.ledger:LedgerSource",
    "static": "expandcontract.colours.static:Static",
    "file": "expandcontract.colours.file:File",
    "command": "expandcontract.colours.command:Command",
    "http": "expandcontract.colours.http:Http",
    "probe": "expandcontract.colours.probe:Probe",
    "kubernetes": "expandcontract.colours.kubernetes_service:KubernetesService",
    "argo": "expandcontract.colours.argo_rollout:ArgoRollout",
    "alb": "expandcontract.colours.aws_alb:AwsAlb",
    "ssm": "expandcontract.colours.aws_ssm:AwsSsm",
}


def kind_named(name: str) -> type[Any]:
    """
    The dataclass of that kind: one of ours, or else one that another package brings.

    Raises:
        ValueError: there is none, or it can't be loaded.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        kind: type[Any] = getattr(import_module(module), attribute)
        return kind
    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = point.load()
        except Exception as error:  # somebody else's code
            raise ValueError(f"{name!r} can't be loaded from {point.value}: {type(error).__name__}: {error}") from None
        if not (isinstance(found, type) and is_dataclass(found) and hasattr(found, "ask")):
            raise ValueError(f"{name!r} of {point.value} is no dataclass with a method ask")
        return found
    others = sorted(point.name for point in entry_points(group=ENTRY_POINTS))
    raise ValueError(f"there is no source {name!r}; there are {', '.join([*BUILT_IN, *others])}")

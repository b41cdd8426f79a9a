"""
A Rollout of Argo: blue-green by its active selector, a canary by the weights that it has set.

Its words for the colours are hashes of pod templates. With ``label``, the label of that name on each hash's ReplicaSet
stands for it, such as the release's tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from expandcontract.colours.kubernetes_api import api_client, read
from expandcontract.colours.source import Answer, Scene, Unanswered

_HASH = "rollouts-pod-template-hash"
_SCALE_DOWN = 30  # seconds that the old ReplicaSet stays, unless scaleDownDelaySeconds says otherwise


@dataclass(frozen=True)
class ArgoRollout:
    """A canary without traffic routing has shares that nobody knows, so while it lasts there is no answer."""

    CLIENT: ClassVar = "kubernetes.client"

    namespace: str
    rollout: str
    label: str | None = None  # of the ReplicaSet or its pods; default: the hash itself is the colour
    kubeconfig: str | None = None  # default: the pod's own account, or else the user's kubeconfig
    context: str | None = None  # of the kubeconfig

    @property
    def _what(self) -> str:
        return f"Rollout {self.namespace}/{self.rollout}"

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        with api_client(self.kubeconfig, self.context) as client:
            from kubernetes.client import CustomObjectsApi

            rollout = read(
                lambda: CustomObjectsApi(client).get_namespaced_custom_object(
                    "argoproj.io", "v1alpha1", self.namespace, "rollouts", self.rollout, _request_timeout=scene.seconds
                ),
                self._what,
            )
            hashes = self._hashes(rollout)
            weights: dict[str, int] = {}
            for template, weight in hashes.items():
                colour = template if self.label is None else self._labelled(client, template, self.label, scene)
                weights[colour] = weights.get(colour, 0) + weight
        said = ", ".join(f"{name}={weight}" for name, weight in weights.items())
        version = rollout["metadata"].get("resourceVersion")
        return Answer(weights, f"{said} of {self._what} (resourceVersion {version})", drain=_drain(rollout))

    def _hashes(self, rollout: Mapping[str, Any]) -> Mapping[str, int]:
        """The shares of the pod templates that get traffic."""
        status, generation = rollout.get("status", {}), rollout["metadata"].get("generation")
        observed = status.get("observedGeneration")
        if observed is not None and str(observed) != str(generation):
            raise Unanswered(f"{self._what} whose controller has seen generation {observed}, and it is {generation}")
        if "blueGreen" in rollout.get("spec", {}).get("strategy", {}):
            active = status.get("blueGreen", {}).get("activeSelector")
            if not active:
                raise Unanswered(f"{self._what} without an activeSelector")
            return {active: 100}
        routed = status.get("canary", {}).get("weights")
        if routed:
            parts = [routed.get("stable", {}), routed.get("canary", {}), *routed.get("additional", [])]
            found: dict[str, int] = {}
            for part in parts:
                if part.get("weight"):
                    template = part.get("podTemplateHash") or "without a hash"
                    found[template] = found.get(template, 0) + int(part["weight"])
            return found
        stable, current = status.get("stableRS"), status.get("currentPodHash")
        if not stable or stable != current:
            raise Unanswered(f"{self._what} between {stable} and {current}, without traffic routing that has weights")
        return {stable: 100}

    def _labelled(self, client: Any, template: str, label: str, scene: Scene) -> str:
        from kubernetes.client import AppsV1Api

        found = read(
            lambda: AppsV1Api(client).list_namespaced_replica_set(
                self.namespace, label_selector=f"{_HASH}={template}", _request_timeout=scene.seconds
            ),
            f"the ReplicaSets of {self._what}",
        )
        values = {
            value
            for one in found.items
            for labels in (one.metadata.labels, one.spec.template.metadata.labels if one.spec.template else None)
            if (value := (labels or {}).get(label))
        }
        if len(values) != 1:
            raise Unanswered(
                f"{self._what}, and {len(values)} values of {label} on ReplicaSets with the hash {template}"
            )
        return str(values.pop())


def _drain(rollout: Mapping[str, Any]) -> timedelta:
    strategy = next(iter(rollout.get("spec", {}).get("strategy", {}).values()), None) or {}
    return timedelta(seconds=max(int(strategy.get("scaleDownDelaySeconds") or 0), _SCALE_DOWN))

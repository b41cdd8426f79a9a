"""A Kubernetes Service: the colour is what its selector asks of a label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from expandcontract.colours.kubernetes_api import api_client, read
from expandcontract.colours.source import Answer, Scene, Unanswered


@dataclass(frozen=True)
class KubernetesService:
    """The selector changes first, and the nodes' tables follow: hence a drain of 30 s at least."""

    CLIENT: ClassVar = "kubernetes.client"

    namespace: str
    service: str
    label: str  # of the selector, such as version
    kubeconfig: str | None = None  # default: the pod's own account, or else the user's kubeconfig
    context: str | None = None  # of the kubeconfig

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        what = f"Service {self.namespace}/{self.service}"
        with api_client(self.kubeconfig, self.context) as client:
            from kubernetes.client import CoreV1Api

            service = read(
                lambda: CoreV1Api(client).read_namespaced_service(
                    self.service, self.namespace, _request_timeout=scene.seconds
                ),
                what,
            )
        selector = service.spec.selector or {}
        colour = selector.get(self.label)
        if not colour:
            raise Unanswered(f"{what} with no {self.label} in its selector {selector}")
        said = f"{self.label}={colour} in the selector of {what} (resourceVersion {service.metadata.resource_version})"
        return Answer({colour: 100}, said, drain=timedelta(seconds=30))

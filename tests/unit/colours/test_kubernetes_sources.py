"""Kubernetes' client, by a kubeconfig, against an API server on this machine that speaks TLS and asks for a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expandcontract.colours.argo_rollout import ArgoRollout
from expandcontract.colours.kubernetes_service import KubernetesService
from expandcontract.colours.source import Scene, Source, Unanswered
from expandcontract.domain.colour import Router
from tests.fixtures.clouds import REPLICA_SETS, ROLLOUT, SERVICE, TOKEN, status
from tests.fixtures.http_server import Asked, HttpServer, Reply


def service(selector: dict[str, str] | None) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "resourceVersion": "4711"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector}}


def refuses(source: Source, seconds: float = 5.0) -> str:
    with pytest.raises(Unanswered) as why:
        source.ask(Scene(Router(), seconds))
    return str(why.value)


def test_the_selector_of_a_service(kubernetes_api: HttpServer, kubeconfig: str) -> None:
    def answer(asked: Asked) -> Reply:
        is_known = asked.headers.get("authorization", asked.headers.get("Authorization")) == f"Bearer {TOKEN}"
        return Reply(service({"app": "web", "version": "green"})) if is_known else status(401, "Unauthorized")

    kubernetes_api.replies[SERVICE] = answer

    found = KubernetesService("shop", "web", "version", kubeconfig).ask(Scene(Router(), 5.0))

    assert found.weights == {"green": 100}
    assert found.said == "version=green in the selector of Service shop/web (resourceVersion 4711)"
    assert found.drain.total_seconds() == 30


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(service({"app": "web"})), "with no version in its selector {'app': 'web'}"),
        (Reply(service({"version": ""})), "with no version in its selector"),
        (Reply(service(None)), "with no version in its selector {}"),
        (status(403, 'services "web" is forbidden'), 'status 403 for Service shop/web: services "web" is forbidden'),
        (status(404, 'services "web" not found'), "status 404 for Service shop/web"),
        (status(500, "etcd is down"), "etcd is down"),
        (Reply("<html>a proxy</html>", 503), "status 503"),
    ],
)
def test_every_other_answer_is_none(kubernetes_api: HttpServer, kubeconfig: str, reply: Reply, words: str) -> None:
    kubernetes_api.replies[SERVICE] = reply

    why = refuses(KubernetesService("shop", "web", "version", kubeconfig))

    assert words in why
    assert TOKEN not in why
    assert len(kubernetes_api.asked) == 1, "it never tries twice"


def test_an_api_server_that_hangs_or_is_gone(kubernetes_api: HttpServer, kubeconfig: str, tmp_path: Path) -> None:
    kubernetes_api.replies[SERVICE] = Reply(hang=True)
    assert "Timeout" in refuses(KubernetesService("shop", "web", "version", kubeconfig), seconds=0.5)

    gone = tmp_path / "gone"
    gone.write_text(Path(kubeconfig).read_text().replace(kubernetes_api.url, "https://127.0.0.1:1"))
    assert "nothing: Service shop/web" in refuses(KubernetesService("shop", "web", "version", str(gone)))
    assert "no configuration for Kubernetes" in refuses(
        KubernetesService("shop", "web", "version", str(tmp_path / "no"))
    )


def rollout(strategy: dict[str, Any], status: dict[str, Any], generation: int = 3) -> Reply:
    metadata = {"name": "web", "namespace": "shop", "generation": generation, "resourceVersion": "9"}
    return Reply({"kind": "Rollout", "metadata": metadata, "spec": {"strategy": strategy}, "status": status})


def labelled(version: str) -> Reply:
    template = {"metadata": {"labels": {"version": version}}, "spec": {"containers": []}}
    spec = {"template": template, "selector": {}}
    return Reply({"kind": "ReplicaSetList", "items": [{"metadata": {"name": "web-1"}, "spec": spec}]})


def test_a_blue_green_rollout_by_its_hash_or_by_a_label_of_its_replica_set(
    kubernetes_api: HttpServer, kubeconfig: str
) -> None:
    strategy = {"blueGreen": {"activeService": "web", "scaleDownDelaySeconds": 120}}
    kubernetes_api.replies[ROLLOUT] = rollout(
        strategy, {"observedGeneration": "3", "blueGreen": {"activeSelector": "7bf6"}}
    )
    kubernetes_api.replies[REPLICA_SETS] = labelled("42")

    plain = ArgoRollout("shop", "web", kubeconfig=kubeconfig).ask(Scene(Router(), 5.0))
    by_label = ArgoRollout("shop", "web", label="version", kubeconfig=kubeconfig).ask(Scene(Router(), 5.0))

    assert (plain.weights, plain.drain.total_seconds()) == ({"7bf6": 100}, 120)
    assert by_label.weights == {"42": 100}
    assert kubernetes_api.asked[-1].path.endswith("labelSelector=rollouts-pod-template-hash%3D7bf6")


def test_a_canary_has_the_weights_that_it_has_set(kubernetes_api: HttpServer, kubeconfig: str) -> None:
    weights = {"stable": {"weight": 75, "podTemplateHash": "aa"}, "canary": {"weight": 25, "podTemplateHash": "bb"}}
    kubernetes_api.replies[ROLLOUT] = rollout({"canary": {}}, {"stableRS": "aa", "canary": {"weights": weights}})

    found = ArgoRollout("shop", "web", kubeconfig=kubeconfig).ask(Scene(Router(), 5.0))

    assert found.weights == {"aa": 75, "bb": 25}
    assert found.drain.total_seconds() == 30


def test_a_canary_without_traffic_routing_is_known_only_when_it_is_over(
    kubernetes_api: HttpServer, kubeconfig: str
) -> None:
    source = ArgoRollout("shop", "web", kubeconfig=kubeconfig)
    kubernetes_api.replies[ROLLOUT] = rollout({"canary": {}}, {"stableRS": "aa", "currentPodHash": "bb"})
    assert "between aa and bb" in refuses(source)

    kubernetes_api.replies[ROLLOUT] = rollout({"canary": {}}, {"stableRS": "bb", "currentPodHash": "bb"})
    assert source.ask(Scene(Router(), 5.0)).weights == {"bb": 100}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (rollout({"blueGreen": {}}, {"observedGeneration": "2"}), "seen generation 2, and it is 3"),
        (rollout({"blueGreen": {}}, {}), "without an activeSelector"),
        (rollout({"canary": {}}, {}), "between None and None"),
        (status(404, "no such thing"), "status 404"),
    ],
)
def test_a_rollout_that_says_nothing_clear(
    kubernetes_api: HttpServer, kubeconfig: str, reply: Reply, words: str
) -> None:
    kubernetes_api.replies[ROLLOUT] = reply

    assert words in refuses(ArgoRollout("shop", "web", kubeconfig=kubeconfig))


def test_a_hash_without_one_label_is_no_colour(kubernetes_api: HttpServer, kubeconfig: str) -> None:
    kubernetes_api.replies[ROLLOUT] = rollout({"blueGreen": {}}, {"blueGreen": {"activeSelector": "7bf6"}})
    kubernetes_api.replies[REPLICA_SETS] = Reply({"kind": "ReplicaSetList", "items": []})

    why = refuses(ArgoRollout("shop", "web", label="version", kubeconfig=kubeconfig))

    assert "0 values of version on ReplicaSets with the hash 7bf6" in why

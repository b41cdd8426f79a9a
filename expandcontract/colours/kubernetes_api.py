"""The Kubernetes API, as a pod or a kubeconfig reaches it; needs the extra ``kubernetes``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from expandcontract.colours.source import Unanswered


def api_client(kubeconfig: str | None, context: str | None) -> Any:
    """
    A client: of the pod we are in, unless a kubeconfig is named; else of the user's kubeconfig. It never tries twice.

    Raises:
        Unanswered: the extra isn't installed, or there is no configuration.
    """
    try:
        from kubernetes import client, config
    except ImportError:
        raise Unanswered("nothing: pip install 'expandcontract[kubernetes]'") from None
    configuration = client.Configuration()
    try:
        _load(config, configuration, kubeconfig, context)
    except config.ConfigException as error:
        raise Unanswered(f"nothing: no configuration for Kubernetes: {error}") from None
    configuration.retries = False
    return client.ApiClient(configuration)


def _load(config: Any, configuration: object, kubeconfig: str | None, context: str | None) -> None:
    if kubeconfig is None and context is None:
        try:
            config.load_incluster_config(client_configuration=configuration)
            return
        except config.ConfigException:  # not in a pod
            pass
    config.load_kube_config(kubeconfig, context, client_configuration=configuration)


def read(question: Callable[[], Any], what: str) -> Any:
    """
    The answer to a question that is put to the API.

    Raises:
        Unanswered: a status other than 200, or no connection.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        return question()
    except ApiException as error:
        raise Unanswered(f"status {error.status} for {what}{_message(error.body)}") from None
    except HTTPError as error:
        raise Unanswered(f"nothing: {what}: {type(error).__name__}: {error}") from None


def _message(body: object) -> str:
    try:
        return f": {json.loads(str(body))['message']}"
    except (ValueError, KeyError, TypeError):
        return ""

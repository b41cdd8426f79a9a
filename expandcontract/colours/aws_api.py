"""Clients of AWS that answer in time and never try twice; needs the extra ``aws``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from expandcontract.colours.source import Scene, Unanswered


def aws_client(service: str, region: str | None, endpoint_url: str | None, scene: Scene) -> Any:
    """
    A client of that service, with the credentials that boto3 finds by itself.

    Raises:
        Unanswered: the extra isn't installed, or there is no region.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise Unanswered("nothing: pip install 'expandcontract[aws]'") from None
    limits = Config(
        connect_timeout=scene.seconds, read_timeout=scene.seconds, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    try:
        # a session of its own, for the default one may not be shared by threads
        return boto3.session.Session().client(service, region_name=region, endpoint_url=endpoint_url, config=limits)
    except (BotoCoreError, ValueError) as error:
        raise Unanswered(f"nothing: no client for {service}: {error}") from None


def asked(question: Callable[..., Any], **arguments: Any) -> Any:
    """
    What AWS answers.

    Raises:
        Unanswered: an error of the service, or no connection.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return question(**arguments)
    except ClientError as error:
        told = error.response.get("Error", {})
        raise Unanswered(f"{told.get('Code', 'an error')}: {told.get('Message', error)}") from None
    except BotoCoreError as error:
        raise Unanswered(f"nothing: {type(error).__name__}: {error}") from None

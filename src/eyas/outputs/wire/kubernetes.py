"""Requests through the Kubernetes API server, with the credentials of a kubeconfig or of the pod."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eyas.delivery import Answer, Request, Sender, classify, in_turn, retry
from eyas.errors import UsageError
from eyas.outputs.body.kube import SCHEME
from eyas.outputs.card import library


class ApiServer:
    """Sends requests whose address begins with `kubernetes://`."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One after the other."""
        return in_turn(batch, lambda request: self.exchange(request)[0])

    def exchange(self, request: Request) -> tuple[Answer, bytes]:
        """One request with the body of its answer."""
        settings = self.client.configuration
        url = settings.host + request.url.removeprefix(SCHEME)
        proofs = {
            proof["key"]: proof["value"]
            for proof in settings.auth_settings().values()
            if proof["in"] == "header"
        }
        head = dict(request.headers) | proofs
        pool = self.client.rest_client.pool_manager
        try:
            reply = pool.request(
                request.method, url, body=request.body, headers=head, timeout=30, retries=False
            )
        except Exception as error:  # urllib3 has many, all of them mean that the server was not reached
            return retry(f"API server: {error}"), b""
        return classify(reply.status, dict(reply.headers), reply.data), reply.data

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()


def open_outside(settings: Any) -> Sender | None:
    """A sender through the API server if a kubeconfig is given; within the cluster plain HTTP does."""
    return connect(settings.kubeconfig) if settings.kubeconfig else None


def connect(kubeconfig: str) -> ApiServer:
    """A connection with a kubeconfig, or as the pod in which we run."""
    kubernetes = library("kubernetes", "kubernetes")
    try:
        if kubeconfig:
            client = kubernetes.config.new_client_from_config(str(Path(kubeconfig).expanduser()))
        else:
            found = kubernetes.client.Configuration()
            kubernetes.config.load_incluster_config(client_configuration=found)
            client = kubernetes.client.ApiClient(found)
    except (kubernetes.config.ConfigException, OSError) as error:
        raise UsageError(f"kubeconfig '{kubeconfig}': {error}") from None
    return ApiServer(client)

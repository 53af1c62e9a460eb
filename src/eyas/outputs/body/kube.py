"""Addresses of services inside a cluster: direct from within, through the API server from outside."""

from __future__ import annotations

from eyas.outputs.body.http import part

SCHEME = "kubernetes://"  # the sender knows the API server and how to prove who we are


def service(name: str, namespace: str, port: int, path: str) -> str:
    """Address from within the cluster."""
    return f"http://{part(name)}.{part(namespace)}.svc.cluster.local:{port}/{path}"


def proxy(name: str, namespace: str, port: int, path: str) -> str:
    """Address through the API server."""
    return f"{SCHEME}/api/v1/namespaces/{part(namespace)}/services/{part(name)}:{port}/proxy/{path}"

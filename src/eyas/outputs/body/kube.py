"""Addresses of services inside a cluster, seen from outside: through the API server."""

from __future__ import annotations

from eyas.outputs.body.http import part

SCHEME = "kubernetes://"  # the sender knows the API server and how to prove who we are


def proxy(name: str, namespace: str, port: int, path: str) -> str:
    """Address of a path of a service."""
    return f"{SCHEME}/api/v1/namespaces/{part(namespace)}/services/{part(name)}:{port}/proxy/{path}"

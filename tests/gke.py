"""An audit entry as Google Cloud logs it: a shell opened in a pod."""

from typing import Any

ENTRY: dict[str, Any] = {
    "insertId": "i1",
    "timestamp": "2026-01-31T10:00:00.5Z",
    "labels": {"authorization.k8s.io/decision": "allow"},
    "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod"}},
    "protoPayload": {
        "methodName": "io.k8s.core.v1.pods.exec.create",
        "resourceName": "core/v1/namespaces/shop/pods/web/exec",
        "authenticationInfo": {"principalEmail": "ann@example.com"},
        "requestMetadata": {"callerIp": "198.51.100.7", "callerSuppliedUserAgent": "kubectl"},
    },
}

"""Log sources, each a file that says what a service's bytes mean: fields and decoding, in the order of this list."""

MEMBERS = (
    "aws_cloudtrail",
    "k8s_audit",
    "github",
    "okta",
    "gcp_auditlog",
    "azure",
    "slack",
    "syslog",
    "journal",
    "json",
)

__all__ = ["MEMBERS"]

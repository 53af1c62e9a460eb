"""How services are reached: their addresses, tokens, pages and signatures, over the transports.

A file here carries the name of its source. Every source has the ways of `plain.py` besides.
"""

REACHED = ("k8s_audit", "github", "okta", "slack", "azure", "syslog", "journal")
# What a source without ways of its own mostly arrives by; `sources add` offers the first.
USUAL = {"aws_cloudtrail": ("sqs", "s3", "cloudwatch"), "gcp_auditlog": ("pubsub",)}

__all__ = ["REACHED", "USUAL"]

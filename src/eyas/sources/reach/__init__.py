"""How services are reached: their addresses, tokens, pages and signatures, over the transports.

A file here carries the name of its source. Every source has the ways of `plain.py` besides.
"""

REACHED = ("k8s_audit", "github", "okta", "slack", "azure", "syslog", "journal")

__all__ = ["REACHED"]

"""Whom alerts are told: one card for each receiver. `aws.s3` lives in `aws_s3.py`."""

OUTPUTS = (
    "slack",
    "alertmanager",
    "webhook",
)

"""Whom alerts are told: one card for each receiver. `aws.s3` lives in `aws_s3.py`."""

OUTPUTS = (
    "slack",
    "rocketchat",
    "mattermost",
    "teams",
    "webex",
    "discord",
    "googlechat",
    "cliq",
    "telegram",
    "gotify",
    "alertmanager",
    "webhook",
)

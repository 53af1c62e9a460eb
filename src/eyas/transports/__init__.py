"""How bytes arrive: each file is one way, and serves every source. None knows what the bytes mean."""

TRANSPORTS = (
    "http",
    "poll",
    "file",
    "s3",
    "sqs",
    "cloudwatch",
    "pubsub",
    "kafka",
    "nats",
    "syslog",
    "journald",
)

__all__ = ["TRANSPORTS"]

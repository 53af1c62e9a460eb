"""Ways that every source has: whatever carries JSON carries its records."""

from __future__ import annotations

import functools

from eyas.sources.reach.way import Way
from eyas.transports import cloudwatch, file, http, kafka, nats, pubsub, s3, sqs

JSON = ("application/json", "application/x-ndjson", "application/jsonl")
RECEPTION = http.Reception(types=JSON)

WAYS = (
    Way(
        "http",
        "JSON that is posted to this machine",
        http.Settings,
        functools.partial(http.parcels, reception=RECEPTION),
        functools.partial(http.probe, reception=RECEPTION),
    ),
    Way("file", "files or folders of JSON lines, followed", file.Settings, file.lines, file.probe),
    Way("files", "files of one JSON document each", file.Settings, file.documents, file.probe),
    Way("s3", "objects of an S3 bucket", s3.Settings, s3.parcels, s3.probe),
    Way("sqs", "an SQS queue of events, or of notices of S3 objects", sqs.Settings, sqs.parcels, sqs.probe),
    Way(
        "cloudwatch",
        "a log group of CloudWatch Logs",
        cloudwatch.Settings,
        cloudwatch.parcels,
        cloudwatch.probe,
    ),
    Way("pubsub", "a Google Pub/Sub subscription", pubsub.Settings, pubsub.parcels, pubsub.probe),
    Way("kafka", "topics of Kafka", kafka.Settings, kafka.parcels, kafka.probe),
    Way("nats", "a subject of NATS JetStream", nats.Settings, nats.parcels, nats.probe),
)

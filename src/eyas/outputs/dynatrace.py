"""Dynatrace: the alert as a log record with semantic attributes."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, post, reveal
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url

ATTRIBUTES = {
    "container.id": "container.id",
    "container.name": "container.name",
    "container.image": "container.image.name",
    "ka.target.namespace": "k8s.namespace.name",
    "k8s.ns.name": "k8s.namespace.name",
    "k8s.pod.name": "k8s.pod.name",
    "k8s.pod.id": "k8s.pod.uid",
    "proc.name": "process.executable.name",
    "span.id": "span.id",
}
_TECHNIQUE = re.compile(r"T\d+\.?\d*")
_TACTIC = re.compile(r"mitre_\w+")


class Settings(HttpSettings):
    """Keys below `dynatrace`."""

    needs = ("apiurl", "apitoken")
    apitoken: SecretStr
    apiurl: Url


def request(alert: Alert, settings: Settings) -> Request:
    """One record."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many records at once."""
    head = {"Authorization": f"Api-Token {reveal(settings.apitoken)}"}
    return [post(join(settings.apiurl, "v2/logs/ingest"), [_record(alert) for alert in alerts], head)]


def _record(alert: Alert) -> dict[str, Any]:
    tags, found = event.tags(alert), event.texts(alert)
    made: dict[str, Any] = {
        "timestamp": event.timestamp(alert),
        "event.id": event.identity(alert),
        "event.name": event.plain(alert.rule),
        "event.provider": "Falco",
        "severity": event.priority(alert),
        "host.name": event.plain(alert.hostname),
        "log.source": event.source(alert),
        "content": {"output": event.output(alert), "output_fields": event.fields(alert), "tags": tags},
        "mitre.technique": ", ".join(tag for tag in tags if _TECHNIQUE.search(tag)),
        "mitre.tactic": ", ".join(tag for tag in tags if _TACTIC.search(tag)),
    }
    made |= {theirs: found[ours] for ours, theirs in ATTRIBUTES.items() if ours in found}
    return {key: value for key, value in made.items() if value}


OUTPUT = Output(
    "dynatrace", "Dynatrace: the alert as a log record", Settings, request, requests=requests, batch=100
)

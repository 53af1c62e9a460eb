"""PagerDuty: an event that triggers an incident and resolves it when the alert is closed here."""

from typing import Annotated, Any, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import post, reveal
from eyas.outputs.body.markup import cut, line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER

HOSTS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
SEVERITIES = {"emergency": "critical", "alert": "critical", "critical": "critical", "error": "error"}
SUMMARY = 1024  # https://developer.pagerduty.com/docs/events-api-v2-overview


class Settings(HttpSettings):
    """Keys below `pagerduty`."""

    needs = ("routingkey",)
    routingkey: SecretStr
    region: Annotated[Literal["us", "eu"], LOWER] = "us"


def request(alert: Alert, settings: Settings) -> Request:
    """Trigger; alerts with one key are one incident."""
    priority = alert.priority.lower()
    payload = {
        "summary": cut(line(event.output(alert)), SUMMARY),
        "source": "falco",
        "severity": SEVERITIES.get(priority, "warning" if priority == "warning" else "info"),
        "timestamp": event.timestamp(alert),
        "component": line(alert.hostname),
        "class": line(alert.rule),
        "custom_details": _details(alert),
    }
    return _enqueue(
        "trigger", alert, settings, {"payload": {key: value for key, value in payload.items() if value}}
    )


def resolve(alert: Alert, settings: Settings) -> list[Request]:
    """Resolve the incident."""
    return [_enqueue("resolve", alert, settings, {})]


def _enqueue(action: str, alert: Alert, settings: Settings, more: dict[str, Any]) -> Request:
    body = {
        "routing_key": reveal(settings.routingkey),
        "event_action": action,
        "dedup_key": event.thread(alert),
        **more,
    }
    return post(HOSTS[settings.region] + "/v2/enqueue", body)


def _details(alert: Alert) -> dict[str, Any]:
    own = {"rule": event.plain(alert.rule), "priority": event.priority(alert), "source": event.source(alert)}
    own |= {"hostname": event.plain(alert.hostname), "tags": ", ".join(event.tags(alert))}
    return event.fields(alert) | {key: value for key, value in own.items() if value}


OUTPUT = Output(
    "pagerduty",
    "PagerDuty: an incident, resolved when the alert is closed here",
    Settings,
    request,
    resolve=resolve,
    largest=500_000,
)

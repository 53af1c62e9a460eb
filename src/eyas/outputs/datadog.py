"""Datadog events: one event for each alert."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import address, join, post, reveal
from eyas.outputs.body.markup import cut, line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import rank

TITLE, TEXT = 500, 4000  # https://docs.datadoghq.com/api/latest/events/


class Settings(HttpSettings):
    """Keys below `datadog`."""

    needs = ("apikey",)
    apikey: SecretStr
    host: str = "https://api.datadoghq.com"


def request(alert: Alert, settings: Settings) -> Request:
    """One event; the key travels in a header, where no proxy writes it down."""
    tags = [f"{name}:{line(value)}" for name, value in event.texts(alert).items()]
    tags.append(f"source:{line(event.source(alert))}")
    if alert.hostname:
        tags.append(f"hostname:{line(alert.hostname)}")
    body = {
        "title": cut(line(alert.rule), TITLE),
        "text": cut(line(event.output(alert)), TEXT),
        "alert_type": _type(alert),
        "source_type_name": "falco",
        "date_happened": event.seconds(alert),
        "tags": tags + event.tags(alert),
    }
    url = join(address(settings.host), "api/v1/events")
    return post(url, body, {"DD-API-KEY": reveal(settings.apikey)})


def _type(alert: Alert) -> str:
    weight = rank(alert.priority)
    return "error" if weight >= rank("error") else "warning" if weight == rank("warning") else "info"


OUTPUT = Output("datadog", "Datadog events: one event for each alert", Settings, request)

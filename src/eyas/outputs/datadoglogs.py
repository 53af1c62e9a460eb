"""Datadog logs: the alert as a log line."""

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import address, join, post, reveal
from eyas.outputs.card import HttpSettings, Output


class Settings(HttpSettings):
    """Keys below `datadoglogs`."""

    needs = ("apikey",)
    apikey: SecretStr
    host: str = "https://http-intake.logs.datadoghq.com"
    service: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One line."""
    return _post(_line(alert, settings), settings)


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many lines at once."""
    if len(alerts) == 1:
        return [request(alerts[0], settings)]
    return [_post([_line(alert, settings) for alert in alerts], settings)]


def _post(body: Any, settings: Settings) -> Request:
    url = join(address(settings.host), "api/v2/logs")
    return post(url, body, {"DD-API-KEY": reveal(settings.apikey)})


def _line(alert: Alert, settings: Settings) -> dict[str, str]:
    made = {
        "ddsource": "falco",
        "hostname": event.plain(alert.hostname),
        "service": settings.service,
        "message": event.event_json(alert).decode(),
        "ddtags": ",".join(event.tags(alert)),
    }
    return {key: value for key, value in made.items() if value}


OUTPUT = Output(
    "datadoglogs",
    "Datadog logs: the alert as a log line",
    Settings,
    request,
    requests=requests,
    batch=100,
    largest=900_000,
)

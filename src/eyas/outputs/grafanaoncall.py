"""Grafana OnCall: an alert of a formatted webhook."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, SecretUrl


class Settings(HttpSettings):
    """Keys below `grafanaoncall`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl
    customheaders: Headers = {}


def request(alert: Alert, settings: Settings) -> Request:
    """The alert is on."""
    return _post("alerting", alert, settings)


def resolve(alert: Alert, settings: Settings) -> list[Request]:
    """The alert is over."""
    return [_post("ok", alert, settings)]


def _post(state: str, alert: Alert, settings: Settings) -> Request:
    body = {
        "alert_uid": event.thread(alert),
        "state": state,
        "title": line(f"[{event.priority(alert)}] {alert.rule}"),
        "message": line(event.output(alert)),
    }
    return post(settings.webhookurl, body, settings.customheaders)


OUTPUT = Output(
    "grafanaoncall", "Grafana OnCall: an alert of a formatted webhook", Settings, request, resolve=resolve
)

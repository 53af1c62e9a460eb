"""Grafana: the alert as an annotation, on all dashboards or on one."""

from typing import Any

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, post, reveal
from eyas.outputs.body.markup import line, to_html
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, Url


class Settings(HttpSettings):
    """Keys below `grafana`."""

    needs = ("hostport",)
    hostport: Url
    apikey: SecretStr = SecretStr("")
    dashboardid: int = 0
    panelid: int = 0
    allfieldsastags: bool = False
    customheaders: Headers = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One annotation. Grafana shows its text as HTML."""
    body: dict[str, Any] = {"dashboardId": settings.dashboardid, "panelId": settings.panelid}
    body = {key: value for key, value in body.items() if value}
    body |= {
        "time": alert.ts // 10**6,
        "timeEnd": alert.ts // 10**6,
        "tags": _tags(alert, settings),
        "text": to_html(event.output(alert)),
    }
    key = reveal(settings.apikey)
    head = {"Authorization": f"Bearer {key}"} if key else {}
    return post(join(settings.hostport, "api/annotations"), body, head | settings.customheaders)


def _tags(alert: Alert, settings: Settings) -> list[str]:
    found = ["falco", event.priority(alert), alert.rule, event.source(alert), alert.hostname]
    if settings.allfieldsastags:
        found += [*event.texts(alert).values(), *event.tags(alert)]
    return [line(tag) for tag in found if tag]


OUTPUT = Output("grafana", "Grafana: the alert as an annotation", Settings, request)

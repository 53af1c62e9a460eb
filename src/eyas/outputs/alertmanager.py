"""Alertmanager: the alert with its fields as labels, so that routes and silences can name them."""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from eyas.alert import SECOND, Alert, iso8601
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, post
from eyas.outputs.body.labels import labels
from eyas.outputs.body.markup import line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import PRIORITIES, Headers, Map, Priority, Url, items, rank

SEVERITIES = {
    "emergency": "critical",
    "alert": "critical",
    "critical": "critical",
    "error": "warning",
    "warning": "warning",
    "notice": "information",
    "informational": "information",
    "debug": "information",
}
# What differs each time the same thing happens: as a label it would make another alert of it.
PASSING = ("n_evts", "evt.time", "evt.rawtime", "evt.datetime", "evt.num")
DIGITS = 18  # of a count; Python refuses to read numbers that are absurdly long


def _steps(value: dict[str, str]) -> dict[str, str]:
    for count, priority in value.items():
        if not count.isdecimal() or len(count) > DIGITS or priority.lower() not in PRIORITIES:
            raise ValueError(f"expected a number and a priority, found '{count}:{priority}'")
    return value


class Settings(HttpSettings):
    """Keys below `alertmanager`."""

    needs = ("hostport",)
    hostport: Annotated[list[Url], BeforeValidator(items), Field(min_length=1)]
    endpoint: str = "/api/v2/alerts"
    expiresafter: int = 0
    extralabels: Map = {}
    extraannotations: Map = {}
    customseveritymap: Map = {}
    customheaders: Headers = {}
    dropeventdefaultpriority: Priority = "critical"
    dropeventthresholds: Annotated[Map, AfterValidator(_steps)] = {
        "10000": "critical",
        "1000": "critical",
        "100": "critical",
        "10": "warning",
        "1": "warning",
    }


def request(alert: Alert, settings: Settings) -> Request:
    """One alert to the first Alertmanager; `requests` serves all of them."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """All alerts to each Alertmanager: members of a cluster are told one by one."""
    body = [_alert(alert, settings) for alert in alerts]
    return [post(_url(host, settings), body, settings.customheaders) for host in settings.hostport]


def resolve(alert: Alert, settings: Settings) -> list[Request]:
    """The same alert, ended when it began, for each Alertmanager: members tell each other silences, no alerts."""
    body = [_alert(alert, settings) | {"endsAt": event.timestamp(alert)}]
    return [post(_url(host, settings), body, settings.customheaders) for host in settings.hostport]


def _url(host: str, settings: Settings) -> str:
    # Version 1 of the interface is gone since 0.27, and the body is the same.
    return join(host, settings.endpoint.replace("/api/v1/", "/api/v2/"))


def _alert(alert: Alert, settings: Settings) -> dict[str, Any]:
    found, priority = _drops(alert, settings)
    severities = SEVERITIES | {key.lower(): value for key, value in settings.customseveritymap.items()}
    own = {
        "source": "falco",
        "rule": alert.rule,
        "alertname": alert.rule,
        "eventsource": event.source(alert),
        "hostname": alert.hostname,
        "tags": ",".join(event.tags(alert)),
        "priority": priority.capitalize(),
        "severity": severities.get(priority, "critical"),
    }
    text = event.output(alert)
    made: dict[str, Any] = {
        "labels": labels({k: line(v) for k, v in (found | own | settings.extralabels).items()}),
        "annotations": {"info": text, "description": text, "summary": line(alert.rule)}
        | labels(settings.extraannotations),
        "startsAt": event.timestamp(alert),
    }
    if settings.expiresafter:
        made["endsAt"] = iso8601(alert.ts + settings.expiresafter * SECOND, "Z")
    return made


def _drops(alert: Alert, settings: Settings) -> tuple[dict[str, str], str]:
    """Fields as labels, without what differs each time; counts of drops become thresholds, lest each be an alert."""
    found: dict[str, str] = {}
    priority = alert.priority.lower()
    for name, value in event.texts(alert).items():
        if name.startswith("n_drop"):
            found[name], least = _threshold(value, settings)
            priority = max(priority, least, key=rank)
        elif not name.startswith(PASSING):
            found[name] = value
    return found, priority


def _threshold(value: str, settings: Settings) -> tuple[str, str]:
    """Label and least priority of a number of dropped events."""
    if not value.isdecimal() or len(value) > DIGITS:
        return value, settings.dropeventdefaultpriority
    if int(value) == 0:
        return "0", "warning"
    steps = sorted(((int(k), v) for k, v in settings.dropeventthresholds.items()), reverse=True)
    step = next(itertools.dropwhile(lambda s: int(value) <= s[0], steps), None)
    if step is None:
        return value, settings.dropeventdefaultpriority
    return f">{step[0]}", step[1].lower()


OUTPUT = Output(
    "alertmanager",
    "Alertmanager: the alert with its fields as labels",
    Settings,
    request,
    requests=requests,
    batch=64,
    resolve=resolve,
)

"""Opsgenie: an alert that is opened here and closed when it is closed with us."""

from typing import Annotated, Any, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, part, post, reveal
from eyas.outputs.body.markup import cut, line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER

HOSTS = {"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"}
PRIORITIES = {"emergency": "P1", "alert": "P1", "critical": "P2", "error": "P3", "warning": "P4"}
# Limits of an alert, https://docs.opsgenie.com/docs/alert-api#create-alert
MESSAGE, DESCRIPTION, DETAILS = 130, 15000, 8000


class Settings(HttpSettings):
    """Keys below `opsgenie`."""

    needs = ("apikey",)
    apikey: SecretStr
    region: Annotated[Literal["us", "eu"], LOWER] = "us"


def request(alert: Alert, settings: Settings) -> Request:
    """One alert; the alias makes repeats one, and lets us close it."""
    text = line(event.output(alert))
    body = {
        "message": cut(text, MESSAGE),
        "alias": event.thread(alert),
        "entity": "Falcosidekick",
        # The message holds 130 characters; what is longer is told whole.
        "description": line(alert.rule)
        if len(text) <= MESSAGE
        else cut(f"{line(alert.rule)}\n{text}", DESCRIPTION),
        "details": _details(alert),
        "priority": PRIORITIES.get(alert.priority.lower(), "P5"),
    }
    return post(_alerts(settings), body, _head(settings))


def resolve(alert: Alert, settings: Settings) -> list[Request]:
    """Close the alert."""
    url = join(_alerts(settings), part(event.thread(alert)), "close?identifierType=alias")
    return [post(url, {"source": "Eyas"}, _head(settings))]


def _details(alert: Alert) -> dict[str, Any]:
    found = {name.replace(".", "_"): value for name, value in event.texts(alert).items()}
    found |= {"source": event.source(alert), "rule": alert.rule, "priority": event.priority(alert)}
    found |= {"hostname": alert.hostname, "tags": ", ".join(event.tags(alert))}
    room, kept = DETAILS, {}
    for name in reversed(found):
        room -= len(name) + len(found[name])
        if found[name] and room >= 0:
            kept[name] = line(found[name])
    return dict(reversed(kept.items()))


def _alerts(settings: Settings) -> str:
    return join(HOSTS[settings.region], "v2/alerts")


def _head(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"GenieKey {reveal(settings.apikey)}"}


OUTPUT = Output(
    "opsgenie", "Opsgenie: an alert, closed when it is closed here", Settings, request, resolve=resolve
)

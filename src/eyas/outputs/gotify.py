"""Gotify: a message to an application, in Markdown, plain text or JSON."""

from typing import Annotated, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, post, reveal
from eyas.outputs.body.markup import line, markdown
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER, Url, rank


class Settings(HttpSettings):
    """Keys below `gotify`."""

    needs = ("hostport",)
    hostport: Url
    token: SecretStr = SecretStr("")
    format: Annotated[Literal["markdown", "plaintext", "text", "json"], LOWER] = "markdown"


def request(alert: Alert, settings: Settings) -> Request:
    """One message; its priority is 1 for debug up to 8 for emergency."""
    kind = "text/markdown" if settings.format == "markdown" else "text/plain"
    body = {
        "title": line(f"[Falco] [{event.priority(alert)}] {alert.rule}"),
        "priority": rank(alert.priority) + 1,
        "message": _message(alert, settings.format),
        "extras": {"client::display": {"contentType": kind}},
    }
    token = reveal(settings.token)
    return post(join(settings.hostport, "message"), body, {"X-Gotify-Key": token} if token else {})


def _message(alert: Alert, form: str) -> str:
    if form == "json":
        return event.event_json(alert).decode()
    return _markdown(alert) if form == "markdown" else _plain(alert)


def _facts(alert: Alert) -> list[tuple[str, str]]:
    return [
        ("Priority", event.priority(alert)),
        ("Rule", alert.rule),
        ("Output", event.output(alert)),
        ("Source", event.source(alert)),
        ("Tags", " ".join(event.tags(alert))),
        ("Time", event.moment(alert)),
    ]


def _markdown(alert: Alert) -> str:
    lines = [f"- **{name}**: {markdown(value)}" for name, value in _facts(alert)]
    lines += ["- **Fields**:"]
    lines += [f"\t- **{markdown(name)}**: {markdown(value)}" for name, value in event.texts(alert).items()]
    return "\n".join(lines) + "\n"


def _plain(alert: Alert) -> str:
    lines = [f"{name}: {line(value)}" for name, value in _facts(alert)]
    lines += ["Fields:"]
    lines += [f"- {line(name)}: {line(value)}" for name, value in event.texts(alert).items()]
    return "\n".join(lines) + "\n"


OUTPUT = Output("gotify", "Gotify: a message to an application", Settings, request)

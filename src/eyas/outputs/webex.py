"""Webex: a message in Markdown through an incoming webhook."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import fitted, markdown
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import SecretUrl

LONGEST = 7000  # bytes of a message are limited to 7439, https://developer.webex.com/docs/api/v1/messages


class Settings(HttpSettings):
    """Keys below `webex`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl


def request(alert: Alert, settings: Settings) -> Request:
    """One message: rule and output as headings, then what is known, as far as it fits."""
    text = f"# Falco Rule '{fitted(alert.rule, 200, markdown)}'\n\n### {fitted(event.output(alert), 2000, markdown)}\n\n"
    text += "".join(f"  * {name}: {fitted(value, 300, markdown)}\n" for name, value in _own(alert))
    text += "  * Fields:\n"
    for name, value in event.texts(alert).items():
        entry = f"    * {fitted(name, 200, markdown)}: {fitted(value, 500, markdown)}\n"
        if len((text + entry).encode()) <= LONGEST:
            text += entry
    return post(settings.webhookurl, {"markdown": text})


def _own(alert: Alert) -> list[tuple[str, str]]:
    return [
        ("Hostname", alert.hostname),
        ("Source", event.source(alert)),
        ("Priority", event.priority(alert)),
        ("Tags", ", ".join(event.tags(alert))),
    ]


OUTPUT = Output("webex", "Webex: a message in Markdown through an incoming webhook", Settings, request)

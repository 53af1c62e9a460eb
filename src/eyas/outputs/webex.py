"""Webex: a message in Markdown through an incoming webhook."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
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
    """One message: the text, then a list of facts as far as they fit."""
    text = f"**\\[{event.priority(alert)}\\] {fitted(alert.rule, 200, markdown)}**\n\n{fitted(event.output(alert), 2000, markdown)}\n"
    for name, value in chat.facts(alert):
        entry = f"\n- **{fitted(name, 200, markdown)}**: {fitted(value, 500, markdown)}"
        if len((text + entry).encode()) <= LONGEST:
            text += entry
    return post(settings.webhookurl, {"markdown": text})


OUTPUT = Output("webex", "Webex: a message in Markdown through an incoming webhook", Settings, request)

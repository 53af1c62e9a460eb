"""Webex: a message in Markdown through an incoming webhook."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import cut, markdown
from eyas.outputs.card import HttpSettings, Output

LONGEST = 7000  # bytes of a message are limited to 7439, https://developer.webex.com/docs/api/v1/messages


class Settings(HttpSettings):
    """Keys below `webex`."""

    needs = ("webhookurl",)
    webhookurl: SecretStr


def request(alert: Alert, settings: Settings) -> Request:
    """One message: the text, then a list of facts as far as they fit."""
    text = f"**\\[{event.priority(alert)}\\] {markdown(alert.rule)}**\n\n{cut(markdown(event.output(alert)), 3000)}\n"
    for name, value in chat.facts(alert):
        entry = f"\n- **{markdown(name)}**: {cut(markdown(value), 500)}"
        if len((text + entry).encode()) <= LONGEST:
            text += entry
    return post(settings.webhookurl, {"markdown": text})


OUTPUT = Output("webex", "Webex: a message in Markdown through an incoming webhook", Settings, request)

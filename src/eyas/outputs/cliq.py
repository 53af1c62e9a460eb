"""Zoho Cliq: a message with a table through a webhook."""

import re
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import fitted, line
from eyas.outputs.card import ChatSettings, Output
from eyas.outputs.values import SecretUrl

EMOJI = {
    "emergency": "\U0001f6a8",
    "alert": "\U0001f7e0",
    "critical": "\U0001f7e0",
    "error": "\U0001f6a8",
    "warning": "\U0001f7e1",
    "notice": "\U0001f535",
    "informational": "\U0001f7e2",
    "debug": "\u26aa",
}
_OPENING = re.compile(r"([{\[@])")


class Settings(ChatSettings):
    """Keys below `cliq`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl
    icon: str = ""
    useemoji: bool = False


def request(alert: Alert, settings: Settings) -> Request:
    """One message."""
    headline = chat.headline(alert, settings, _text)
    output = fitted(event.output(alert), chat.LONGEST, _text)
    text = headline or output
    slides: list[dict[str, Any]] = []
    if headline and chat.shows(settings, "text"):
        slides.append({"type": "text", "data": output})
    if chat.shows(settings, "fields"):
        rows = [
            {"field": _text(name), "value": fitted(value, 1000, _text)} for name, value in chat.facts(alert)
        ]
        slides.append({"type": "table", "data": {"headers": ["field", "value"], "rows": rows}})
    if settings.useemoji:
        text = f"{EMOJI.get(alert.priority.lower(), '?')} {text}"
    bot = {"name": "Eyas", "image": settings.icon}
    body = {"text": text, "bot": {key: value for key, value in bot.items() if value}, "slides": slides}
    return post(settings.webhookurl, {key: value for key, value in body.items() if value})


def _text(value: object) -> str:
    """Text without mentions and links; there is no escape, so their opening sign is parted from the word."""
    return _OPENING.sub("\\1\u200b", line(value))


OUTPUT = Output("cliq", "Zoho Cliq: a message with a table through a webhook", Settings, request)

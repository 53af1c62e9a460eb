"""Discord: an embed through a webhook; nobody is ever mentioned."""

from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import fitted, line, markdown
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import SecretUrl

COLOURS = {
    "emergency": 15158332,
    "alert": 11027200,
    "critical": 15105570,
    "error": 15844367,
    "warning": 12745742,
    "notice": 3066993,
    "informational": 3447003,
    "debug": 12370112,
}
# Limits of an embed, https://docs.discord.com/developers/resources/message#embed-object-embed-limits
FIELDS, NAME, VALUE, DESCRIPTION, TOTAL = 25, 256, 1024, 2000, 5800


class Settings(HttpSettings):
    """Keys below `discord`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl
    icon: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One message with one embed."""
    description = fitted(event.output(alert), DESCRIPTION, markdown)
    embed = {
        "title": "",
        "url": "",
        "description": description,
        "color": COLOURS.get(alert.priority.lower(), COLOURS["emergency"]),
        "fields": _fields(alert, TOTAL - len(description)),
    }
    body: dict[str, Any] = {"content": "", "embeds": [embed], "allowed_mentions": {"parse": []}}
    if settings.icon:
        body["avatar_url"] = settings.icon
    return post(settings.webhookurl, body)


def _fields(alert: Alert, room: int) -> list[dict[str, Any]]:
    """As many facts as an embed holds."""
    own = {"rule", "priority", "source", "hostname", "tags", "time"}
    made: list[dict[str, Any]] = []
    for name, value in chat.facts(alert):
        shown = fitted(value, VALUE, markdown) if name in own else _code(value)
        title, text = fitted(name, NAME, markdown), shown or "\u200b"
        room -= len(title) + len(text)
        if title and room >= 0 and len(made) < FIELDS:
            made.append({"name": title, "value": text, "inline": True})
    return made


def _code(value: str) -> str:
    """A block of code; it ends at three backticks, so none of the value stand side by side."""
    return "```" + fitted(value, VALUE - 6, lambda text: line(text).replace("`", "`\u200b")) + "```"


OUTPUT = Output("discord", "Discord: an embed through a webhook", Settings, request)

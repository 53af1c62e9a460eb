"""Slack: a message through an incoming webhook, as an attachment or in blocks."""

from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import cut, fitted, line, slack
from eyas.outputs.card import Output

# Limits of a message in blocks, https://docs.slack.dev/reference/block-kit/blocks
HEADER, SECTION, FIELD, FIELDS, BLOCKS = 150, 3000, 2000, 10, 50
NAME = 200


class Settings(chat.HookSettings):
    """Keys below `slack`."""

    channel: str = ""
    blocks: bool = False


def request(alert: Alert, settings: Settings) -> Request:
    """One message."""
    body = chat.message(alert, settings, slack)
    if settings.blocks:
        body["attachments"] = [_card(alert, settings)]
    if settings.channel:
        body["channel"] = settings.channel
    return post(settings.webhookurl, body)


def _card(alert: Alert, settings: Settings) -> dict[str, Any]:
    return {
        "color": f"#{chat.colour(alert)}",
        "fallback": fitted(event.output(alert), SECTION, slack),
        "blocks": _blocks(alert, settings)[:BLOCKS],
    }


def _blocks(alert: Alert, settings: Settings) -> list[dict[str, Any]]:
    title = cut(line(f"{event.priority(alert)}: {alert.rule}"), HEADER)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title}}]
    if chat.shows(settings, "text"):
        blocks.append({"type": "section", "text": _text(fitted(event.output(alert), SECTION, slack))})
    if chat.shows(settings, "fields"):
        fields = [
            _text(f"*{fitted(name, NAME, slack)}*\n{fitted(value, FIELD - NAME - 3, slack)}")
            for name, value in chat.facts(alert)
        ]
        blocks += [
            {"type": "section", "fields": fields[at : at + FIELDS]} for at in range(0, len(fields), FIELDS)
        ]
    if settings.footer:
        blocks.append({"type": "context", "elements": [_text(fitted(settings.footer, FIELD, slack))]})
    return blocks


def _text(text: str) -> dict[str, Any]:
    """Text in which an address or `@name` of an attacker is no link and no mention."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


OUTPUT = Output("slack", "Slack: a message through an incoming webhook", Settings, request)

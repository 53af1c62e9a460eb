"""Telegram: a message of a bot, in MarkdownV2."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, classify, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import address, join, post, reveal
from eyas.outputs.body.markup import fitted, telegram
from eyas.outputs.card import HttpSettings, Output

LONGEST = 4096  # https://core.telegram.org/bots/api#sendmessage


class Settings(HttpSettings):
    """Keys below `telegram`."""

    needs = ("token", "chatid")
    host: str = "api.telegram.org"
    token: SecretStr
    chatid: str
    messagethreadid: int = 0


def request(alert: Alert, settings: Settings) -> Request:
    """One message."""
    body: dict[str, Any] = {
        "text": _text(alert),
        "parse_mode": "MarkdownV2",
        "disable_web_page_preview": True,
        "chat_id": settings.chatid,
    }
    if settings.messagethreadid:
        body["message_thread_id"] = settings.messagethreadid
    return post(join(address(settings.host), f"bot{reveal(settings.token)}", "sendMessage"), body)


def _text(alert: Alert) -> str:
    """Head and output always, fields as far as they fit."""
    head = [
        rf"*\[Falco\] \[{telegram(event.priority(alert))}\] {_short(alert.rule)}*",
        "",
        f"• *Time*: {telegram(event.moment(alert))}",
        f"• *Source*: {_short(event.source(alert))}",
        f"• *Hostname*: {_short(alert.hostname)}",
        f"• *Tags*: {_short(' '.join(event.tags(alert)))}",
        "• *Fields*:",
    ]
    tail = ["", f"*Output*: {fitted(event.output(alert), 1600, telegram)}"]
    room = LONGEST - len("\n".join([*head, *tail])) - 1
    for name, value in event.texts(alert).items():
        entry = f"\t  • *{_short(name)}*: {_short(value)}"
        if (room := room - len(entry) - 1) < 0:
            break
        head.append(entry)
    return "\n".join([*head, *tail])


def _short(text: str) -> str:
    return fitted(text, 300, telegram)


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """How long to wait stands in the body, https://core.telegram.org/bots/api#responseparameters."""
    answer = classify(status, headers, body)
    if status != 429:
        return answer
    try:
        return retry(answer.reason, float(json.loads(body)["parameters"]["retry_after"]))
    except (ValueError, KeyError, TypeError):
        return answer


OUTPUT = Output("telegram", "Telegram: a message of a bot", Settings, request, judge=judge)

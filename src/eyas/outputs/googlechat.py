"""Google Chat: a card through a webhook of a space."""

from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import fitted, line, to_html
from eyas.outputs.card import ChatSettings, Output
from eyas.outputs.values import SecretUrl


class Settings(ChatSettings):
    """Keys below `googlechat`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl


def request(alert: Alert, settings: Settings) -> Request:
    """One message: the headline, and a card unless only text is asked for."""
    body: dict[str, Any] = {}
    text = chat.headline(alert, settings, _text)
    if settings.outputformat == "text":
        text = text or fitted(event.output(alert), chat.LONGEST, _text)
    else:
        widgets = [
            {"keyValue": {"topLabel": line(k), "content": fitted(v, 1000, to_html)}}
            for k, v in chat.facts(alert)
        ]
        body["cards"] = [{"sections": [{"widgets": widgets}]}]
    return post(settings.webhookurl, ({"text": text} if text else {}) | body)


def _text(value: object) -> str:
    """Text in which `<users/all>` mentions nobody; there is no escape, so the bracket is parted from the word."""
    return line(value).replace("<", "<\u200b")


OUTPUT = Output("googlechat", "Google Chat: a card through a webhook of a space", Settings, request)

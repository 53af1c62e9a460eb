"""Microsoft Teams: an adaptive card to a workflow, or the older message card to a connector."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from eyas.alert import Alert
from eyas.delivery import Answer, Request, classify, retry
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import post, reveal
from eyas.outputs.body.markup import fitted, line, markdown
from eyas.outputs.card import ChatSettings, Output
from eyas.outputs.values import LOWER, SecretUrl

FACT = 1000  # a message holds 28 KB
CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
# Colours that an adaptive card knows, by the meaning of the priority.
STYLES = {"warning": "warning", "notice": "good", "informational": "accent", "debug": "default"}


class Settings(ChatSettings):
    """Keys below `teams`."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl
    activityimage: str = ""
    # Connectors (`….webhook.office.com`) are retired; what is left of them takes message cards.
    card: Annotated[Literal["", "adaptive", "message"], LOWER] = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One card of the kind that the address takes."""
    host = urlsplit(reveal(settings.webhookurl)).hostname or ""
    old = settings.card == "message" or (not settings.card and host.endswith(".webhook.office.com"))
    return post(settings.webhookurl, message_card(alert, settings) if old else adaptive(alert, settings))


def message_card(alert: Alert, settings: Settings) -> dict[str, Any]:
    """A MessageCard, as connectors took it."""
    section: dict[str, Any] = {"activityTitle": "Eyas", "activitySubtitle": event.moment(alert)}
    if settings.activityimage:
        section["activityImage"] = settings.activityimage
    section["text"] = markdown(event.output(alert)) if chat.shows(settings, "text") else ""
    if facts := _facts(alert, settings):
        section["facts"] = [{"name": name, "value": value} for name, value in facts]
    return {
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "summary": line(event.output(alert)),
        "themeColor": chat.colour(alert),
        "sections": [section],
    }


def adaptive(alert: Alert, settings: Settings) -> dict[str, Any]:
    """An adaptive card in the envelope of a workflow."""
    title = markdown(f"{event.priority(alert)}: {alert.rule}")
    style = STYLES.get(alert.priority.lower(), "attention")
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": title,
            "weight": "Bolder",
            "size": "Medium",
            "color": style,
            "wrap": True,
        }
    ]
    headline = chat.headline(alert, settings, markdown)
    texts = [
        headline,
        fitted(event.output(alert), chat.LONGEST, markdown) if chat.shows(settings, "text") else "",
    ]
    body += [{"type": "TextBlock", "text": text, "wrap": True} for text in texts if text]
    if facts := _facts(alert, settings):
        body.append({"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in facts]})
    content = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": content}]}


def _facts(alert: Alert, settings: Settings) -> list[tuple[str, str]]:
    if not (chat.shows(settings, "facts") or chat.shows(settings, "fields")):
        return []
    return [(markdown(name), fitted(value, FACT, markdown)) for name, value in chat.facts(alert)]


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Connectors answer 200 with the failure in words, such as a limit of the rate."""
    if status == 200 and body.startswith(b"Webhook message delivery failed"):
        return retry(" ".join(body[:300].decode("utf-8", "replace").split()))
    return classify(status, headers, body)


OUTPUT = Output("teams", "Microsoft Teams: a card to a workflow or connector", Settings, request, judge=judge)

"""What chat receivers share: colours, the facts of an alert in order, and the card that Slack introduced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eyas.alert import Alert
from eyas.outputs.body import event
from eyas.outputs.body.headline import render
from eyas.outputs.body.markup import fitted
from eyas.outputs.card import ChatSettings
from eyas.outputs.values import SecretUrl

COLOURS = {
    "emergency": "e20b0b",
    "alert": "ff5400",
    "critical": "ff5400",
    "error": "e20b0b",
    "warning": "ffc700",
    "notice": "5bffb5",
    "informational": "68c2ff",
    "debug": "ccfff2",
}
SHORT = 36
LONGEST = 4000  # of one text; every receiver of this kind takes at least this much

Escape = Callable[[object], str]


class HookSettings(ChatSettings):
    """Settings of an incoming webhook as Slack, Rocket.Chat and Mattermost have it."""

    needs = ("webhookurl",)
    webhookurl: SecretUrl
    footer: str = "Eyas"
    icon: str = ""
    username: str = "Eyas"


def colour(alert: Alert) -> str:
    """Colour of a priority, six hexadecimal digits."""
    return COLOURS.get(alert.priority.lower(), COLOURS["emergency"])


def facts(alert: Alert) -> list[tuple[str, str]]:
    """Names and values of an alert, in the order in which people read them."""
    found = [("rule", alert.rule), ("priority", event.priority(alert)), ("source", event.source(alert))]
    if alert.hostname:
        found.append(("hostname", alert.hostname))
    found += [(key, value) for key, value in event.texts(alert).items() if value]
    if alert.tags:
        found.append(("tags", ", ".join(event.tags(alert))))
    found.append(("time", event.moment(alert)))
    return found


def headline(alert: Alert, settings: ChatSettings, escape: Escape) -> str:
    """The text of `messageformat`, empty without one."""
    return render(settings.messageformat, alert, escape) if settings.messageformat else ""


def shows(settings: ChatSettings, what: str) -> bool:
    """Whether `outputformat` asks for `text` or for `fields`."""
    return settings.outputformat.lower() in ("all", "", what)


def message(alert: Alert, settings: HookSettings, escape: Escape) -> dict[str, Any]:
    """A message with one attachment; empty keys are left out."""
    made = {
        "text": headline(alert, settings, escape),
        "username": settings.username,
        "icon_url": settings.icon,
        "attachments": [attachment(alert, settings, settings.footer, escape)],
    }
    return {key: value for key, value in made.items() if value}


def attachment(alert: Alert, settings: ChatSettings, footer: str, escape: Escape) -> dict[str, Any]:
    """An attachment as Slack, Rocket.Chat and Mattermost take it."""
    made: dict[str, Any] = {
        "fallback": fitted(event.output(alert), LONGEST, escape),
        "color": f"#{colour(alert)}",
    }
    if shows(settings, "text"):
        made["text"] = fitted(event.output(alert), LONGEST, escape)
    if shows(settings, "fields"):
        made["fields"] = [
            {"title": escape(name), "value": fitted(value, LONGEST, escape), "short": len(value) < SHORT}
            for name, value in facts(alert)
        ]
        made["footer"] = footer
    return {key: value for key, value in made.items() if value}

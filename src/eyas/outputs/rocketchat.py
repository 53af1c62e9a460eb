"""Rocket.Chat: a message through an incoming webhook, in the shape that Slack introduced."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import chat
from eyas.outputs.body.http import post
from eyas.outputs.body.markup import markdown
from eyas.outputs.card import Output


class Settings(chat.HookSettings):
    """Keys below `rocketchat`."""


def request(alert: Alert, settings: Settings) -> Request:
    """One message."""
    return post(settings.webhookurl, chat.message(alert, settings, markdown))


OUTPUT = Output("rocketchat", "Rocket.Chat: a message through an incoming webhook", Settings, request)

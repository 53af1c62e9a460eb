"""Slack: messages and files as they are shared, and what the audit log of an Enterprise organisation says.

https://docs.slack.dev/reference/events and https://docs.slack.dev/admins/audit-logs-api name the keys.
"""

from __future__ import annotations

from eyas.sources.card import (
    Derived,
    Field,
    Source,
    Time,
    concat,
    first,
    has,
    one_of,
    starts_with,
    text,
    when,
)

_FILE = ("/event/files/*", "/event/file")


def _channel_kind() -> Derived:
    """The kind as told, else as the first letter of the id says."""
    channel = first("/event/channel", "/event/channel_id", "/event/item/channel")
    by_letter = when(
        starts_with(channel, text("D")), text("im"), when(starts_with(channel, text("C")), text("channel"))
    )
    return first("/event/channel_type", "/entity/channel/privacy", by_letter)


def _of_file(key: str) -> tuple[str, ...]:
    return tuple(f"{at}/{key}" for at in _FILE)


def _files(name: str, key: str, about: str) -> Field:
    return Field(name, "text", (*_of_file(key), f"/entity/file/{key}"), about, list=True, arg="index")


FIELDS = (
    Field("slack.type", "text", ("/event/type", "/action"), "Kind of event, such as message or file_shared."),
    Field("slack.subtype", "text", "/event/subtype", "Kind of message, such as file_share or bot_message."),
    Field("slack.team", "text", ("/team_id", "/context/location/id"), "Workspace."),
    Field(
        "slack.user",
        "text",
        ("/event/user", "/event/user_id", "/actor/user/email", "/actor/user/id"),
        "Who did it.",
    ),
    Field("slack.user.name", "text", "/actor/user/name", "Name of who did it."),
    Field("slack.bot", "text", "/event/bot_id", "Bot that did it."),
    Field(
        "slack.channel",
        "text",
        ("/event/channel", "/event/channel_id", "/event/item/channel", "/entity/channel/id"),
        "Channel.",
    ),
    Field(
        "slack.channel.name", "text", ("/eyas/channel/name", "/entity/channel/name"), "Name of the channel."
    ),
    Field("slack.channel.kind", "text", _channel_kind(), "Kind of channel: channel, group, im, mpim."),
    Field(
        "slack.channel.shared",
        "text",
        when(
            one_of(
                first("/is_ext_shared_channel", "/eyas/channel/is_ext_shared", "/entity/channel/is_shared"),
                "true",
            ),
            text("true"),
            text("false"),
        ),
        "Whether others than the organisation read the channel: true, false.",
    ),
    Field("slack.text", "text", "/event/text", "Text of the message."),
    Field("slack.time", "text", ("/event/ts", "/event/event_ts", "/date_create"), "Time as Slack writes it."),
    _files("slack.file.id", "id", "Ids of the files."),
    _files("slack.file.name", "name", "Names of the files."),
    _files("slack.file.title", "title", "Titles of the files."),
    _files("slack.file.type", "filetype", "Kinds of the files, such as pdf or pem."),
    _files("slack.file.mimetype", "mimetype", "Media types of the files."),
    _files("slack.file.size", "size", "Sizes of the files in bytes."),
    _files("slack.file.public", "public_url_shared", "Whether the files have a public link: true, false."),
    _files("slack.file.external", "is_external", "Whether the files are stored elsewhere: true, false."),
    Field(
        "slack.secrets",
        "text",
        "/eyas/secrets/*/kind",
        "Kinds of secrets found in the message or its files.",
        list=True,
        arg="index",
    ),
    Field(
        "slack.has_secrets",
        "text",
        when(has("/eyas/secrets/0"), text("true"), text("false")),
        "Whether secrets were found: true, false.",
    ),
    Field(
        "slack.secrets.shown",
        "text",
        "/eyas/secrets/*/shown",
        "The secrets, all but a few letters hidden.",
        list=True,
    ),
    Field("slack.action", "text", "/action", "Action of the audit log, such as file_downloaded."),
    Field("slack.actor.type", "text", "/actor/type", "Kind of actor in the audit log."),
    Field("slack.entity.type", "text", "/entity/type", "Kind of thing in the audit log."),
    Field(
        "slack.entity.name",
        "text",
        (
            "/entity/user/email",
            "/entity/app/name",
            "/entity/channel/name",
            "/entity/workspace/name",
            "/entity/file/name",
        ),
        "Name of the thing in the audit log.",
    ),
    Field("slack.ip", "text", "/context/ip_address", "Address, in the audit log."),
    Field("slack.useragent", "text", "/context/ua", "Program, in the audit log."),
    Field("slack.details", "text", "/details", "Details of the audit log, as JSON."),
)

SOURCE = Source(
    "slack",
    "Slack events and audit log",
    FIELDS,
    Time(("/event_time", "/date_create"), "s"),
    lists=("entries",),
    identity="/eyas/id",
    info=concat(
        first("/event/user", "/actor/user/email", text("?")), text(" "), first("/event/type", "/action")
    ),
    silent=86_400,
)

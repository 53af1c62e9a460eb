"""Slack: signed events, the files they name, secrets in texts and files, and the audit log of an organisation."""

from __future__ import annotations

import functools
import json
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from eyas.errors import RunError
from eyas.sources.reach import moment, secrets
from eyas.sources.reach.way import Way, mapped
from eyas.transports import exchange, http, poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link, Mark, Parcel
from eyas.transports.patience import patiently
from eyas.transports.secret import Secret
from eyas.transports.signature import Scheme

if TYPE_CHECKING:
    import httpx

API = "https://slack.com/api"
FILES = ("files.slack.com", "slack-files.com")
SCANNED = 1 << 20
# Seconds for what an event leaves out: those behind it wait meanwhile. Then it is judged as it is.
WITHIN = 20.0
# Seconds that an entry of the audit log may come late; what was seen already is known by its id.
LATE = 300.0


def greet(body: bytes) -> bytes | None:
    """Answer the challenge that Slack sends when its address is set up."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict) and document.get("type") == "url_verification":
        return json.dumps({"challenge": str(document.get("challenge", ""))}).encode()
    return None


# https://docs.slack.dev/authentication/verifying-requests-from-slack
SCHEME = Scheme("X-Slack-Signature", "v0=", "v0:{time}:{body}", "X-Slack-Request-Timestamp")
RECEPTION = http.Reception(SCHEME, greet=greet, sign_always=True, once=True)


@dataclass(frozen=True, kw_only=True)
class Events(http.Signed):
    """Where Slack posts to, and how to read what it leaves out."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:9767"
    path: Annotated[str, "Path that Slack posts to."] = "/slack"
    api_token: Annotated[
        Secret | None, "Bot token with files:read and channels:read, to look into files."
    ] = None
    api: Annotated[str, "Address of the interface."] = API


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Whose audit log."""

    token: Annotated[Secret, "Token with the right auditlogs:read."]
    api: Annotated[str, "Address of the interface."] = "https://api.slack.com"
    interval: Annotated[float, "Seconds between two questions."] = 30.0


def events(settings: Events, link: Link) -> Iterator[Parcel]:
    """Every event."""
    import httpx

    with httpx.Client(timeout=20, follow_redirects=False) as client:
        reader = Reader(client, settings, link)
        yield from mapped(http.parcels(settings, link, RECEPTION), reader.enriched, link)


class Reader:
    """Reads through Slack's interface what an event leaves out."""

    def __init__(self, client: httpx.Client, settings: Events, link: Link) -> None:
        self._client, self._settings, self._link = client, settings, link

    def enriched(self, parcel: Parcel) -> bytes | None:
        """An event as a record, with no secret whole in it; None for what is no event."""
        document = json.loads(parcel.body)
        if document.get("type") != "event_callback":
            return None
        event, ours = dict(document["event"]), {"id": document.get("event_id", "")}
        found = []
        try:
            found = self._look(event, ours)
        except (RunError, KeyError, TypeError, ValueError) as error:
            self._link.status.refuse(
                "contents not read", parcel.origin, f"{type(error).__name__}: {error}"[:300]
            )
        event, more = secrets.hidden(_plain(event))
        found += more
        ours |= {"secrets": [{"kind": one.kind, "shown": one.shown} for one in found]} if found else {}
        left = {key: value for key, value in document.items() if key not in ("token", "event")}
        return json.dumps({**left, "event": event, "eyas": ours}, separators=(",", ":")).encode()

    def _look(self, event: dict[str, Any], ours: dict[str, Any]) -> list[secrets.Secret]:
        token = self._settings.api_token
        if token is None:
            return []
        if event.get("type") in ("file_shared", "file_public", "file_created"):
            event["file"] = self._call("files.info", {"file": event["file_id"]}, token)["file"]
        channel = event.get("channel") or event.get("channel_id")
        if isinstance(channel, str) and channel[:1] in ("C", "G"):
            ours["channel"] = self._call("conversations.info", {"channel": channel}, token)["channel"]
        files = event.get("files") or ([event["file"]] if isinstance(event.get("file"), dict) else [])
        return [one for file in files for one in self._scanned(file, token)]

    def _call(self, method: str, query: dict[str, str], token: Secret) -> dict[str, Any]:
        url = f"{self._settings.api}/{method}?{urllib.parse.urlencode(query)}"
        answer: dict[str, Any] = json.loads(self._get(url, token))
        if not answer.get("ok"):
            raise RunError(f"slack: {method}: {answer.get('error')}")
        return answer

    def _scanned(self, file: dict[str, Any], token: Secret) -> list[secrets.Secret]:
        url, size = str(file.get("url_private", "")), int(file.get("size") or 0)
        text = (
            str(file.get("mimetype", "")).startswith(("text/", "application/json"))
            or file.get("mode") == "snippet"
        )
        if not text or not 0 < size <= SCANNED or not self._is_slack(url):
            return []
        return secrets.masked(self._get(url, token).decode("utf-8", "replace"))[1]

    def _is_slack(self, url: str) -> bool:
        """The token goes to Slack only."""
        host, own = urllib.parse.urlsplit(url).netloc, urllib.parse.urlsplit(self._settings.api).netloc
        return host in FILES or (host == own and host != "")

    def _get(self, url: str, token: Secret) -> bytes:
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        send = functools.partial(exchange.send, self._client, "GET", url, headers)
        return patiently(self._link, lambda: exchange.expected(send()), WITHIN).body


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """An event without what repeats its text."""
    return {key: value for key, value in event.items() if key not in ("blocks", "attachments")}


def _paging(settings: Audit) -> poll.Paging:
    headers = {"Authorization": f"Bearer {settings.token.reveal()}", "Accept": "application/json"}

    def address(query: dict[str, Any]) -> str:
        return f"{settings.api}/audit/v1/logs?{urllib.parse.urlencode({'limit': 1000, **query})}"

    def since(mark: Mark) -> int:
        return int(mark["since"]) if mark else int(moment.now().timestamp()) - 60

    def follow(page: Page) -> str | None:
        cursor = (json.loads(page.body).get("response_metadata") or {}).get("next_cursor")
        oldest = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query).get("oldest", ["0"])[0]
        return address({"oldest": oldest, "cursor": cursor}) if cursor else None

    def mark(page: Page, mark: Mark) -> Mark:
        """The newest come first: only when the last page is there, the next question begins later."""
        now = moment.now().timestamp()
        times = [at for at in map(_created, json.loads(page.body).get("entries", [])) if 0 < at <= now]
        newest = max([*times, (mark or {}).get("newest", since(mark))])
        return {"since": since(mark) if follow(page) else newest, "newest": newest}

    return poll.Paging(
        start=lambda mark: address({"oldest": max(0, since(mark) - int(LATE))}),
        follow=follow,
        mark=mark,
        headers=lambda: headers,
        interval=settings.interval,
    )


def audit(settings: Audit, link: Link) -> Iterator[Parcel]:
    """Every entry of the audit log."""
    return mapped(poll.parcels(_paging(settings), link), lambda parcel: from_audit(parcel.body), link)


def from_audit(body: bytes) -> bytes:
    """Entries as records, with their id where that of events is."""
    found = json.loads(body).get("entries", [])
    made = [{**one, "eyas": {"id": one.get("id", "")}} if isinstance(one, dict) else one for one in found]
    return json.dumps(made, separators=(",", ":")).encode()


def _created(entry: Any) -> int:
    """When an entry was made, in seconds; 0 where it does not say."""
    at = entry.get("date_create") if isinstance(entry, dict) else None
    return at if isinstance(at, int) else 0


WAYS = (
    Way(
        "http", "events that Slack posts", Events, events, functools.partial(http.probe, reception=RECEPTION)
    ),
    Way(
        "poll",
        "audit log of an Enterprise organisation",
        Audit,
        audit,
        lambda settings: poll.probe(_paging(settings)),
    ),
)

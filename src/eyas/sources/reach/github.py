"""GitHub: webhooks with signatures, the diff of a push, the file of a workflow, and the audit log of an organisation."""

from __future__ import annotations

import base64
import functools
import hmac
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from eyas.errors import RunError, UsageError
from eyas.sources.reach import diff, hooks, moment, secrets
from eyas.sources.reach.way import Way, mapped
from eyas.transports import exchange, http, poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link, Mark, Parcel
from eyas.transports.patience import patiently
from eyas.transports.secret import Secret
from eyas.transports.signature import Scheme

if TYPE_CHECKING:
    import httpx

API = "https://api.github.com"
LIMITS = ("x-ratelimit-remaining", "x-ratelimit-reset")
NOBODY = "0" * 40
# Seconds for what an event leaves out: those behind it wait meanwhile. Then it is judged as it is.
WITHIN = 20.0
# Seconds that an entry of the audit log may come late; what was seen already is known by its id.
LATE = 300.0
# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
RECEPTION = http.Reception(
    Scheme("X-Hub-Signature-256", "sha256="),
    sign_always=True,
    once=True,
    kept=("X-GitHub-Event", "X-GitHub-Delivery"),
)
MINERS = (
    "xmrig", "xmr-stak", "minerd", "cpuminer", "ccminer", "cgminer", "bfgminer", "ethminer", "nbminer", "t-rex",
    "lolminer", "phoenixminer", "nanominer", "gminer", "teamredminer", "srbminer", "wildrig", "stratum+tcp",
    "stratum+ssl", "stratum2+tcp", "cryptonight", "randomx", "nicehash", "minergate", "supportxmr", "moneroocean",
    "hashvault", "nanopool", "2miners", "coinhive", "monero",
)  # fmt: skip
_WORDS = re.compile("|".join(sorted(map(re.escape, MINERS), key=len, reverse=True)), re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Webhook(http.Signed):
    """Where GitHub posts to, and how to read what it leaves out."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:9766"
    path: Annotated[str, "Path that GitHub posts to."] = "/github"
    api_token: Annotated[
        Secret | None, "Token that reads contents, to look into pushes of private repositories."
    ] = None
    api: Annotated[str, "Address of the interface; another one for GitHub Enterprise Server."] = API
    repositories: Annotated[
        tuple[str, ...],
        "Repositories, OWNER/NAME, or organisations whose webhooks are made at the start; * is all that the token may.",
    ] = ()
    public_url: Annotated[str, "Address that GitHub posts to, for webhooks that are made."] = ""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Whose audit log."""

    organization: Annotated[str, "Name of the organisation."]
    token: Annotated[Secret, "Token with the right read:audit_log."]
    api: Annotated[str, "Address of the interface."] = API
    interval: Annotated[float, "Seconds between two questions."] = 30.0


def webhook(settings: Webhook, link: Link) -> Iterator[Parcel]:
    """Every delivery, with what was found in the push or the workflow."""
    import httpx

    with httpx.Client(timeout=30, follow_redirects=True) as client:
        settings = signed(settings)
        reader = Reader(client, settings, link)
        if settings.repositories:
            hooks.ensure(client, _target(settings), settings.repositories, link)
        yield from mapped(http.parcels(settings, link, RECEPTION), reader.enriched, link)


def signed(settings: Webhook) -> Webhook:
    """The same with a secret: where webhooks are made at the start, one that follows from the token will do."""
    if settings.secret is not None or settings.api_token is None or not settings.repositories:
        return settings
    derived = hmac.new(
        settings.api_token.reveal().encode(), settings.public_url.encode(), "sha256"
    ).hexdigest()
    return replace(settings, secret=Secret(derived, "api_token"))


def _target(settings: Webhook) -> hooks.Target:
    token, secret = settings.api_token, settings.secret
    if not settings.public_url or token is None or secret is None:
        raise UsageError("repositories need public_url and api_token", "or set the webhooks up by hand")
    return hooks.Target(settings.public_url, secret.reveal(), settings.api, token.reveal())


class Reader:
    """Reads through GitHub's interface what a webhook leaves out."""

    def __init__(self, client: httpx.Client, settings: Webhook, link: Link) -> None:
        self._client, self._settings, self._link = client, settings, link

    def enriched(self, parcel: Parcel) -> bytes:
        """A delivery as a record."""
        event = json.loads(parcel.body)
        kind = parcel.headers.get("x-github-event", "")
        ours = {"time": moment.written(moment.now()), "id": parcel.headers.get("x-github-delivery", "")}
        record: dict[str, Any] = secrets.hidden({"webhook_type": kind, **event, "eyas": ours})[0]
        try:
            if kind == "push" and not event.get("deleted"):
                record["files"] = self._secrets(event)
            if kind == "workflow_run" and event.get("action") == "requested":
                record["workflow_miner_detections"] = {"matches": self._miners(event)}
        except (RunError, KeyError, TypeError, ValueError) as error:
            self._link.status.refuse(
                "contents not read", parcel.origin, f"{type(error).__name__}: {error}"[:300]
            )
        return json.dumps(record, separators=(",", ":")).encode()

    def _secrets(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        repository, after = event["repository"], event["after"]
        before = event["before"] if event["before"] != NOBODY else repository.get("default_branch", "main")
        path = f"/repos/{_name(repository)}/compare/{_quoted(before)}...{_quoted(after)}"
        if event["before"] == NOBODY and event.get("ref") == f"refs/heads/{repository.get('default_branch')}":
            path = f"/repos/{_name(repository)}/commits/{_quoted(after)}"
        text = self._get(path, "application/vnd.github.diff").decode("utf-8", "replace")
        return diff.findings(text)

    def _miners(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        run, workflow = event["workflow_run"], event["workflow"]
        file = urllib.parse.quote(str(workflow["path"]))
        path = f"/repos/{_name(event['repository'])}/contents/{file}?ref={_quoted(run['head_sha'])}"
        text = base64.b64decode(json.loads(self._get(path, "application/vnd.github+json"))["content"])
        lines = text.decode("utf-8", "replace").split("\n")
        return [
            {"type": word[0].lower(), "line": number}
            for number, line in enumerate(lines, 1)
            for word in _WORDS.finditer(line[:10_000])
        ]

    def _get(self, path: str, kind: str) -> bytes:
        token = self._settings.api_token
        headers = _headers(token.reveal() if token else "", kind)
        send = functools.partial(exchange.send, self._client, "GET", self._settings.api + path, headers)
        return patiently(self._link, lambda: exchange.expected(send(), LIMITS), WITHIN).body


def _name(repository: Mapping[str, Any]) -> str:
    owner, _, name = str(repository["full_name"]).partition("/")
    return f"{_quoted(owner)}/{_quoted(name)}"


def _quoted(text: Any) -> str:
    return urllib.parse.quote(str(text), safe="")


def _headers(token: str, kind: str) -> dict[str, str]:
    headers = {"Accept": kind, "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "eyas"}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _paging(settings: Audit) -> poll.Paging:
    query = {"include": "all", "order": "asc", "per_page": "100"}

    def start(mark: Mark) -> str:
        since = moment.before(mark or moment.ago(60), LATE)
        phrase = {"phrase": f"created:>={since[:19]}Z"}
        organization = _quoted(settings.organization)
        return f"{settings.api}/orgs/{organization}/audit-log?{urllib.parse.urlencode({**query, **phrase})}"

    return poll.Paging(
        start=start,
        follow=poll.link_header,
        mark=_newest,
        headers=lambda: _headers(settings.token.reveal(), "application/json"),
        interval=settings.interval,
        limits=LIMITS,
    )


def _newest(page: Page, mark: Mark) -> Mark:
    begin = mark or moment.ago(60)  # at the first start: what happens while Eyas is down then belongs to it
    return moment.newest(begin, map(_when, json.loads(page.body)))


def _when(entry: Any) -> str | None:
    return moment.of_milliseconds(entry.get("@timestamp")) if isinstance(entry, dict) else None


def audit(settings: Audit, link: Link) -> Iterator[Parcel]:
    """Every entry of the audit log."""
    return mapped(poll.parcels(_paging(settings), link), lambda parcel: from_audit(parcel.body), link)


def from_audit(body: bytes) -> bytes:
    """Entries as records, with their time and id where those of webhooks are."""
    return json.dumps([_entry(entry) for entry in json.loads(body)], separators=(",", ":")).encode()


def _entry(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry  # whoever judges says what is wrong with it
    ours = {"time": _when(entry), "id": entry.get("_document_id", "")}
    return {"webhook_type": "audit_log", **entry, "eyas": ours}


WAYS = (
    Way(
        "http",
        "webhook of repositories or of an organisation",
        Webhook,
        webhook,
        lambda settings: http.probe(signed(settings), RECEPTION),
    ),
    Way("poll", "audit log of an organisation", Audit, audit, lambda settings: poll.probe(_paging(settings))),
)

"""Webhooks at GitHub, made where they are missing; https://docs.github.com/rest/repos/webhooks."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eyas.errors import PassingError, RunError, UsageError
from eyas.transports import exchange, poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link

if TYPE_CHECKING:
    import httpx

# What the rules of the source look at.
EVENTS = (
    "push", "repository", "member", "deploy_key", "workflow_run", "meta", "public", "branch_protection_rule",
    "secret_scanning_alert",
)  # fmt: skip
# Every repository whose webhooks the token may make.
EVERY = "*"
OF_ORGANISATIONS = ("organization", "org_block", "team")
LIMITS = ("x-ratelimit-remaining", "x-ratelimit-reset")
FAULTS = (PassingError, RunError, ValueError, AttributeError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Target:
    """Where deliveries go and what they are signed with; the interface of GitHub with a token for it."""

    url: str
    secret: str
    api: str
    token: str


def ensure(client: httpx.Client, target: Target, places: Iterable[str], link: Link) -> None:
    """Make the webhooks that are not there, and give the others the secret of today.

    One that cannot be made is told, and the others are looked after.
    """
    for place in places:
        try:
            for one in _administered(client, target) if place == EVERY else (place,):
                _ensured(client, target, one)
        except FAULTS as error:
            link.status.refuse("webhook not made", place, str(error))


def _ensured(client: httpx.Client, target: Target, place: str) -> None:
    url = f"{target.api}/{path(place)}/hooks"
    known = json.loads(_call(client, target, "GET", f"{url}?per_page=100"))
    found = next((one for one in known if _address(one) == target.url), None)
    if found is None:
        _call(client, target, "POST", url, hook(place, target))
    else:
        _call(client, target, "PATCH", f"{url}/{found['id']}/config", _config(target))


def _administered(client: httpx.Client, target: Target) -> Iterator[str]:
    """Repositories whose webhooks the token may make."""
    url: str | None = f"{target.api}/user/repos?per_page=100"
    while url is not None:
        page = _page(client, target, "GET", url)
        yield from (one["full_name"] for one in json.loads(page.body) if one["permissions"]["admin"])
        url = poll.same_service(poll.link_header(page), url)


def path(place: str) -> str:
    """Path of a repository or an organisation in the interface."""
    parts = [urllib.parse.quote(part, safe="") for part in place.split("/")]
    if len(parts) > 2 or not all(parts):
        raise UsageError(f"repositories: '{place}' is neither OWNER/NAME nor an organisation")
    return "/".join(("repos" if len(parts) == 2 else "orgs", *parts))


def hook(place: str, target: Target) -> dict[str, Any]:
    """A webhook as GitHub wants it."""
    events = EVENTS if "/" in place else (*EVENTS, *OF_ORGANISATIONS)
    return {"name": "web", "active": True, "events": list(events), "config": _config(target)}


def _config(target: Target) -> dict[str, str]:
    return {"url": target.url, "content_type": "json", "secret": target.secret, "insecure_ssl": "0"}


def _address(known: dict[str, Any]) -> Any:
    return (known.get("config") or {}).get("url")


def _call(
    client: httpx.Client, target: Target, method: str, url: str, body: dict[str, Any] | None = None
) -> bytes:
    return _page(client, target, method, url, body).body


def _page(
    client: httpx.Client, target: Target, method: str, url: str, body: dict[str, Any] | None = None
) -> Page:
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "eyas",
        "Authorization": f"Bearer {target.token}",
    }
    content = json.dumps(body).encode() if body is not None else None
    return exchange.expected(exchange.send(client, method, url, headers, content), LIMITS)

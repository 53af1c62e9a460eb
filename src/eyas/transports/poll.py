"""Asking a service again and again: its own links from page to page, its rate limits, its tokens."""

from __future__ import annotations

import contextlib
import email.utils
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eyas.errors import PassingError, RunError
from eyas.transports.parcel import Link, Mark, Parcel
from eyas.transports.patience import patiently

if TYPE_CHECKING:
    import httpx

MAX_BODY = 64 << 20
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a service."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service is asked.

    `start` gives the first address, from the mark of the last run. `follow` gives the next page's address, None at the
    end: then `start` is asked again later, with the newest mark. `mark` says where to go on after a page.
    """

    start: Callable[[Mark], str]
    follow: Callable[[Page], str | None]
    mark: Callable[[Page, Mark], Mark]
    headers: Callable[[], Mapping[str, str]]
    renew: Callable[[], None] | None = None
    interval: float = 10.0
    timeout: float = 30.0
    limits: tuple[str, str] = ("x-rate-limit-remaining", "x-rate-limit-reset")
    verify: Any = field(default=True)


def parcels(paging: Paging, link: Link) -> Iterator[Parcel]:
    """Ask until stopped; every page becomes a parcel."""
    import httpx

    mark = link.mark
    with httpx.Client(timeout=paging.timeout, follow_redirects=False, verify=paging.verify) as client:
        url: str | None = None
        while not link.stop.is_set():
            asked = url or paging.start(mark)
            link.status.where = asked.partition("?")[0]
            page = patiently(link, lambda asked=asked: ask(client, asked, paging))  # type: ignore[misc]
            mark = paging.mark(page, mark)
            yield Parcel(page.body, asked, mark=mark, headers=page.headers)
            url = _same_service(paging.follow(page), asked)
            link.status.turn("running")
            if not _may_go_on(page, url, asked, paging, link):
                return


def _may_go_on(page: Page, url: str | None, asked: str, paging: Paging, link: Link) -> bool:
    """Wait between pages as long as the service asks; false when it is time to stop."""
    pause = spent(page, paging)
    if pause:
        link.status.turn("waiting", f"the rate limit is spent for {pause:.0f} s")
    elif url is None or _is_empty(page):
        pause = paging.interval
    return not (pause and link.wait(pause))


def _same_service(url: str | None, asked: str) -> str | None:
    """Refuse a link that would carry the token elsewhere."""
    import httpx

    if url is not None and httpx.URL(url).netloc != httpx.URL(asked).netloc:
        raise RunError(f"{asked.partition('?')[0]}: the next page is at another host, {httpx.URL(url).host}")
    return url


def _is_empty(page: Page) -> bool:
    return len(page.body) < 16 and page.body.strip() in (b"[]", b"{}", b"")


def probe(paging: Paging) -> str:
    """Ask once."""
    import httpx

    with httpx.Client(timeout=paging.timeout, follow_redirects=False, verify=paging.verify) as client:
        page = ask(client, paging.start(None), paging)
    return f"{page.url.partition('?')[0]} answered {page.status} with {len(page.body)} bytes"


def ask(client: httpx.Client, url: str, paging: Paging) -> Page:
    """One request; a token that the service no longer takes is renewed once."""
    page = _fetch(client, url, paging)
    if page.status == 401 and paging.renew is not None:
        paging.renew()
        page = _fetch(client, url, paging)
    if page.status == 200:
        return page
    what = f"{url.partition('?')[0]} answered {page.status}"
    if page.status in PASSING or (page.status == 403 and _is_limit(page, paging)):
        raise PassingError(what, after(page, paging))
    raise RunError(f"{what}: {_excerpt(page.body)}", _HINTS.get(page.status, ""))


_HINTS = {
    401: "the token is wrong or has expired",
    403: "the token lacks a permission; see `eyas sources policy`",
    404: "check the address and the name of the organisation",
}


def _fetch(client: httpx.Client, url: str, paging: Paging) -> Page:
    import httpx

    try:
        with client.stream("GET", url, headers=dict(paging.headers())) as response:
            body = _bounded(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Page(url, response.status_code, headers, body)
    except httpx.InvalidURL as error:
        raise RunError(f"{url}: {error}") from None
    except httpx.HTTPError as error:
        raise PassingError(f"{url.partition('?')[0]}: {str(error) or type(error).__name__}") from None


def _bounded(response: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise RunError(f"{response.url.copy_with(query=None)}: the answer is over {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _excerpt(body: bytes) -> str:
    text = body[:200].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "no body"


def after(page: Page, paging: Paging) -> float | None:
    """Seconds to wait as the service asks: `Retry-After`, or when its limit is reset."""
    given = page.headers.get("retry-after", "")
    if given.isdecimal():
        return float(given)
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    return spent(page, paging) or None


def _is_limit(page: Page, paging: Paging) -> bool:
    return "retry-after" in page.headers or page.headers.get(paging.limits[0]) == "0"


def spent(page: Page, paging: Paging) -> float:
    """Seconds until the rate limit is reset, when nothing is left of it."""
    remaining, reset = (page.headers.get(name, "") for name in paging.limits)
    if remaining != "0" or not reset.isdecimal():
        return 0.0
    return max(1.0, float(reset) - time.time())


def link_header(page: Page) -> str | None:
    """Address of the next page in the `Link` header (RFC 8288)."""
    found = _NEXT.search(page.headers.get("link", ""))
    return found[1] if found else None

"""Asking a service again and again: its own links from page to page, its rate limits, its tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eyas.errors import PassingError, RunError
from eyas.transports import exchange
from eyas.transports.exchange import LIMITS, Page
from eyas.transports.parcel import Link, Mark, Parcel
from eyas.transports.patience import patiently

if TYPE_CHECKING:
    import httpx

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')


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
    limits: tuple[str, str] = LIMITS
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
            mark, follow = _understood(page, mark, paging)
            yield Parcel(page.body, asked, mark=mark, headers=page.headers)
            url = same_service(follow, asked)
            link.status.turn("running")
            if not _may_go_on(page, url, asked, paging, link):
                return


def _understood(page: Page, mark: Mark, paging: Paging) -> tuple[Mark, str | None]:
    """Where to go on after a page, and its next one. What is no page, such as the words of a proxy, is asked again."""
    try:
        return paging.mark(page, mark), paging.follow(page)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        where, what = page.url.partition("?")[0], f"{type(error).__name__}: {error}"[:200]
        raise PassingError(f"{where} answered with no page of the service: {what}") from None


def _may_go_on(page: Page, url: str | None, asked: str, paging: Paging, link: Link) -> bool:
    """Wait between pages as long as the service asks; false when it is time to stop."""
    pause = exchange.spent(page, paging.limits)
    if pause:
        link.status.turn("waiting", f"the rate limit is spent for {pause:.0f} s")
    elif url is None or _is_empty(page):
        pause = paging.interval
    return not (pause and link.wait(pause))


def same_service(url: str | None, asked: str) -> str | None:
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
    page = exchange.send(client, "GET", url, paging.headers())
    if page.status == 401 and paging.renew is not None:
        paging.renew()
        page = exchange.send(client, "GET", url, paging.headers())
    return exchange.expected(page, paging.limits)


def link_header(page: Page) -> str | None:
    """Address of the next page in the `Link` header (RFC 8288)."""
    found = _NEXT.search(page.headers.get("link", ""))
    return found[1] if found else None

"""Okta: the System Log, page by page along the service's own links, with counts of failures kept between pages."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from eyas.errors import UsageError
from eyas.sources import okta
from eyas.sources.reach import moment
from eyas.sources.reach.way import Way
from eyas.transports import poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link, Mark, Outcome, Parcel
from eyas.transports.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which organisation."""

    domain: Annotated[str, "Domain of the organisation, such as example.okta.com."]
    token: Annotated[Secret, "API token of a read-only administrator."]
    since: Annotated[float, "Seconds to look back at the first start."] = 30.0
    limit: Annotated[int, "Events a page, 1000 at most."] = 1000
    interval: Annotated[float, "Seconds between two questions."] = 10.0


def _paging(settings: Settings) -> poll.Paging:
    base = settings.domain if "://" in settings.domain else f"https://{settings.domain}"
    if not base.startswith("https://") and not base.startswith("http://127.0.0.1:"):
        raise UsageError(f"domain is '{settings.domain}', expected a name or an https address")
    headers = {"Authorization": f"SSWS {settings.token.reveal()}", "Accept": "application/json"}

    def start(mark: Mark) -> str:
        if mark:
            return str(mark)
        query = {"since": moment.ago(settings.since), "limit": settings.limit, "sortOrder": "ASCENDING"}
        return f"{base}/api/v1/logs?{urllib.parse.urlencode(query)}"

    return poll.Paging(
        start=start,
        follow=poll.link_header,
        mark=_next,
        headers=lambda: headers,
        interval=settings.interval,
    )


def _next(page: Page, mark: Mark) -> Mark:
    if not page.body.lstrip().startswith(b"["):
        raise ValueError("no list of events")
    return poll.link_header(page) or mark


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every page of events, each event told how often what it reports has happened lately."""
    left: dict[str, Any] = link.mark or {"next": None, "failures": {}}
    memory = okta.Memory.of(left["failures"])
    organisation = settings.domain.partition("://")[2] or settings.domain
    link.mark = left["next"]
    for parcel in poll.parcels(_paging(settings), link):
        try:
            body = okta.counted(parcel.body, memory, organisation.partition(".")[0], time.time_ns())
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            link.status.refuse("not understood", parcel.origin, str(error)[:300])
            parcel.settle(Outcome.REFUSED)
            continue
        yield replace(parcel, body=body, mark={"next": parcel.mark, "failures": memory.state()})


def probe(settings: Settings) -> str:
    """Ask for the newest events."""
    return poll.probe(_paging(settings))


WAYS = (Way("poll", "System Log of the Okta interface", Settings, parcels, probe),)

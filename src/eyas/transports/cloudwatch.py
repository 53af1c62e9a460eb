"""A log group of CloudWatch Logs, read by time with a look back for what arrives late."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from eyas.transports import aws
from eyas.transports.parcel import Link, Parcel
from eyas.transports.patience import patiently


@dataclass(frozen=True, kw_only=True)
class Settings(aws.Account):
    """Which log group."""

    group: Annotated[str, "Name of the log group."]
    streams: Annotated[str, "Beginning of the names of its streams."] = ""
    pattern: Annotated[str, "Filter pattern of CloudWatch Logs."] = ""
    late: Annotated[float, "Seconds that an event may come late."] = 120.0
    interval: Annotated[float, "Seconds between two looks."] = 5.0


def probe(settings: Settings) -> str:
    """Ask for one event."""
    logs = aws.client("logs", settings)
    aws.call(logs.filter_log_events, **_query(settings, int(time.time() * 1000) - 60_000), limit=1)
    return f"log group {settings.group} is readable"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every event that was not seen yet; one page of events is one parcel, one event a line."""
    logs = aws.client("logs", settings)
    link.status.where = settings.group
    if link.mark is None:
        link.mark = {"newest": int(time.time() * 1000), "ids": []}
        link.begin(link.mark)
    mark: dict[str, Any] = link.mark
    while True:
        known = {str(one): int(at) for one, at in mark["ids"]}
        start = int(mark["newest"]) - int(settings.late * 1000)
        for events in _pages(logs, settings, link, start):
            fresh = [event for event in events if event["eventId"] not in known]
            if not fresh:
                continue
            known |= {event["eventId"]: int(event["timestamp"]) for event in fresh}
            newest = max(int(mark["newest"]), _passed(known.values()))
            floor = newest - int(settings.late * 1000)
            mark = {"newest": newest, "ids": [(one, at) for one, at in known.items() if at >= floor]}
            body = b"\n".join(event["message"].encode("utf-8", "replace") for event in fresh)
            stream = fresh[0].get("logStreamName", "")
            yield Parcel(body, f"{settings.group}/{stream}@{fresh[0]['timestamp']}", mark=mark)
        link.status.turn("running")
        if link.wait(settings.interval):
            return


def _passed(times: Iterable[int]) -> int:
    """The latest time that is not still to come: a group takes events of the next two hours, and others come before."""
    now = int(time.time() * 1000)
    return max((at for at in times if at <= now), default=0)


def _pages(logs: Any, settings: Settings, link: Link, start: int) -> Iterator[list[dict[str, Any]]]:
    query = _query(settings, start)
    while True:
        answer = patiently(link, lambda: aws.call(logs.filter_log_events, **query))
        yield answer.get("events", [])
        token = answer.get("nextToken")
        if not token or token == query.get("nextToken") or link.stop.is_set():
            return
        query["nextToken"] = token


def _query(settings: Settings, start: int) -> dict[str, Any]:
    query: dict[str, Any] = {"logGroupName": settings.group, "startTime": max(0, start)}
    if settings.streams:
        query["logStreamNamePrefix"] = settings.streams
    if settings.pattern:
        query["filterPattern"] = settings.pattern
    return query

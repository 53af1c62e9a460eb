"""Objects of an S3 bucket: listed folder by folder, each read once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from eyas.errors import RunError
from eyas.transports import aws
from eyas.transports.parcel import Link, Parcel
from eyas.transports.patience import patiently
from eyas.transports.unpack import TooLargeError, opened

MAX_BODY = 256 << 20
AHEAD = 8


@dataclass(frozen=True, kw_only=True)
class Settings(aws.Account):
    """Which objects."""

    bucket: Annotated[str, "Name of the bucket."]
    prefix: Annotated[str, "Beginning of the keys."] = ""
    since: Annotated[str, "Only objects from this day on, such as 2026-01-31."] = ""
    follow: Annotated[bool, "Look again for new objects."] = True
    interval: Annotated[float, "Seconds between two looks."] = 60.0


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a bucket."""

    bucket: str
    key: str
    etag: str = ""

    @property
    def origin(self) -> str:
        """Address for people."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def identity(self) -> str:
        """Changes when the object is written anew."""
        return f"{self.origin}#{self.etag}"


def probe(settings: Settings) -> str:
    """List one object."""
    s3 = aws.client("s3", settings)
    answer = aws.call(s3.list_objects_v2, Bucket=settings.bucket, Prefix=settings.prefix, MaxKeys=1)
    return f"s3://{settings.bucket}/{settings.prefix} is readable, {answer.get('KeyCount', 0)} objects seen"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every object that is new; several are fetched ahead, and they come in order."""
    s3 = aws.client("s3", settings)
    link.status.where = f"s3://{settings.bucket}/{settings.prefix}"
    days: dict[str, str] = dict(link.mark or {})
    with ThreadPoolExecutor(AHEAD, "s3") as pool:
        while True:
            walk = Walk(s3, settings, link, days)
            for thing, fetched in ahead(
                pool, lambda thing: fetch(s3, thing, link), walk.folder(settings.prefix)
            ):
                days |= _day(thing.key)
                body = fetched.result()
                if body is not None:
                    yield Parcel(body, thing.origin, mark=dict(days), key=thing.identity)
            link.status.turn("running")
            if not settings.follow or link.wait(settings.interval):
                return


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[Thing], bytes | None], things: Iterator[Thing]
) -> Iterator[tuple[Thing, Future[bytes | None]]]:
    """Start the work on a few things before the first is asked for; give them in order."""
    waiting: deque[tuple[Thing, Future[bytes | None]]] = deque()
    for thing in things:
        waiting.append((thing, pool.submit(work, thing)))
        if len(waiting) >= AHEAD:
            yield waiting.popleft()
    yield from waiting


def fetch(s3: Any, thing: Thing, link: Link) -> bytes | None:
    """Contents of an object, unpacked; None when it is refused."""

    def read() -> bytes:
        answer = aws.call(s3.get_object, Bucket=thing.bucket, Key=thing.key)
        return bytes(aws.call(answer["Body"].read, amt=MAX_BODY + 1))

    try:
        return opened(patiently(link, read), MAX_BODY)
    except TooLargeError as error:
        link.status.refuse("too large", thing.origin, str(error))
    except (RunError, ValueError) as error:
        link.status.refuse("unreadable", thing.origin, str(error))
    return None


@dataclass(slots=True)
class Walk:
    """Goes through folders of a bucket. Below a folder that is named by dates, days that are done are left out."""

    s3: Any
    settings: Settings
    link: Link
    days: dict[str, str]

    def folder(self, prefix: str) -> Iterator[Thing]:
        """New objects below a prefix, in the order of their keys."""
        again: dict[str, str] = {}
        while True:
            query = {"Bucket": self.settings.bucket, "Prefix": prefix, "Delimiter": "/", **again}
            answer = patiently(self.link, lambda query=query: aws.call(self.s3.list_objects_v2, **query))  # type: ignore[misc]
            for item in answer.get("Contents", ()):
                yield from self._thing(item)
            for below in answer.get("CommonPrefixes", ()):
                if self._may_hold_news(below["Prefix"]):
                    yield from self.folder(below["Prefix"])
            if not answer.get("IsTruncated"):
                return
            again = {"ContinuationToken": answer["NextContinuationToken"]}

    def _thing(self, item: dict[str, Any]) -> Iterator[Thing]:
        thing = Thing(self.settings.bucket, item["Key"], item["ETag"].strip('"'))
        recent = item["LastModified"].strftime("%Y-%m-%d") >= self.settings.since
        if recent and not thing.key.endswith("/") and not self.link.seen(thing.identity):
            yield thing

    def _may_hold_news(self, prefix: str) -> bool:
        dated = _DATED.match(prefix)
        if dated is None:
            return True
        floor = max(_day_before(self.days.get(dated["above"], "")), self.settings.since.replace("-", "/"))
        return dated["date"] >= floor[: len(dated["date"])]


_DATED = re.compile(r"(?P<above>.*/|)(?P<date>\d{4}(?:/\d\d){0,2})/")


def _day(key: str) -> dict[str, str]:
    """The day folder of a key, by the folder above it."""
    found = re.match(r"(.*/|)(\d{4}/\d\d/\d\d)/", key)
    return {found[1]: found[2]} if found else {}


def _day_before(day: str) -> str:
    """Files may come late: the day before the newest is looked at too."""
    if not day:
        return ""
    try:
        return (datetime.strptime(day, "%Y/%m/%d") - timedelta(days=1)).strftime("%Y/%m/%d")
    except ValueError:
        return ""

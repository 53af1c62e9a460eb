"""One HTTP request to a service: a bounded answer, and failures sorted by whether they pass."""

from __future__ import annotations

import contextlib
import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyas.errors import PassingError, RunError

if TYPE_CHECKING:
    import httpx

MAX_BODY = 64 << 20
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
# Headers that say how many requests are left, and when (seconds since the epoch) there are more.
LIMITS = ("x-rate-limit-remaining", "x-rate-limit-reset")
_HINTS = {
    401: "the token is wrong or has expired",
    403: "the token lacks a permission; see `eyas sources policy`",
    404: "check the address and the names in it",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a service. Header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def send(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> Page:
    """Send a request; an answer with any status is given back."""
    import httpx

    try:
        with client.stream(method, url, headers=dict(headers), content=body) as response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return Page(url, response.status_code, named, _bounded(response))
    except httpx.InvalidURL as error:
        raise RunError(f"{url}: {error}") from None
    except httpx.HTTPError as error:
        raise PassingError(f"{_place(url)}: {str(error) or type(error).__name__}") from None


def expected(page: Page, limits: tuple[str, str] = LIMITS) -> Page:
    """The page itself when its status is 200 to 299; otherwise the failure that it stands for."""
    if 200 <= page.status < 300:
        return page
    what = f"{_place(page.url)} answered {page.status}"
    limited = "retry-after" in page.headers or page.headers.get(limits[0]) == "0"
    if page.status in PASSING or (page.status == 403 and limited):
        raise PassingError(what, after(page, limits))
    raise RunError(f"{what}: {_excerpt(page.body)}", _HINTS.get(page.status, ""))


def after(page: Page, limits: tuple[str, str] = LIMITS) -> float | None:
    """Seconds to wait as the service asks: `Retry-After`, or when its limit is reset."""
    given = page.headers.get("retry-after", "")
    if given.isdecimal():
        return float(given)
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    return spent(page, limits) or None


def spent(page: Page, limits: tuple[str, str] = LIMITS) -> float:
    """Seconds until the rate limit is reset, when nothing is left of it."""
    remaining, reset = (page.headers.get(name, "") for name in limits)
    if remaining != "0" or not reset.isdecimal():
        return 0.0
    return max(1.0, float(reset) - time.time())


def _bounded(response: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise RunError(f"{_place(str(response.url))}: the answer is over {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _place(url: str) -> str:
    return url.partition("?")[0]


def _excerpt(body: bytes) -> str:
    text = body[:200].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "no body"

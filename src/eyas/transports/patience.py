"""Retrying: failures that pass are waited out, longer each time, or as long as the service asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

from eyas.errors import PassingError
from eyas.transports.parcel import Link

if TYPE_CHECKING:  # loaded by the first feed that needs it, as it brings all of asyncio along
    import tenacity

T = TypeVar("T")

FIRST, LONGEST = 0.5, 300.0


class StoppedError(Exception):
    """Waiting ended because the feed is to stop."""


def patiently(link: Link, work: Callable[[], T], within: float = float("inf")) -> T:
    """Call `work` until it succeeds, for so many seconds; failures that do not pass go through."""
    import tenacity

    stopped = tenacity.stop_when_event_set(link.stop)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PassingError),
        wait=_pause,
        sleep=tenacity.sleep_using_event(link.stop),
        stop=stopped if within == float("inf") else stopped | tenacity.stop_before_delay(within),
        before_sleep=lambda state: _note(link, state),
        retry_error_callback=lambda state: _given_up(link, state),
    )
    return retrying(work)


def _given_up(link: Link, state: tenacity.RetryCallState) -> NoReturn:
    """The stop event was set between two tries, or the time is over."""
    error = state.outcome.exception() if state.outcome else None
    if error is None or link.stop.is_set():
        raise StoppedError
    raise error


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, PassingError) and error.after is not None:
        return min(error.after, LONGEST * 12)
    longest: float = min(FIRST * 2.0 ** min(state.attempt_number - 1, 20), LONGEST)
    return longest * random.uniform(0.5, 1.0)


def _note(link: Link, state: tenacity.RetryCallState) -> None:
    link.status.retries += 1
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0.0
    link.status.turn("waiting", f"{error}; next try in {pause:.1f} s")

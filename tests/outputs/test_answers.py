"""What an answer over HTTP means, and how long a receiver may make us wait."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyas.delivery import Answer, Outcome, Request, classify, retry
from eyas.delivery.request import HeaderError

NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("99999999999999999999", 3600.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 3600.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_a_receiver_may_ask_for_some_patience(asked: str, waited: float | None) -> None:
    answer = classify(503, {"retry-AFTER": asked}, b"", NOW)
    assert (answer.outcome, answer.after) == (Outcome.RETRY, waited)


@pytest.mark.parametrize("after", [float("inf"), float("nan"), -1.0, 1e300])
def test_no_patience_is_endless(after: float) -> None:
    asked = retry("x", after).after
    assert asked is None or 0 <= asked <= 3600


@given(st.integers(100, 599), st.text(max_size=40), st.binary(max_size=400))
def test_every_answer_has_a_meaning(status: int, asked: str, body: bytes) -> None:
    answer = classify(status, {"Retry-After": asked}, body, NOW)
    assert isinstance(answer, Answer) and answer.reason.isprintable()
    assert (answer.outcome is Outcome.DELIVERED) == (200 <= status < 300)


@pytest.mark.parametrize("status", [401, 403, 404, 407, 410, 302])
def test_what_can_be_mended_on_either_side_comes_back(status: int) -> None:
    assert classify(status, {}).outcome is Outcome.RETRY


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_is_wrong_with_the_message_does_not(status: int) -> None:
    assert classify(status, {}, b"no\nway").reason == f"HTTP {status}: no way"
    assert classify(status, {}).outcome is Outcome.REFUSED


@given(st.sampled_from(("method", "url", "name", "value")), st.sampled_from("\r\n\0\x7f\x1b"))
def test_no_request_breaks_in_two(where: str, sign: str) -> None:
    parts = {"method": "POST", "url": "http://a", "name": "X", "value": "y"}
    parts[where] += sign
    with pytest.raises(HeaderError):
        Request(parts["method"], parts["url"], {parts["name"]: parts["value"]})

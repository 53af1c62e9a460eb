"""Asking a service: pages, limits, tokens and faults."""

import dataclasses
import time

import pytest

from eyas.errors import RunError
from eyas.transports import poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link
from eyas.transports.status import Status
from tests.service import Asked, Says, service
from tests.transports.conftest import running

PAGES = {"0": [b'["one"]           ', "1"], "1": [b'["two"]           ', "2"], "2": [b"[]", "2"]}


def paging(url: str, **more: object) -> poll.Paging:
    made = poll.Paging(
        start=lambda mark: mark or f"{url}/logs?after=0",
        follow=poll.link_header,
        mark=lambda page, mark: poll.link_header(page) or mark,
        headers=lambda: {"Authorization": "SSWS right"},
        interval=0.01,
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def page(asked: Asked) -> Says:
    body, after = PAGES[asked.query["after"]]
    url = f"http://{asked.headers['host']}/logs?after={after}"
    return Says(body, headers={"Link": f'<http://x/self>; rel="self", <{url}>; rel="next"'})


def test_pages_follow_the_services_own_link_and_the_last_is_asked_again() -> None:
    with service(page) as okta, running(lambda link: poll.parcels(paging(okta.url), link)) as run:
        bodies = [run.next().body.strip() for _ in range(4)]
    assert bodies == [b'["one"]', b'["two"]', b"[]", b"[]"]
    assert run.mark.endswith("after=2")


def test_a_mark_is_the_first_address_that_is_asked() -> None:
    with (
        service(page) as okta,
        running(lambda link: poll.parcels(paging(okta.url), link), mark=f"{okta.url}/logs?after=1") as run,
    ):
        assert run.next().body.strip() == b'["two"]'


@pytest.mark.parametrize(
    "fault",
    [
        Says(status=503),
        Says(status=429, headers={"Retry-After": "0"}),
        Says(status=429, headers={"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1"}),
        Says(status=403, headers={"Retry-After": "0"}),
    ],
)
def test_failures_that_pass_are_waited_out(fault: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.transports.patience.FIRST", 0.01)
    left = [fault, fault]
    with (
        service(lambda asked: left.pop() if left else page(asked)) as okta,
        running(lambda link: poll.parcels(paging(okta.url), link)) as run,
    ):
        assert run.next().body.strip() == b'["one"]'
        assert run.link.status.retries == 2


def test_a_service_that_cannot_be_reached_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.transports.patience.FIRST", 0.01)
    with service(page) as okta:
        url = okta.url
    with running(lambda link: poll.parcels(paging(url), link)) as run:
        while run.link.status.retries < 2:
            run.link.wait(0.005)
        assert run.link.status.state == "waiting"


def test_a_spent_limit_is_waited_for_as_the_service_says() -> None:
    spent = Page(
        "u", 200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 30)}, b""
    )
    left = Page("u", 200, {"x-rate-limit-remaining": "5", "x-rate-limit-reset": "1"}, b"")
    assert 25 < poll.exchange.spent(spent) <= 30
    assert poll.exchange.spent(left) == 0
    date = Page("u", 503, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, b"")
    assert poll.exchange.after(date) == 0


def test_an_expired_token_is_renewed_once() -> None:
    token = ["old"]

    def answer(asked: Asked) -> Says:
        return page(asked) if asked.headers["authorization"] == "Bearer new" else Says(status=401)

    with service(answer) as graph:
        made = paging(
            graph.url,
            headers=lambda: {"Authorization": f"Bearer {token[-1]}"},
            renew=lambda: token.append("new"),
        )
        assert "answered 200" in poll.probe(made)
        with pytest.raises(RunError, match="answered 401"):
            poll.probe(paging(graph.url))


def test_a_link_to_another_host_is_not_followed() -> None:
    with service(
        lambda _: Says(b"[1,2,3,4,5,6,7,8,9]", headers={"Link": '<http://evil.example/>; rel="next"'})
    ) as bad:
        link = Link(Status("test"))
        found = poll.parcels(paging(bad.url), link)
        next(found)
        with pytest.raises(RunError, match="another host"):
            next(found)

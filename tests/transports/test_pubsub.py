"""Pub/Sub over its REST interface, against a strict small service."""

import base64
import json
from typing import Any

import pytest

from eyas.errors import RunError
from eyas.transports import pubsub
from eyas.transports.parcel import Outcome
from tests.service import Asked, Says, service
from tests.transports.conftest import running, wait_until

PATH = "/v1/projects/p/subscriptions/s"


class Broker:
    """One subscription: what is pulled and not acknowledged comes again when its deadline is taken away."""

    def __init__(self, *bodies: bytes) -> None:
        self.ready = {str(n): base64.b64encode(body).decode() for n, body in enumerate(bodies)}
        self.out: dict[str, str] = {}
        self.acknowledged: list[str] = []

    def answer(self, asked: Asked) -> Says:
        path, _, verb = asked.path.rpartition(":")
        if path != PATH or asked.method != "POST" or asked.headers["content-type"] != "application/json":
            return Says({"error": {"code": 404}}, 404)
        given: dict[str, Any] = json.loads(asked.body)
        if verb == "pull":
            taken = dict(list(self.ready.items())[: given["maxMessages"]])
            self.out |= taken
            self.ready = {k: v for k, v in self.ready.items() if k not in taken}
            found = [
                {"ackId": k, "message": {"data": v, "messageId": k, "publishTime": "2026-01-01T00:00:00Z"}}
                for k, v in taken.items()
            ]
            return Says({"receivedMessages": found} if found else {})
        for one in given["ackIds"]:
            body = self.out.pop(one)
            if verb == "acknowledge":
                self.acknowledged.append(one)
            elif given["ackDeadlineSeconds"] == 0:
                self.ready[one] = body
        return Says({})


def settings(url: str) -> pubsub.Settings:
    return pubsub.Settings(project="p", subscription="s", endpoint=url, interval=0.01)


def test_a_message_is_acknowledged_when_it_is_safe_and_comes_again_otherwise() -> None:
    broker = Broker(b"one", b"two")
    with (
        service(broker.answer) as google,
        running(lambda link: pubsub.parcels(settings(google.url), link)) as run,
    ):
        assert run.next(Outcome.SAFE).body == b"one"
        wait_until(lambda: broker.acknowledged == ["0"])
        assert run.next(Outcome.AGAIN).body == b"two"
        assert run.next(Outcome.SAFE).body == b"two"
        wait_until(lambda: broker.acknowledged == ["0", "1"])


def test_a_message_that_is_not_base64_is_refused_and_acknowledged() -> None:
    broker = Broker(b"", b"fine")
    broker.ready["0"] = "%%%"
    with (
        service(broker.answer) as google,
        running(lambda link: pubsub.parcels(settings(google.url), link)) as run,
    ):
        assert run.next().body == b"fine"
        assert run.link.status.refused["not base64"] == 1
        wait_until(lambda: broker.acknowledged == ["0", "1"])


def test_a_test_gives_back_what_it_pulled() -> None:
    broker = Broker(b"one")
    with service(broker.answer) as google:
        assert "can be pulled" in pubsub.probe(settings(google.url))
        assert list(broker.ready) == ["0"]
        with pytest.raises(RunError, match="404"):
            pubsub.probe(pubsub.Settings(project="p", subscription="nowhere", endpoint=google.url))

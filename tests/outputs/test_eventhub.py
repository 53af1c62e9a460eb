"""Event Hubs takes alerts over AMQP 1.0 from whom it knows; the other end is Proton, which shares no code with the card."""

import base64
import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from eyas.outputs.card import find
from eyas.outputs.settings import settings_of
from tests.outputs.cases import ALERT
from tests.outputs.servers import deliver, free_port, send_all, server
from tests.outputs.test_hostile import WORST

PYTHON = "/usr/bin/python3"  # Proton is a package of the system
KEY = base64.b64encode(b"k" * 32).decode()
HOSTILE = dataclasses.replace(WORST, ts=ALERT.ts)


@dataclasses.dataclass
class Hub:
    port: int
    log: Path
    read: int = 0

    def take(self, alerts: list, **told: str) -> list:  # type: ignore[type-arg]
        return deliver("azure.eventhub", self.values(**told), alerts)

    def values(self, name: str = "falco", key: str = KEY) -> dict[str, object]:
        access = f"SharedAccessKeyName=sender;SharedAccessKey={key};UseDevelopmentEmulator=true"
        text = f"Endpoint=sb://127.0.0.1:{self.port}/;{access}"
        return {"namespace": "acme", "name": name, "connectionstring": text}

    def found(self) -> list[dict[str, object]]:
        """What came in since the last question."""
        lines = self.log.read_text().splitlines()[self.read :]
        self.read += len(lines)
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, port = tmp_path_factory.mktemp("eventhub"), free_port()
    if subprocess.run([PYTHON, "-c", "import proton"], capture_output=True, check=False).returncode:
        pytest.skip("python3-qpid-proton is not installed; see .ci/test-servers")
    program = str(Path(__file__).with_name("eventhub.py"))
    with server([PYTHON, program, str(port), "falco", "sender", KEY], port, folder):
        yield Hub(port, folder / "python3.log")


def test_events_come_in_once_each_with_their_identity(hub: Hub) -> None:
    assert hub.take([ALERT, HOSTILE, ALERT]) == [delivered()] * 3
    first, worst, again = hub.found()
    assert first == again
    assert first["body"] == json.loads(event.event_json(ALERT))
    assert (first["id"], first["type"]) == (event.identity(ALERT), "application/json")
    assert worst["body"] == json.loads(event.event_json(HOSTILE))


def test_a_wrong_key_and_a_hub_that_is_not_there_are_retried_with_the_words_of_the_service(hub: Hub) -> None:
    (wrong,) = hub.take([ALERT], key="bm9uZQ==")
    assert wrong.outcome is Outcome.RETRY and "InvalidSignature" in wrong.reason
    (lost,) = hub.take([ALERT], name="other")
    assert lost.outcome is Outcome.RETRY and "could not be found" in lost.reason
    assert hub.found() == []


def test_an_event_that_no_batch_holds_is_refused_and_the_others_arrive(hub: Hub) -> None:
    card = find("azure.eventhub")
    good = card.request(ALERT, settings_of(card, hub.values()))
    long = dataclasses.replace(good, body=b"x" * (1 << 20))
    before, refusal, after = send_all("azure.eventhub", hub.values(), [good, long, good])
    assert (before, after) == (delivered(), delivered())
    assert refusal.outcome is Outcome.REFUSED and "do not fit a batch" in refusal.reason
    assert [one["id"] for one in hub.found()] == [event.identity(ALERT)] * 2


def test_a_long_alert_arrives_cut(hub: Hub) -> None:
    long = dataclasses.replace(ALERT, message="x" * (1 << 20))
    assert hub.take([long]) == [delivered()]
    (found,) = hub.found()
    assert found["body"]["eyas"]["cut"] == ["output"]  # type: ignore[index]

"""Alerts reach receivers in order, at least once, however those behave."""

import json
import os
import random
import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from eyas.alert import Alert
from eyas.delivery import Request, Trust, journal, pace, stored
from eyas.delivery import http as over_http
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver, Watch, Worker
from eyas.delivery.writer import Writer
from eyas.errors import UsageError
from tests.delivery.receiver import Inbox, receiver


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST", 0.002)
    monkeypatch.setattr(pace, "LONGEST", 0.02)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path)
    yield made
    made.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiver() as made:
        yield made


def alert(number: int) -> Alert:
    return Alert("r", "Warning", "syscall", (), number + 1, f"m{number}", {}, "h", {"id": f"{number}"})


def single(url: str) -> Callable[[Sequence[Alert]], list[Request]]:
    return lambda alerts: [Request("POST", url, {}, a.message.encode()) for a in alerts]


def together(url: str) -> Callable[[Sequence[Alert]], list[Request]]:
    return lambda alerts: [Request("POST", url, {}, json.dumps([a.message for a in alerts]).encode())]


def put(writer: Writer, numbers: Sequence[int], *outputs: str) -> None:
    for number in numbers:
        writer.put(stored.entry_of(alert(number), outputs=outputs or ("a",)))
    assert writer.flush()


def started(tmp_path: Path, writer: Writer, to: Receiver, watch: Watch | None = None) -> Worker:
    worker = Worker(to, tmp_path, writer, watch)
    worker.start()
    return worker


def plain(url: str, **more: object) -> Receiver:
    return Receiver("a", single(url), lambda: HttpSender(Trust()), **more)  # type: ignore[arg-type]


def test_alerts_arrive_in_order_and_leave_the_queue(tmp_path: Path, writer: Writer, inbox: Inbox) -> None:
    put(writer, range(50))
    worker = started(tmp_path, writer, plain(inbox.url))
    assert inbox.wait(50) == [f"m{n}".encode() for n in range(50)]
    assert worker.drain(10)
    worker.close()
    assert worker.figures.delivered == 50


def test_busy_receivers_are_asked_again_in_order(tmp_path: Path, writer: Writer, inbox: Inbox) -> None:
    inbox.replies.extend([(503, {}), (429, {"Retry-After": "0"}), (200, {}), (500, {})])
    put(writer, range(5))
    worker = started(tmp_path, writer, plain(inbox.url))
    assert inbox.wait(5) == [f"m{n}".encode() for n in range(5)]
    worker.close()
    assert worker.figures.failures == 3


def test_what_is_refused_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, writer: Writer, inbox: Inbox
) -> None:
    inbox.judge = lambda body: (400, {}) if body == b"m2" else (200, {})
    put(writer, range(5))
    worker = started(tmp_path, writer, plain(inbox.url))
    assert inbox.wait(4) == [b"m0", b"m1", b"m3", b"m4"]
    assert worker.drain(10)
    worker.close()
    db = journal.connect(tmp_path)
    assert db.execute("SELECT seq, reason FROM refused").fetchall() == [(3, "HTTP 400")]
    db.close()


def test_a_receiver_that_refuses_all_is_spoken_of_rarely(
    tmp_path: Path, writer: Writer, inbox: Inbox
) -> None:
    inbox.judge = lambda body: (400, {})
    put(writer, range(30))
    with capture_logs() as logged:
        worker = started(tmp_path, writer, plain(inbox.url))
        assert worker.drain(10)
        worker.close()
    assert [line["count"] for line in logged if line["event"] == "refused"] == [1, 10]
    assert worker.figures.refused == 30


def test_a_batch_that_is_not_full_waits_for_more(tmp_path: Path, writer: Writer, inbox: Inbox) -> None:
    put(writer, range(2))
    to = Receiver("a", together(inbox.url), lambda: HttpSender(Trust()), batch=3, grouped=True, linger=3600.0)
    worker = started(tmp_path, writer, to)
    put(writer, [2])
    worker.wake()
    assert inbox.wait(1) == [b'["m0", "m1", "m2"]']
    put(writer, [3])
    assert worker.drain(10)
    assert inbox.wait(2)[1] == b'["m3"]'
    worker.close()


def test_in_a_batch_the_refused_one_is_found_by_halving(tmp_path: Path, writer: Writer, inbox: Inbox) -> None:
    inbox.judge = lambda body: (422, {}) if b'"m5"' in body else (200, {})
    put(writer, range(16))
    to = Receiver("a", together(inbox.url), lambda: HttpSender(Trust()), batch=16, grouped=True)
    worker = started(tmp_path, writer, to)
    assert worker.drain(10)
    worker.close()
    got = [name for body in inbox.taken for name in json.loads(body)]
    assert got == [f"m{n}" for n in range(16) if n != 5]
    assert worker.figures.refused == 1


def test_an_alert_that_cannot_be_worded_is_refused_alone(
    tmp_path: Path, writer: Writer, inbox: Inbox
) -> None:
    def plan(alerts: Sequence[Alert]) -> list[Request]:
        if any(a.message == "m1" for a in alerts):
            raise UsageError("template: 'x' is undefined")
        return single(inbox.url)(alerts)

    put(writer, range(3))
    worker = started(tmp_path, writer, Receiver("a", plan, lambda: HttpSender(Trust()), batch=3))
    assert inbox.wait(2) == [b"m0", b"m2"]
    assert worker.drain(10)
    worker.close()


def test_a_receiver_that_hangs_does_not_hold_up_another(
    tmp_path: Path, writer: Writer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as slow:
        slow.hang = threading.Event()
        put(writer, range(20), "slow", "a")
        stuck = started(tmp_path, writer, Receiver("slow", single(slow.url), lambda: HttpSender(Trust())))
        slow.wait_seen(1)
        quick = started(tmp_path, writer, plain(inbox.url))
        assert len(inbox.wait(20)) == 20
        slow.hang.set()
        assert len(slow.wait(20)) == 20
        quick.close()
        stuck.close()


def test_a_receiver_that_is_down_is_reported_and_loses_nothing(tmp_path: Path, writer: Writer) -> None:
    dead, back = threading.Event(), threading.Event()
    watch = Watch(lambda *_: dead.set(), lambda *_: back.set(), after=0)
    with receiver() as gone:
        url = gone.url
    put(writer, range(10))
    worker = started(tmp_path, writer, plain(url), watch)
    assert dead.wait(20)
    assert "Connect" in worker.figures.reason
    with receiver(port=int(url.rsplit(":", 1)[1].strip("/"))) as again:
        assert again.wait(10) == [f"m{n}".encode() for n in range(10)]
    assert back.wait(20)
    worker.close()


def test_what_another_process_puts_back_is_sent(
    tmp_path: Path, writer: Writer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.replies.append((400, {}))
    put(writer, range(2))
    worker = started(tmp_path, writer, plain(inbox.url))
    inbox.wait(1)
    assert worker.drain(10)
    db = journal.connect(tmp_path)
    assert journal.requeue(db, "a") == 1
    db.close()
    worker.wake()
    assert inbox.wait(2) == [b"m1", b"m0"]
    worker.close()


def test_tls_with_client_certificates(tmp_path: Path, writer: Writer) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    ca, mine = tmp_path / "ca.pem", tmp_path / "mine.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("sensor@localhost").private_key_and_cert_chain_pem.write_to_path(mine)
    put(writer, range(2))
    with receiver(tls=context) as inbox:
        trust = Trust(ca_file=str(ca), cert_file=str(mine))
        worker = started(tmp_path, writer, Receiver("a", single(inbox.url), lambda: HttpSender(trust)))
        assert len(inbox.wait(2)) == 2
        worker.close()


def test_a_certificate_that_does_not_match_is_a_counted_failure(tmp_path: Path, writer: Writer) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    failed = threading.Event()
    put(writer, range(2))
    with receiver(tls=context) as inbox:
        trust = Trust(ca_file=str(ca))
        watch = Watch(lambda *_: failed.set(), after=0)
        worker = started(tmp_path, writer, Receiver("a", single(inbox.url), lambda: HttpSender(trust)), watch)
        assert failed.wait(20)
        assert "certificate" in worker.figures.reason.lower()
        worker.close()
    assert not inbox.bodies
    db = journal.connect(tmp_path)
    assert journal.depth(db, "a").count == 2
    db.close()


def test_a_missing_certificate_is_an_error_at_start() -> None:
    with pytest.raises(UsageError, match=r"certificates /nowhere\.pem"):
        HttpSender(Trust(ca_file="/nowhere.pem"))


def test_a_slow_trickle_of_an_answer_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(over_http, "WHOLE", 0.05)
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        peer, _ = listening.accept()
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                peer.sendall(b"1\r\nx\r\n")
        except OSError:
            pass

    threading.Thread(target=trickle, daemon=True).start()
    monkeypatch.setattr(over_http, "MOST", 1 << 40)
    sender = HttpSender(Trust())
    answer = sender.send([Request("POST", f"http://127.0.0.1:{listening.getsockname()[1]}/")])[0]
    assert answer.reason == "no whole answer within 0 s"
    sender.close()
    listening.close()


def test_secrets_do_not_stand_in_reasons(tmp_path: Path, writer: Writer) -> None:
    failed = threading.Event()
    with receiver() as gone:
        url = gone.url
    put(writer, [0])
    to = Receiver(
        "a",
        single("http://hush.invalid:1/hush"),
        lambda: HttpSender(Trust()),
        hide=lambda text: text.replace("hush", "…"),
    )
    assert url
    worker = started(tmp_path, writer, to, Watch(lambda *_: failed.set(), after=0))
    assert failed.wait(20)
    worker.close()
    assert "hush" not in worker.figures.reason


def test_after_kills_every_alert_arrives_and_first_arrivals_are_in_order(
    tmp_path: Path, inbox: Inbox
) -> None:
    chance = random.Random(3)
    total = 300
    journal.connect(tmp_path).close()
    for _ in range(20):
        seen = len(inbox.taken)
        pid = os.fork()
        if not pid:
            try:
                writer = Writer(tmp_path)
                worker = started(tmp_path, writer, plain(inbox.url))
                for number in range(total):
                    writer.put(stored.entry_of(alert(number), outputs=("a",)))
                writer.flush()
                worker.drain(20)
            finally:
                os._exit(0)
        inbox.wait_seen(min(seen + chance.randrange(1, 40), total))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    writer = Writer(tmp_path)
    worker = started(tmp_path, writer, plain(inbox.url))
    put(writer, range(total))
    assert worker.drain(20)
    worker.close()
    writer.close()
    firsts = list(dict.fromkeys(inbox.taken))
    assert firsts == [f"m{n}".encode() for n in range(total)]


def test_waits_grow_and_spread_and_respect_what_is_asked() -> None:
    chance = random.Random(1)
    waits = [pace.backoff(n, None, chance) for n in (1, 4, 40)]
    assert waits == sorted(waits)
    assert waits[-1] <= pace.LONGEST
    assert pace.backoff(1, 7.5, chance) == 7.5


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = pace.Bucket(2.0, 3.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.delay(0.0) == pytest.approx(0.5)
    assert bucket.take(0.5)

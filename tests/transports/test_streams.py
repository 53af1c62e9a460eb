"""Kafka, NATS, syslog and the journal, against real brokers and daemons."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eyas.errors import RunError, UsageError
from eyas.transports import journald, kafka, nats, syslog
from eyas.transports.parcel import Link, Outcome
from eyas.transports.status import Status
from tests.transports.conftest import Running, listening, running, wait_until


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, Any]]:
    """librdkafka's own cluster; it lives as long as its producer."""
    confluent = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    producer = confluent.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    (found,) = producer.list_topics(timeout=10).brokers.values()
    yield f"{found.host}:{found.port}", producer


def produce(producer: Any, topic: str, *bodies: bytes) -> None:
    for body in bodies:
        producer.produce(topic, body)
    assert producer.flush(20) == 0


def test_kafka_goes_on_at_the_mark(broker: tuple[str, Any]) -> None:
    address, producer = broker
    settings = kafka.Settings(brokers=(address,), topics=("audit",), group="first")
    produce(producer, "audit", b"one", b"two", b"three")
    with running(lambda link: kafka.parcels(settings, link)) as run:
        found = [run.next(), run.next()]
        mark = run.mark
    # librdkafka's cluster keeps a member that left for its whole session; the mark is ours and needs no group.
    settings = kafka.Settings(brokers=(address,), topics=("audit",), group="second")
    with running(lambda link: kafka.parcels(settings, link), mark=mark) as run:
        found.append(run.next())
    assert sorted(parcel.body for parcel in found) == [b"one", b"three", b"two"]


def test_a_missing_topic_is_said(broker: tuple[str, Any]) -> None:
    address, producer = broker
    produce(producer, "there", b"x")
    assert "are there" in kafka.probe(kafka.Settings(brokers=(address,), topics=("there",)))
    with pytest.raises(RunError, match="no topic 'elsewhere'"):
        kafka.probe(kafka.Settings(brokers=(address,), topics=("elsewhere",)))


@pytest.fixture
def jetstream(tmp_path: Path) -> Iterator[str]:
    with jetstream_server(tmp_path) as url:
        yield url


@contextmanager
def jetstream_server(folder: Path) -> Iterator[str]:
    """A NATS server with JetStream, and its address."""
    program = shutil.which("nats-server")
    if program is None:
        pytest.skip("nats-server is not installed")
    pytest.importorskip("nats", reason="nats-py is not installed")
    command = [
        program,
        "-js",
        "-sd",
        str(folder),
        "-a",
        "127.0.0.1",
        "-p",
        "-1",
        "--ports_file_dir",
        str(folder),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if "Listening for client connections on" in line:
                address = line.split()[-1]
            if "Server is ready" in line:
                break
        yield f"nats://{address}"
        server.kill()


async def publish(url: str, *bodies: bytes) -> None:
    import nats as client

    line = await client.connect(url)
    stream = line.jetstream()
    await stream.add_stream(name="AUDIT", subjects=["audit.>"])
    for body in bodies:
        await stream.publish("audit.k8s", body)
    await line.close()


def test_nats_brings_again_what_was_not_safe(jetstream: str) -> None:
    import asyncio

    asyncio.run(publish(jetstream, b"one", b"two"))
    settings = nats.Settings(servers=(jetstream,), subject="audit.k8s")
    assert nats.probe(settings).endswith("AUDIT")
    with running(lambda link: nats.parcels(settings, link)) as run:
        first = run.next(Outcome.SAFE)
        second = run.next(Outcome.AGAIN)
        assert (first.body, second.body) == (b"one", b"two")
        assert run.next(Outcome.SAFE).body == b"two"


RFC5424 = b'<165>1 2026-01-31T10:00:00.003Z host app 42 ID47 [x@1 a="b\\]"] it\'s \xe2\x98\xba'
RFC3164 = b"<34>Jan 31 10:00:00 host su[7]: 'su root' failed"


def test_both_forms_of_syslog_are_taken_apart() -> None:
    now = 1_769_853_600.0
    new, old = (syslog.parsed(message, "peer", now) for message in (RFC5424, RFC3164))
    assert (new["program"], new["pid"], new["facility"], new["severity"]) == ("app", "42", "local4", "notice")
    assert new["message"] == "it's ☺"
    assert (old["program"], old["pid"], old["facility"], old["severity"]) == ("su", "7", "auth", "crit")
    assert old["message"] == "'su root' failed"
    assert syslog.parsed(b"\xff\xfe plain", "peer", now)["message"] == "\ufffd\ufffd plain"


def test_a_stream_is_cut_into_messages_by_count_and_by_line() -> None:
    assert syslog.framed(b"8 <1>hello<2>x\n<3>y", 100) == ([b"<1>hello", b"<2>x"], b"<3>y")
    assert syslog.framed(b"99999 <1>x", 100)[1] == b"99999 <1>x"


def test_syslog_arrives_over_udp_and_tcp() -> None:
    with running(lambda link: syslog.parcels(syslog.Settings(listen="127.0.0.1:0"), link)) as run:
        host, _, port = listening(run).partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(RFC3164, (host, int(port)))
        assert json.loads(run.next().body)["program"] == "su"
        with socket.create_connection((host, int(port))) as line:
            line.sendall(RFC5424 + b"\n")
            assert json.loads(run.next().body)["program"] == "app"


@pytest.mark.parametrize(
    "time",
    [b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59", b"-", b"2026-02-30T10:00:00Z"],
)
def test_a_time_that_no_calendar_has_is_that_of_arrival(time: bytes) -> None:
    now = datetime(2026, 1, 31, 10, tzinfo=UTC)
    record = syslog.parsed(b"<34>1 " + time + b" host app - - - said", "peer", now.timestamp())
    assert (record["message"], datetime.fromisoformat(record["time"])) == ("said", now)


def test_the_last_day_of_february_is_no_fault_in_other_years() -> None:
    before = datetime(2028, 2, 20, tzinfo=UTC).timestamp()  # last year had no such day
    for now in (before, datetime(2027, 2, 20, tzinfo=UTC).timestamp()):
        assert syslog.parsed(b"<34>Feb 29 10:00:00 host su: x", "peer", now)["message"] == "x"


def test_the_last_message_of_a_connection_needs_no_end_of_line() -> None:
    with running(lambda link: syslog.parcels(syslog.Settings(listen="127.0.0.1:0"), link)) as run:
        host, _, port = listening(run).partition(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(RFC3164)
        assert json.loads(run.next().body)["program"] == "su"
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"99 " + RFC3164)
        wait_until(lambda: run.link.status.refused["message cut off"] == 1)


def test_syslog_beyond_this_machine_names_its_senders() -> None:
    with pytest.raises(UsageError, match="senders is needed"):
        syslog.check(syslog.Settings(listen="0.0.0.0:5514"))
    with pytest.raises(UsageError, match="senders: 'everybody'"):
        syslog.check(syslog.Settings(senders=("everybody",)))
    syslog.check(syslog.Settings(listen="0.0.0.0:5514", senders=("10.0.0.0/8", "::1")))


def syslog_run(**more: Any) -> AbstractContextManager[Running]:
    settings = syslog.Settings(listen="127.0.0.1:0", **more)
    return running(lambda link: syslog.parcels(settings, link))


def test_a_stranger_is_refused_and_counted() -> None:
    with syslog_run(senders=("192.0.2.0/24",)) as run:
        host, _, port = listening(run).partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(RFC3164, (host, int(port)))
        with socket.create_connection((host, int(port))) as line:
            assert line.recv(1) == b""
        wait_until(lambda: run.link.status.refused["unknown sender"] == 2)


def test_one_sender_of_syslog_cannot_send_without_end() -> None:
    with syslog_run(rate=0) as run:
        host, _, port = listening(run).partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(RFC3164, (host, int(port)))
        wait_until(lambda: run.link.status.refused["too many messages"] == 1)


def test_a_message_that_is_too_long_or_never_ends_is_refused_and_the_rest_goes_on() -> None:
    with syslog_run(max_message=100, timeout=0.0) as run:
        host, _, port = listening(run).partition(":")
        for data, reason in ((b"<34>" + b"x" * 200, "message too long"), (b"<34>half", "too slow")):
            with socket.create_connection((host, int(port))) as line:
                line.sendall(data)
                assert line.recv(1) == b""
            assert run.link.status.refused[reason] == 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(RFC3164, (host, int(port)))
        assert json.loads(run.next().body)["program"] == "su"


def test_rsyslog_forwards_to_it(tmp_path: Path) -> None:
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    if program is None:
        pytest.skip("rsyslogd is not installed")
    with running(lambda link: syslog.parcels(syslog.Settings(listen="127.0.0.1:0"), link)) as run:
        host, _, port = listening(run).partition(":")
        config = tmp_path / "rsyslog.conf"
        log = tmp_path / "in.log"
        log.write_text("a line\n")
        config.write_text(
            f'global(workDirectory="{tmp_path}")\nmodule(load="imfile")\n'
            f'input(type="imfile" File="{log}" Tag="watched:" Severity="warning" Facility="local0")\n'
            f'action(type="omfwd" target="{host}" port="{port}" protocol="tcp" TCP_Framing="octet-counted"'
            ' template="RSYSLOG_SyslogProtocol23Format")\n'
        )
        command = [program, "-n", "-f", str(config), "-i", str(tmp_path / "pid")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:
            try:
                while True:
                    found = [json.loads(line) for line in run.next().body.splitlines()]
                    ours = [record for record in found if record["program"].startswith("watched")]
                    if ours:
                        break
            finally:
                daemon.kill()
        assert (ours[0]["message"], ours[0]["facility"], ours[0]["severity"]) == (
            "a line",
            "local0",
            "warning",
        )


def test_the_journal_goes_on_at_its_cursor(tmp_path: Path) -> None:
    if shutil.which("journalctl") is None:
        pytest.skip("journalctl is not installed: no systemd")
    remote = Path("/lib/systemd/systemd-journal-remote")
    if not remote.exists():
        pytest.skip("systemd-journal-remote is not installed")
    entries = "".join(
        f"__REALTIME_TIMESTAMP={1_769_853_600_000_000 + n}\n__MONOTONIC_TIMESTAMP={n}\n"
        f"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE={text}\nPRIORITY=4\n\n"
        for n, text in enumerate(("one", "two", "three"), 1)
    )
    subprocess.run(
        [remote, "-o", str(tmp_path / "a.journal"), "-"],
        input=entries.encode(),
        check=True,
        capture_output=True,
    )
    settings = journald.Settings(directory=tmp_path, follow=False)
    link = Link(Status("test"))
    found = list(journald.parcels(settings, link))
    assert [json.loads(parcel.body)["MESSAGE"] for parcel in found] == ["one", "two", "three"]
    again = Link(Status("test"), mark=found[0].mark)
    assert [json.loads(p.body)["MESSAGE"] for p in journald.parcels(settings, again)] == ["two", "three"]

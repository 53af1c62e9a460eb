"""What is said to exist is on disk, whatever happens to process and disk."""

import contextlib
import os
import random
import resource
import select
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from eyas.delivery import discard, journal
from eyas.delivery import writer as writing
from eyas.delivery.discard import Policy
from eyas.delivery.journal import Entry
from eyas.delivery.writer import Ears, Writer

NOW = time.time_ns()


def entry(number: int, severity: int = 4, outputs: tuple[str, ...] = ("a",), size: int = 20) -> Entry:
    return Entry(f"{number:08}", NOW + number, severity, "r", "syscall", "h", "c", "k", b"x" * size, outputs)


def put(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    db.execute("BEGIN")
    journal.append(db, entries)
    db.execute("COMMIT")


def released(db: sqlite3.Connection) -> Counter[int]:
    db.execute("BEGIN")
    gone = discard.release(db)
    db.execute("COMMIT")
    return gone


def ids(folder: Path) -> list[str]:
    db = journal.connect(folder, readonly=True)
    try:
        return [row[0] for row in db.execute("SELECT id FROM alert ORDER BY seq")]
    finally:
        db.close()


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    finally:
        os._exit(1)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a killed process does not take the cache of the kernel with it."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared) as name:
        yield Path(name)


def test_alerts_that_were_announced_survive_a_thousand_kills_in_order_and_once(memory: Path) -> None:
    chance = random.Random(7)
    announced = 0
    for _ in range(1000):
        heard, said = os.pipe()

        def work(start: int = announced, said: int = said) -> None:
            def kept(group: Sequence[Entry]) -> None:
                os.write(said, b"".join(e.id.encode() for e in group))

            writer = Writer(memory, ears=Ears(kept=kept))
            for number in range(start, start + 200):
                writer.put(entry(number))
            writer.flush()

        pid = forked(work)
        os.close(said)
        data = os.read(heard, chance.choice((8, 80, 800)))
        if chance.random() < 0.5:
            select.select([], [], [], chance.random() / 500)
        os.kill(pid, signal.SIGKILL)
        while more := os.read(heard, 1 << 16):
            data += more
        os.waitpid(pid, 0)
        os.close(heard)
        announced = max(announced, int(data[-8:]) + 1 if data else 0)
    found = ids(memory)
    assert found == sorted(set(found)), "order and uniqueness"
    assert {f"{number:08}" for number in range(announced)} <= set(found)
    db = journal.connect(memory)
    queued = [q.seq for q in journal.waiting(db, "a", 1 << 30)]
    assert queued == [row[0] for row in db.execute("SELECT seq FROM alert ORDER BY seq")]


def test_an_alert_known_by_its_id_is_kept_once(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1), entry(1), entry(2)])
    put(db, [entry(2)])
    assert ids(tmp_path) == ["00000001", "00000002"]
    assert journal.depth(db, "a").count == 2


def test_every_receiver_has_its_own_queue(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1, outputs=("a", "b")), entry(2, outputs=("b",))])
    journal.acknowledge(db, "b", [1])
    assert journal.outputs(db) == ["a", "b"]
    assert [q.seq for q in journal.waiting(db, "a", 9)] == [1]
    assert [q.seq for q in journal.waiting(db, "b", 9)] == [2]


def test_what_was_refused_is_kept_and_can_be_sent_again(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1)])
    journal.refuse(db, "a", [1], "HTTP 400")
    assert journal.depth(db, "a").count == 0
    assert journal.counters(db) == {"refused:a": 1}
    assert journal.requeue(db, "a") == 1
    assert journal.depth(db, "a").count == 1


def test_a_number_is_not_used_again_after_its_alert_went(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1), entry(2)])
    released(db)
    put(db, [entry(3)])
    assert [q.seq for q in journal.waiting(db, "a", 9)] == [3]


def test_a_full_store_gives_up_delivered_alerts_first_then_the_least_severe(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1, severity=2, outputs=())])
    assert released(db) == Counter(), "nobody waited for it"
    many = [entry(n, severity=2 if n % 2 else 7) for n in range(10, 10 + 2 * discard.CHUNK)]
    put(db, many)
    assert released(db) == Counter({7: discard.CHUNK})
    assert journal.counters(db)["discarded:7"] == discard.CHUNK


def test_a_full_store_gives_up_notes_for_trails_before_any_alert(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(1, outputs=())])
    db.execute(
        "INSERT INTO activity(ts, kept, host, source, kind, actor, body) VALUES (1, 1, 'h', 's', 'k', 'a', x'00')"
    )
    assert released(db) == Counter()
    assert ids(tmp_path) == ["00000001"]
    assert db.execute("SELECT count(*) FROM activity").fetchone() == (0,)


def test_the_store_stays_below_its_size_and_says_what_it_cost(tmp_path: Path) -> None:
    gone: Counter[int] = Counter()
    writer = Writer(tmp_path, Policy(max_bytes=1 << 20), Ears(gone=gone.update))
    for number in range(200):
        for each in range(100):
            writer.put(entry(number * 100 + each, severity=6, size=200))
        assert writer.flush()
    writer.close()
    db = journal.connect(tmp_path)
    assert discard.used(db) < 2 << 20
    assert gone[6] == journal.counters(db)["discarded:6"] > 0
    assert gone[6] + journal.depth(db, "a").count == 20_000


@pytest.fixture(params=[3, 6, 40])
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of a few MB."""
    size = f"size={request.param}m"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "eyas", tmp_path], capture_output=True)
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk_is_made_room_on(small_disk: Path) -> None:
    gone: Counter[int] = Counter()
    writer = Writer(small_disk, ears=Ears(gone=gone.update))
    for number in range(150):
        for each in range(100):
            writer.put(entry(number * 100 + each, severity=6 if number % 2 else 2, size=4000))
        assert writer.flush(), writer.trouble
    writer.close()
    db = journal.connect(small_disk)
    assert gone[6] > 0
    assert not writer.overflowed
    assert sum(gone.values()) + journal.depth(db, "a").count == 15_000
    db.close()


@pytest.mark.parametrize("small_disk", [40], indirect=True)
def test_a_full_disk_costs_no_severe_alert_while_there_are_mild_ones(small_disk: Path) -> None:
    gone: Counter[int] = Counter()
    writer = Writer(small_disk, ears=Ears(gone=gone.update))
    for number in range(15_000):
        writer.put(entry(number, severity=6 if number % 6 else 2, size=4000))
        if number % 100 == 99:
            assert writer.flush(), writer.trouble
    writer.close()
    assert gone[6] > 0 and not gone[2]
    assert len(ids(small_disk)) == 15_000 - gone[6]
    assert (small_disk / discard.RESERVE_FILE).stat().st_size == discard.room_of(small_disk).reserve


def test_a_disk_that_takes_nothing_is_logged_once_and_so_is_its_end(small_disk: Path) -> None:
    with capture_logs() as logged:
        writer = Writer(small_disk)
        discard.give_back(small_disk)
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        writer.put(entry(0, size=100_000))
        assert not writer.flush()
        writer.put(entry(1))
        ballast.unlink()
        writer.close()
    assert [line["event"] for line in logged] == [
        "the store takes nothing, alerts wait in memory",
        "the store takes alerts again",
    ]


def test_a_disk_that_takes_nothing_is_said_and_costs_the_least_severe(tmp_path: Path) -> None:
    heard, said = os.pipe()

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer = Writer(tmp_path, bound=100)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        writer.put(entry(0))
        assert not writer.flush()
        for number in range(1, 300):
            writer.put(entry(number, severity=7 if number % 2 else 1))
        os.write(said, f"{writer.overflowed[7]} {writer.overflowed[1]} {writer.trouble}".encode())

    pid = forked(work)
    os.close(said)
    mild, grave, trouble = os.read(heard, 200).decode().split(" ", 2)
    os.waitpid(pid, 0)
    assert int(mild) == 149, "every one of them that was not being written at that moment"
    assert int(grave) == 50
    assert trouble


@pytest.mark.parametrize("harm", ["middle", "head", "empty"])
def test_a_broken_store_is_set_aside_and_what_is_readable_saved(tmp_path: Path, harm: str) -> None:
    db = journal.connect(tmp_path)
    put(db, [entry(n, size=500) for n in range(1000)])
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    path = tmp_path / journal.FILE
    raw = bytearray(path.read_bytes())
    if harm == "head":
        raw[0:100] = b"\xff" * 100
    elif harm == "middle":
        raw[len(raw) // 2 :] = b"\xff" * (len(raw) - len(raw) // 2)
    path.write_bytes(raw if harm != "empty" else b"")
    try:
        db = journal.connect(tmp_path)
        put(db, [entry(5000)])
    except sqlite3.DatabaseError:
        db = journal.renewed(tmp_path)
        put(db, [entry(5000)])
    assert "00005000" in ids(tmp_path)
    if harm == "middle":
        assert journal.counters(db)["alerts_salvaged"] > 100


def test_a_half_written_log_gives_the_commits_before_it(tmp_path: Path) -> None:
    def work() -> None:
        writer = Writer(tmp_path)
        for number in range(50):
            writer.put(entry(number, size=4000))
            writer.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(forked(work), 0)
    wal = tmp_path / f"{journal.FILE}-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2 + 13])
    db = journal.connect(tmp_path)
    found = [row[0] for row in db.execute("SELECT id FROM alert ORDER BY seq")]
    assert 0 < len(found) < 50
    assert found == [f"{number:08}" for number in range(len(found))]


def test_words_are_said_after_what_stands_before_them_is_on_disk(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    writer = Writer(tmp_path)
    for number in range(100):
        writer.put(entry(number))
        writer.say(lambda number=number: heard.append((number, len(ids(tmp_path)))))  # type: ignore[misc]
    assert writer.flush()
    writer.close()
    assert [number for number, _ in heard] == list(range(100))
    assert all(kept > number for number, kept in heard)


def test_words_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "WORDS", 3)
    began, may_end, most = threading.Event(), threading.Event(), []
    writer = Writer(tmp_path)

    def slow() -> None:
        began.set()
        may_end.wait(60)

    def talk() -> None:
        for number in range(20):
            writer.say(lambda number=number: most.append(number))  # type: ignore[misc]

    writer.say(slow)
    assert began.wait(60)
    speaker = threading.Thread(target=talk)
    speaker.start()
    assert writer.flush(timeout=0.0) is False
    assert most == []
    may_end.set()
    speaker.join(60)
    assert writer.flush()
    writer.close()
    assert most == list(range(20))

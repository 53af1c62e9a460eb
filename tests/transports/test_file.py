"""Files: whole lines once, whatever happens to the file."""

import gzip
import os
from pathlib import Path

import pytest

from eyas.transports import file
from eyas.transports.parcel import Link, Mark
from eyas.transports.status import Status
from tests.transports.conftest import Running, running


def follow(path: Path, **more: object) -> file.Settings:
    return file.Settings(**{"path": path, "interval": 0.01, **more})  # type: ignore[arg-type]


def read(path: Path, mark: Mark = None, **more: object) -> tuple[bytes, Mark]:
    """Read what is there once; the text and the mark after it."""
    link = Link(Status("test"), mark=mark)
    found = list(file.lines(follow(path, follow=False, **more), link))
    return b"".join(parcel.body for parcel in found), found[-1].mark if found else mark


def taken(run: Running, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += run.next().body
    return data


def test_lines_are_read_as_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n")
    with running(lambda link: file.lines(follow(log), link)) as run:
        assert run.next().body == b"one\n"
        with log.open("ab") as out:
            out.write(b"two\nthr")
            out.flush()
            assert run.next().body == b"two\n"
            out.write(b"ee\n")
            out.flush()
            assert run.next().body == b"three\n"


def test_a_mark_goes_on_where_it_left_off(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n")
    first, mark = read(log)
    with log.open("ab") as out:
        out.write(b"two\n")
    assert (first, read(log, mark)[0]) == (b"one\n", b"two\n")


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n")
    with running(lambda link: file.lines(follow(log), link)) as run:
        run.next()
        with log.open("ab") as out:
            log.rename(tmp_path / "audit.log.1")
            out.write(b"late\n")
            out.flush()
            log.write_bytes(b"new\n")
            assert taken(run, 9) == b"late\nnew\n"


def test_rotations_while_nobody_read_leave_no_gap(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n")
    _, mark = read(log)
    with log.open("ab") as out:
        out.write(b"two\n")
    log.rename(tmp_path / "audit.log.2")
    (tmp_path / "audit.log.1").write_bytes(b"three\n")
    log.write_bytes(b"four\n")
    for seconds, name in enumerate(("audit.log.2", "audit.log.1", "audit.log")):
        later = (tmp_path / name).stat().st_mtime_ns + seconds * 1_000_000
        os.utime(tmp_path / name, ns=(later, later))
    assert read(log, mark)[0] == b"two\nthree\nfour\n"


def test_a_rotated_file_that_was_compressed_goes_on_inside(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n")
    _, mark = read(log)
    (tmp_path / "audit.log.1.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    log.unlink()
    log.write_bytes(b"three\n")
    os.utime(tmp_path / "audit.log.1.gz", (1, 1))
    assert read(log, mark)[0] == b"two\nthree\n"


def test_a_truncated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"a long line\n")
    _, mark = read(log)
    log.write_bytes(b"new\n")
    assert read(log, mark)[0] == b"new\n"
    _, mark = read(log)
    log.write_bytes(b"longer than before, and other\n")
    assert read(log, mark)[0] == b"longer than before, and other\n"


def test_the_last_line_of_a_finished_file_needs_no_end(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\ntwo")
    assert read(log)[0] == b"one\ntwo"


def test_an_over_long_line_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"one\n" + b"x" * 3_000_000 + b"\ntwo\n")
    link = Link(Status("test"))
    found = list(file.lines(follow(log, follow=False, max_line=2_000_000), link))
    assert b"".join(parcel.body for parcel in found) == b"one\ntwo\n"
    assert link.status.refused["line too long"] == 1


def test_a_line_longer_than_a_chunk_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"x" * 3_000_000 + b"\ntwo\n")
    assert len(read(log)[0]) == 3_000_005


def test_every_file_of_a_folder_is_read_compressed_ones_too(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\n")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.log.gz").write_bytes(gzip.compress(b"two\n") + gzip.compress(b"three\n"))
    (tmp_path / ".hidden").write_bytes(b"no\n")
    text, mark = read(tmp_path)
    assert sorted(text.split()) == [b"one", b"three", b"two"]
    assert read(tmp_path, mark)[0] == b""


def test_a_document_is_read_once_it_has_stopped_growing(tmp_path: Path) -> None:
    done: set[str] = set()
    with running(lambda link: file.documents(follow(tmp_path), link), seen=done.__contains__) as run:
        (tmp_path / "trail.json.gz").write_bytes(gzip.compress(b'{"Records":[]}'))
        parcel = run.next()
        assert parcel.body == b'{"Records":[]}'
        done.add(parcel.key)
        (tmp_path / "other.json").write_bytes(b"{}")
        assert run.next().body == b"{}"


@pytest.mark.parametrize("content", [b"\x1f\x8bbroken", gzip.compress(b"x" * 100)[:-6]])
def test_a_broken_document_is_refused_and_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json.gz").write_bytes(content)
    (tmp_path / "b.json").write_bytes(b"{}")
    link = Link(Status("test"))
    found = list(file.documents(follow(tmp_path, follow=False), link))
    assert [parcel.body for parcel in found] == [b"{}"]
    assert link.status.refused["unreadable"] == 1


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b"\0" * 10_000_000))
    link = Link(Status("test"))
    assert not list(file.documents(follow(tmp_path, follow=False, max_body=1_000_000), link))
    assert link.status.refused["too large"] == 1

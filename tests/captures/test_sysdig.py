"""An independent reader of older captures says the same: Debian's sysdig, event by event and filter by filter."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from eyas import _core, catalog, conform
from eyas.cli.replay import filter_program
from tests.captures import scenario

SHARED = Path(__file__).resolve().parents[3] / "shared"
CAPTURES = ("cat_write", "container_start", "curl_google")

pytestmark = pytest.mark.skipif(
    shutil.which("sysdig") is None, reason="sysdig, the independent reader of captures, is not installed"
)

SPELLED = (
    "evt.type evt.res evt.rawres evt.io_dir evt.is_io evt.is_io_read evt.is_io_write evt.is_wait evt.count "
    "evt.is_open_read evt.is_open_write evt.is_open_exec evt.abspath evt.abspath.src evt.abspath.dst "
    "evt.category evt.buflen evt.buflen.in evt.buflen.out evt.buflen.file evt.buflen.net evt.buffer "
    "fd.num fd.type fd.typechar fd.name fd.directory fd.filename fd.cip fd.sip fd.lip fd.rip fd.sport "
    "fd.lport fd.rport fd.l4proto fd.sockfamily fd.is_server fd.uid fd.containername fd.connected "
    "fd.name_changed proc.pid proc.name proc.exe proc.args proc.cmdline proc.exeline proc.cwd proc.ppid "
    "proc.pname proc.aname[2] proc.loginshellid proc.sid proc.vpgid proc.tty proc.fdlimit proc.exepath "
    "thread.tid thread.ismain thread.cgroups thread.cgroup.cpu thread.pfmajor user.uid user.name "
    "user.homedir user.loginuid group.name fdlist.nums fdlist.names fdlist.cips fdlist.sips fdlist.cports "
    "fdlist.sports container.id"
)
FIELDS = SPELLED.split()

# What sysdig 0.29 (2022) says otherwise than Falco 0.44 does; the reasons are in docs/differences.md.
CHANGED_SINCE = {
    "fd.connected": "a socket that is read or written is connected",
    "fd.num": "more system calls speak of a file",
    "evt.category": "system calls without an event of their own have no category any more",
    "evt.type": "the name of an unknown system call",
    "proc.pname": "children of a thread belong to its process",
    "proc.vpgid": "a leader that is unknown has no name",
    "thread.pfmajor": "every exec and clone tells the count anew",
}


def by_sysdig(path: Path, fields: list[str]) -> dict[int, dict[str, str]]:
    form = "*%evt.rawtime\x1f" + "\x1f".join(f"%{field}" for field in fields) + "\x1e"
    run = subprocess.run(
        ["sysdig", "-r", str(path), "-p", form, "evt.dir=<"], capture_output=True, timeout=60, check=True
    )
    rows = [row.strip("\n").split("\x1f") for row in run.stdout.decode("utf8", "replace").split("\x1e")]
    return {int(row[0]): dict(zip(fields, row[1:], strict=True)) for row in rows if len(row) > 1}


def by_us(path: Path, fields: list[str]) -> dict[int, dict[str, str]]:
    rows = (json.loads(row) for row in _core.field_values(str(path), ["evt.rawtime", "evt.dir", *fields]))
    return {
        row["evt.rawtime"]: {field: shown(row[field]) for field in fields}
        for row in rows
        if row["evt.dir"] == "<"
    }


def shown(value: Any) -> str:
    if value is None:
        return "<NA>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def explained(field: str, theirs: dict[str, str], ours: dict[str, str]) -> bool:
    """Whether a difference is one of those between 2022 and today."""
    if field.startswith("fd") and theirs["fd.num"] != ours["fd.num"]:
        return True
    failed_connect = ours["evt.type"] == "connect" and not ours["evt.res"].startswith("SUCCESS")
    if failed_connect and field in ("fd.name", "fd.containername"):
        return True
    failed_open = ours["evt.type"] == "open" and ours["evt.res"] != "SUCCESS"
    if ours["evt.type"] == "openat" and field.startswith("fd."):
        return True
    if (failed_open and field == "fd.typechar") or theirs[field].rstrip("\n") == ours[field].rstrip("\n"):
        return True
    # Any call on a descriptor counts as input or output now, and has a length.
    length = (
        ours["evt.type"] in ("read", "ioctl") and field.startswith("evt.buflen") and theirs[field] == "<NA>"
    )
    return field in CHANGED_SINCE or length


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sysdig") / "scenario.scap"
    path.write_bytes(scenario.capture())
    return path


def compare(path: Path) -> None:
    theirs, ours = by_sysdig(path, FIELDS), by_us(path, FIELDS)
    assert len(set(theirs) - set(ours)) == 0
    differing: Counter[str] = Counter()
    example: dict[str, str] = {}
    for ts, row in theirs.items():
        for field in FIELDS:
            if row[field] != ours[ts][field] and not explained(field, row, ours[ts]):
                differing[field] += 1
                example.setdefault(
                    field, f"{ts} {ours[ts]['evt.type']}: sysdig {row[field]!r}, here {ours[ts][field]!r}"
                )
    assert not differing, "\n".join(f"{n} {field}: {example[field]}" for field, n in differing.items())


def test_a_scenario_in_the_layout_of_2022_reads_alike(made: Path) -> None:
    compare(made)


@pytest.mark.parametrize("name", CAPTURES)
def test_captures_of_the_field_read_alike(name: str) -> None:
    path = SHARED / f"interop/captures/{name}.scap"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    compare(path)


# The calls that both count as speaking of a file.
OF_BOTH = "evt.type in (open, creat, read, write, close, lseek, fcntl, connect, bind, sendto, recvfrom)"

FILTERS = (
    "fd.name = /etc/passwd",
    f"{OF_BOTH} and fd.name != /etc/passwd",
    "fd.name contains pas",
    "fd.name icontains PAS",
    f"{OF_BOTH} and fd.name startswith /home",
    "fd.name endswith wd",
    "fd.name glob /etc/*wd",
    "fd.name in (/etc/passwd, /var)",
    f"{OF_BOTH} and fd.name pmatch (/home, /var/log)",
    f"{OF_BOTH} and fd.name exists",
    f"{OF_BOTH} and not fd.name exists",
    "fd.num > 20",
    "fd.num >= 20 and fd.num < 30",
    f"{OF_BOTH} and fd.num <= 3",
    "fd.type in (file, ipv4)",
    "fd.sip = 10.0.0.2",
    "fd.ip = 10.0.0.2",
    "fd.port = 53",
    "fd.sport = 80",
    "fd.net = 10.0.0.0/8",
    "fd.snet = 8.0.0.0/8",
    "fd.l4proto = udp or fd.l4proto = raw",
    "proc.name = bash and not proc.pname = systemd",
    "proc.aname = bash",
    "proc.args contains 'x y'",
    "user.name = me",
    "evt.type in (open, openat, creat)",
    "evt.is_open_write = true",
    "evt.res = ENOENT",
    "evt.rawres < 0",
    "evt.buffer contains hello",
    "evt.failed = true",
    "evt.arg.name contains passwd",
)


@pytest.mark.parametrize("condition", FILTERS)
def test_filters_keep_the_same_events(condition: str, made: Path) -> None:
    run = subprocess.run(
        ["sysdig", "-r", str(made), "-p", "*%evt.rawtime", f"evt.dir=< and ({condition})"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    theirs = {int(line) for line in run.stdout.split()}
    known = catalog.load()
    numbers = {int(row["evt.num"]): ts for ts, row in by_us(made, ["evt.num"]).items()}
    rule = conform._rule(0, condition, known)
    assert isinstance(rule, dict), rule
    ours = {numbers[num] for num in conform._matches(str(made), [rule]).get(0, []) if num in numbers}
    assert ours == theirs


def test_sysdig_reads_what_a_replay_writes(made: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from eyas.cli.entry import group

    copy = tmp_path / "copy.scap"
    rules = tmp_path / "none.yaml"
    rules.write_text("- list: nothing\n  items: []\n")
    asked = ["replay", str(made), "--write", str(copy), "--filter", "fd.num >= 30", "-r", str(rules)]
    result = CliRunner().invoke(group, asked)
    assert result.exit_code == 0, result.output
    run = subprocess.run(
        ["sysdig", "-r", str(copy), "-p", "*%evt.rawtime %fd.num"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    kept = {line.split()[0] for line in run.stdout.splitlines() if line.split()[1] != "<NA>"}
    assert len(kept) >= 20


KEPT = (
    "evt.type in (read, write, close)",
    "evt.type in (socket, connect, bind, sendto, recvfrom, sendmsg, recvmsg)",
    "evt.type in (clone, execve, open)",
    "fd.type = ipv4",
    "fd.name startswith /etc",
    "proc.name in (bash, curl)",
    "proc.name = nginx",
    "evt.failed = true",
    "evt.type exists",
)
TOLD = (  # noqa: SIM905
    "evt.type fd.num fd.type fd.name fd.cip fd.sip fd.cport fd.sport fd.l4proto proc.pid proc.name proc.cmdline "
    "proc.cwd proc.ppid proc.pname proc.aname[2] proc.exepath proc.sid user.uid user.name container.id"
).split()


@pytest.mark.parametrize("condition", KEPT)
@pytest.mark.parametrize("name", ["made", *CAPTURES])
def test_sysdig_reads_every_kept_event_as_it_reads_the_original(
    name: str, condition: str, made: Path, tmp_path: Path
) -> None:
    """Whatever an event needs of others is in the copy: files, threads, and the enter events older readers look at."""
    path = made if name == "made" else SHARED / f"interop/captures/{name}.scap"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    copy = tmp_path / "copy.scap"
    kept = _core.Program(filter_program(condition))
    replay = _core.Replay(str(path), write=str(copy), keep=kept)
    while not replay.next(100_000)[1]:
        continue
    whole, some = by_sysdig(path, TOLD), by_sysdig(copy, TOLD)
    assert set(some) <= set(whole)
    assert some == {ts: whole[ts] for ts in some}


def test_sysdig_shows_no_event_that_was_not_kept(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.scap"
    kept = _core.Program(filter_program("evt.type = chdir"))
    assert _core.Replay(str(made), write=str(copy), keep=kept).next(1_000_000)[1]
    run = subprocess.run(
        ["sysdig", "-r", str(copy), "-p", "*%evt.type"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(run.stdout.split()) == {"chdir"}

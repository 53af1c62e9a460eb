"""Footage from before an alert, and losses that are told."""

from __future__ import annotations

import select
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from eyas import _core, alert, catalog, pipeline, rules, watch
from eyas.cli import logs
from eyas.errors import RunError
from eyas.rules import document
from eyas.watch import footage, losses

RULE = """
- rule: opened
  desc: A file of this test is opened.
  condition: evt.type in (open, openat, openat2) and fd.name = {file}
  output: "%fd.name"
  priority: WARNING
  capture: true
  capture_duration: 60000
"""


def test_footage_holds_what_came_before_and_after_an_alert(machine, tmp_path) -> None:
    secret, before, after = (tmp_path / name for name in ("secret", "before", "after"))
    for path in (secret, before, after):
        path.write_text("x")
    text = RULE.format(file=secret)
    loaded = rules.load_documents([document.parse("t.yaml", text)], catalog.load(), rules.Settings())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    events = watch.needed(loaded.active, catalog.load())
    live = _core.Live(program, events, retention=(60_000_000_000, 1 << 24))
    settings = footage.Settings(enabled=True, prefix=str(tmp_path / "eyas"))
    kept = footage.Footage(settings, live.footage)
    subprocess.run(["cat", str(before), str(secret)], check=True, stdout=subprocess.DEVNULL)
    while not (found := [one for one in told(live).found if one.matches]):
        pass
    path = kept.of(found[0].matches[0], loaded.active[0])
    assert path is not None
    while not path.exists():
        subprocess.run(["cat", str(after)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cat", str(after)], check=True, stdout=subprocess.DEVNULL)
    live.close()
    opened = "".join(_core.field_values(str(path), ["proc.name", "fd.name"]))
    for file in (before, secret, after):
        assert f'"fd.name":"{file}","proc.name":"cat"' in opened
    again = pipeline.replay(path, loaded.active, program, pipeline.Tally())
    assert [one.message for one in again] == [str(secret)]


def told(live: _core.Live) -> _core.Report:
    """What is told next."""
    assert select.select([live], [], [], 30)[0], "nothing was told"
    return live.take()


def test_only_rules_that_want_footage_get_it_and_one_file_serves_all() -> None:
    begun: list[str] = []

    def begin(path: str, _until: int, _limit: int) -> None:
        begun.append(path)

    kept = footage.Footage(footage.Settings(enabled=True, prefix="/x/eyas", duration=5), begin)
    wants, does_not = SimpleNamespace(capture=True, capture_duration=0), SimpleNamespace(capture=False)
    assert kept.of(SimpleNamespace(ts=1_000_000_000, num=7), does_not) is None
    first = kept.of(SimpleNamespace(ts=1_000_000_000, num=7), wants)
    assert first == Path("/x/eyas_00000000001000000000_00000000000000000007.scap")
    assert kept.of(SimpleNamespace(ts=1_001_000_000, num=8), wants) == first
    assert kept.of(SimpleNamespace(ts=2_000_000_000, num=9), wants) != first
    assert len(begun) == 3


def test_a_loss_names_the_rules_that_it_may_have_blinded() -> None:
    known = catalog.load()
    text = RULE.format(file="/x") + RULE.format(file="/y").replace("opened", "mounts").replace(
        "evt.type in (open, openat, openat2)", "evt.type = mount"
    )
    loaded = rules.load_documents([document.parse("t.yaml", text)], known, rules.Settings())
    loss = SimpleNamespace(
        since=1_000_000_000, until=1_500_000_000, lost={"open": 7}, calls=["openat", "open"]
    )
    raised = losses.raised(loss, loaded.active, known, "host")
    assert raised.fields["eyas.lost.rules"] == ["opened"]
    assert raised.fields["eyas.lost"] == 7
    assert "within 500 ms (7 open)" in raised.message
    assert '"eyas.lost.calls": ["open", "openat"]' in raised.json(alert.Style())


LOSS = alert.Alert(
    "Events lost by the sensor", "Critical", "syscall", ("eyas",), 1, "7 events were lost", {}, "h", {}
)


@pytest.mark.parametrize(
    ("actions", "alerts", "lines"),
    [(("log", "alert"), 1, 1), (("alert",), 1, 0), (("log",), 0, 1), (("ignore",), 0, 0), ((), 0, 0)],
)
def test_a_loss_does_what_the_configuration_says(
    actions: tuple[str, ...], alerts: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin()
    assert len(list(losses.acted(LOSS, actions))) == alerts
    assert capsys.readouterr().err.count("7 events were lost") == lines


def test_a_loss_ends_the_watch_where_the_configuration_says_so() -> None:
    found = losses.acted(LOSS, ("alert", "exit"))
    assert next(found) is LOSS
    with pytest.raises(RunError, match="7 events were lost"):
        next(found)

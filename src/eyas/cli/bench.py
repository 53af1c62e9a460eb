"""`eyas bench`: the numbers of the README, from one command."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyas import pipeline, rules
from eyas.cli import bench_flood, bench_http, bench_live
from eyas.errors import RunError
from eyas.sources import members

if TYPE_CHECKING:
    from eyas.scene.logs import Load


@click.group("bench")
def command() -> None:
    """Measure reading, replaying and loading."""


command.add_command(bench_live.command)
command.add_command(bench_http.command)
command.add_command(bench_flood.command)


@command.command("logs")
@click.option("--events", "wanted", default=1_000_000, show_default=True, help="Events of each source.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def logs(wanted: int, as_json: bool) -> None:
    """Judge made-up logs, repeated in memory: CloudTrail (gzip) by 22 rules, Kubernetes audit by 48."""
    from eyas.scene.logs import loads

    figures = {load.source: _measured(load, wanted) for load in loads()}
    if as_json:
        click.echo(json.dumps(figures))
        return
    for source, found in figures.items():
        click.echo(source)
        _show(found, False)


def _measured(load: Load, wanted: int) -> dict[str, float | int]:
    from eyas import _core

    with tempfile.TemporaryDirectory() as folder:
        rule_file, log = Path(folder, "rules.yaml"), Path(folder, load.name)
        rule_file.write_bytes(load.rules)
        log.write_bytes(load.body)
        loaded = rules.load([rule_file], members.known(), rules.Settings(enable_all=True))
        program = pipeline.compile_rules(loaded.active, loaded.ir, load.source)
        start, spent = time.perf_counter(), time.process_time()
        player = _core.Logs(str(log), program, repeat=max(2, wanted // load.records))
    _, ended = player.next(1 << 16)
    settled = _memory()
    while not ended:
        _, ended = player.next(1 << 18)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    stats = player.stats()
    return {
        "events": stats["events"],
        "alerts": stats["alerts"],
        "rules": len(loaded.active),
        "seconds": seconds,
        "events_per_second": stats["events"] / seconds,
        "events_per_second_of_cpu": stats["events"] / spent,
        "memory_mb": _memory(),
        "memory_growth_mb": _memory() - settled,
    }


def _show(figures: dict[str, float | int], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:20} {value:>16,.3f}" if isinstance(value, float) else f"{name:20} {value:>16,}")


def _unread(capture: Path, error: Exception) -> RunError:
    """A capture that cannot be read."""
    if isinstance(error, OSError):
        return RunError(f"{capture}: {(error.strerror or str(error)).lower()}")
    return RunError(str(error))


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@command.command("replay")
@click.argument("capture", type=Path)
@click.option("-r", "--rules", "paths", multiple=True, type=Path, required=True, help="Rule file or folder.")
@click.option(
    "--events", "wanted", default=5_000_000, show_default=True, help="Events to reach by repeating."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def replay(capture: Path, paths: tuple[Path, ...], wanted: int, as_json: bool) -> None:
    """Repeat CAPTURE in memory through all rules, disabled ones too."""
    from eyas import _core

    loaded = rules.load(paths, members.known(), rules.Settings(enable_all=True))
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    try:
        once, _ = _core.bench_read(str(capture))
        player = _core.Replay(str(capture), program, repeat=max(2, wanted // max(1, once)))
        ended = False
        while not ended:
            _, ended = player.next(1 << 18)
        stats = player.stats()
    except (OSError, _core.CoreError) as error:
        raise _unread(capture, error) from None
    seconds = stats["seconds"] - stats["seed_seconds"]
    _show(
        {
            "events": stats["events"],
            "alerts": stats["alerts"],
            "rules": len(loaded.active),
            "seconds": seconds,
            "events_per_second": stats["events"] / seconds,
            "memory_mb": _memory(),
        },
        as_json,
    )


@command.command("read")
@click.argument("capture", type=Path)
@click.option(
    "--events", "wanted", default=20_000_000, show_default=True, help="Events to reach by repeating."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def read(capture: Path, wanted: int, as_json: bool) -> None:
    """Read CAPTURE again and again, without rules."""
    from eyas import _core

    try:
        once, _ = _core.bench_read(str(capture))
        events, seconds = _core.bench_read(str(capture), repeat=max(2, wanted // max(1, once)))
    except (OSError, _core.CoreError) as error:
        raise _unread(capture, error) from None
    _show({"events": events, "seconds": seconds, "events_per_second": events / seconds}, as_json)


@command.command("load")
@click.option("-r", "--rules", "paths", multiple=True, type=Path, required=True, help="Rule file or folder.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def load(paths: tuple[Path, ...], as_json: bool) -> None:
    """Load and compile rules."""
    known = members.known()
    start = time.perf_counter()
    loaded = rules.load(paths, known, rules.Settings(enable_all=True))
    pipeline.compile_rules(loaded.active, loaded.ir)
    _show(
        {"rules": len(loaded.rules), "seconds": time.perf_counter() - start, "memory_mb": _memory()}, as_json
    )


@command.command("alerts")
@click.option("--count", default=200_000, show_default=True, help="Alerts to accept.")
@click.option("--queued", default=1_000_000, show_default=True, help="Alerts in the queue that is recovered.")
@click.option("--archived", default=10_000_000, show_default=True, help="Alerts in the archive; 0 skips it.")
@click.option("--folder", type=Path, help="Where to write; a temporary folder if not given.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def alerts(count: int, queued: int, archived: int, folder: Path | None, as_json: bool) -> None:
    """Accept alerts, recover a queue after a kill, deliver, and search an archive."""
    from eyas.cli import logs
    from eyas.hub import measure

    logs.begin()
    figures: dict[str, float | int] = {}
    with tempfile.TemporaryDirectory(dir=folder, prefix="eyas-bench-") as name:
        base = Path(name)
        figures |= measure.accept(base / "accept", count)
        figures |= measure.delay(base / "delay", 400)
        if queued != count:
            figures |= {"queued": queued, "memory_mb": measure.accept(base / "queue", queued)["memory_mb"]}
        figures |= measure.recover(base / ("queue" if queued != count else "accept"), queued)
        if archived:
            figures |= measure.search(base / "archive", archived)
    _show(figures, as_json)

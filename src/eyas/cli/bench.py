"""`eyas bench`: the numbers of the README, from one command."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path

import click

from eyas import pipeline, rules
from eyas.errors import RunError
from eyas.sources import members


@click.group("bench")
def command() -> None:
    """Measure reading, replaying and loading."""


def _show(figures: dict[str, float | int], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:20} {value:>16,.3f}" if isinstance(value, float) else f"{name:20} {value:>16,}")


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
        raise RunError(f"{capture}: {error}") from None
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
        raise RunError(f"{capture}: {error}") from None
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

"""`eyas replay`: captures through the rules, alerts to stdout."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from eyas import _core, catalog, lang, pipeline, rules
from eyas.alert import Alert
from eyas.catalog import KERNEL
from eyas.cli import keeping
from eyas.cli.options import Chosen, choose, rule_options
from eyas.cli.speaking import Plain
from eyas.errors import RunError, UsageError
from eyas.sources import members
from eyas.sources.added import ready
from eyas.sources.card import Source


@click.command("replay")
@click.argument("files", nargs=-1, required=True, type=Path)
@rule_options
@click.option("--source", help="The files are logs of this source: JSON, gzip too.")
@click.option("--write", type=Path, help="Write the events that --filter keeps to a capture.")
@click.option("--filter", "condition", help="Condition for --write.")
@click.option("--stats", type=Path, help="Write figures as JSON.")
@click.option("--store", type=Path, help="Keep alerts and what a trail needs in this folder.")
def command(
    files: tuple[Path, ...],
    paths: tuple[Path, ...],
    config_file: Path | None,
    options: tuple[str, ...],
    as_json: bool,
    iso: bool,
    enable_all: bool,
    source: str | None,
    write: Path | None,
    condition: str | None,
    stats: Path | None,
    store: Path | None,
) -> None:
    """Play captures (.scap, plain or gzip), or logs of a source, through the rules and print alerts.

    \b
    eyas replay trace.scap -r rules/
    eyas replay in.scap --write out.scap --filter 'proc.name = nginx'
    eyas replay --source aws_cloudtrail trail/*.json.gz
    """
    expect_source(source or KERNEL)
    chosen = choose(
        paths if config_file else paths or shipped(source),
        config_file,
        options,
        as_json,
        iso,
        enable_all,
        lambda settings: keeping.replayed(settings, store),
    )
    if condition is not None and write is None:
        raise UsageError("--filter says what --write keeps, and there is no --write", "add --write FILE")
    if write is not None and (len(files) > 1 or source is not None):
        raise UsageError("--write takes one capture at a time")
    if write is not None and write.exists() and write.samefile(files[0]):
        raise UsageError(f"--write {write} is the capture that is read", "write to another file")
    keep = None if condition is None else _core.Program(filter_program(condition))
    total = play(files, chosen, source, write, keep)
    if stats is not None:
        write_stats(stats, total)


def play(
    files: Sequence[Path],
    chosen: Chosen,
    source: str | None = None,
    write: Path | None = None,
    keep: _core.Program | None = None,
) -> pipeline.Tally:
    """Play captures, or logs of a source; alerts go where the configuration says."""
    active, ground = chosen.loaded.active, source or KERNEL
    program = pipeline.compile_rules(active, ir_for(chosen.loaded, ground), ground)
    card = None if source is None else chosen.plugins.card(source, active)
    card = card and ready(card, active)
    total = pipeline.Tally()
    bar = Bar(sys.stderr.isatty())
    voice = Plain()
    with keeping.taking(chosen, voice) as take:
        for path in files:
            tally = pipeline.Tally()
            take.footage = path
            if card is None:
                played = pipeline.replay(
                    path, active, program, tally, write=write, keep=keep, progress=bar.show
                )
            else:
                played = _logs(path, card, active, program, tally, bar)
            for alert in played:
                bar.clear()
                take(alert)
                voice.check()
            bar.clear()
            _warn(path, source, tally, card)
            total.add(tally)
    return total


def _warn(path: Path, source: str | None, tally: pipeline.Tally, card: Source | None) -> None:
    """Tell what could not be read of a file."""
    for offset, text in tally.warnings:
        place = path if source is None else f"{source}: {path}"
        click.echo(f"warning: {place}: byte {offset}: {text}", err=True)
    if card is not None and tally.skipped:
        first = f"byte {tally.skipped_at}: {card.skips}"
        click.echo(f"{source}: {path}: {tally.skipped} skipped that are no events, first {first}", err=True)
    if tally.untimed:
        said = f"{tally.untimed} events say no time of their own, first byte {tally.untimed_at}"
        click.echo(
            f"{source}: {path}: {said}: judged at that of the event before, else of the file", err=True
        )
    if source is None and tally.unknown_events:
        said = f"{tally.unknown_events} events of unknown types were skipped"
        click.echo(f"warning: {path}: {said}", err=True)


def _logs(
    path: Path,
    card: Source,
    active: Sequence[rules.Compiled],
    program: _core.Program,
    tally: pipeline.Tally,
    bar: Bar,
) -> Iterator[Alert]:
    from eyas.intake.decoding import decoded

    with decoded(path, card) as lines:
        yield from pipeline.replay_logs(lines, active, program, tally, progress=bar.show)


def shipped(source: str | None) -> tuple[Path, ...]:
    """The rules we ship for a source."""
    path = rules.SERVICES / f"{source}.yaml"
    return (path,) if path.exists() else ()


def expect_source(name: str) -> str:
    """Refuse a source that is not known."""
    known = (KERNEL, *members.names())
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else "known are " + ", ".join(known)
        raise UsageError(f"no source is called '{name}'", hint)
    return name


def ir_for(loaded: rules.Loaded, source: str) -> bytes:
    """IR of the rules in force, with the declaration of a source even if no rule names it."""
    if source == KERNEL or source in loaded.sources:
        return loaded.ir
    declared = {**loaded.sources, source: members.known().sources[source]().declaration}
    return rules.program(loaded.active, loaded.matching, declared)


def filter_program(condition: str) -> bytes:
    """IR of one condition; its faults with a caret."""
    known = catalog.load()
    try:
        tree = lang.parse(condition)
        faults = [fault for fault in lang.check(tree, known) if fault.severity == "error"]
        if faults:
            raise lang.FaultError(faults[0])
        lowered = lang.lower(tree, known)
    except lang.FaultError as error:
        at = error.fault.span[0]
        raise UsageError(
            f"--filter: {error.fault.message}\n  | {condition}\n  | {' ' * at}^", error.fault.help
        ) from None
    rule = {"id": 0, "name": "filter", "source": "syscall", "condition": lowered}
    return json.dumps({"ir": 1, "rules": [rule]}).encode()


def write_stats(path: Path, tally: pipeline.Tally) -> None:
    """Write figures to a file."""
    try:
        path.write_text(json.dumps(tally.json(), indent=2) + "\n")
    except OSError as error:
        raise RunError(f"{path}: {(error.strerror or str(error)).lower()}") from None


class Bar:
    """A progress line on a terminal, for work of over two seconds."""

    def __init__(self, on: bool) -> None:
        import time

        self._on = on
        self._now = time.monotonic
        self._start = self._now()
        self._shown = False

    def show(self, done: int, whole: int | None) -> None:
        """Show how far it is."""
        if not self._on or self._now() - self._start < 2:
            return
        share = f"{100 * done / whole:5.1f} %" if whole else f"{done} bytes"
        sys.stderr.write(f"\r{share}\x1b[K")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = False

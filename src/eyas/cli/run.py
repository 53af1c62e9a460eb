"""`eyas run`: watch this machine, alerts to stdout."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from eyas import catalog, config, pipeline, rules, watch
from eyas.cli import feeds, figures, keeping, logs
from eyas.cli.options import Chosen, choose, duration, rule_options
from eyas.cli.replay import play, write_stats
from eyas.cli.speaking import beside
from eyas.config import schema
from eyas.errors import EyasError, UsageError
from eyas.hub import settings as alerts
from eyas.rules.plan import adjusted, plan
from eyas.watch import changes, farewell, guard, harden, machine, service
from eyas.watch.footage import Settings


@dataclass(frozen=True, slots=True)
class Span:
    """When a run was called, in nanoseconds, and the seconds after which it ends by itself."""

    since: int
    seconds: float | None


@click.command("run")
@rule_options
@click.option("--for", "how_long", metavar="DURATION", help="End by itself after 10s, 2m, 1h.")
@click.option("--stats", type=Path, help="Write figures as JSON at the end.")
def command(how_long: str | None, stats: Path | None, **options: Any) -> None:
    """Watch this machine, and the sources of the configuration, and print alerts as things happen.

    Watching the machine needs root. With `engine.kind: replay` the capture `engine.replay.capture_file` is played
    instead. Without root, or with `engine.kind: nodriver`, only the sources are read.
    Ctrl-C ends it with statistics on stderr. SIGHUP, or a change of a rule file, puts the new rules in force once
    all of them are good; until then the old ones stay.

    \b
    eyas run
    eyas run -r /etc/eyas/rules --json --for 1m --stats figures.json
    """
    seconds = duration(how_long) if how_long else None
    since = time.time_ns()
    first = choose(**options, keeps=_keeps)
    logs.begin(first.settings.log_level, first.settings.log_stderr, first.settings.log_syslog)
    if first.settings.engine.kind == "replay":
        _ended(_replayed(first), stats)
        return
    reading = feeds.Feeds(first)

    def chosen() -> Chosen:
        again = choose(**options, keeps=_keeps)
        reading.prepare(again)
        return again

    if not reading or _may_watch(first):
        _watched(first, reading, chosen, Span(since, seconds), stats)
        return
    with watch.Wakes(seconds, service.heartbeat()) as wakes:
        tally = feeds.alone(reading, first, wakes, changes.Loader(chosen, _failed, wakes))
    if stats is not None:
        write_stats(stats, tally)


def _watched(
    first: Chosen, reading: feeds.Feeds, chosen: Callable[[], Chosen], span: Span, stats: Path | None
) -> None:
    """Watch this machine, and read the sources beside it, until the time is over or a signal says stop."""
    desks: list[keeping.Desk] = []

    def load() -> watch.Force:
        return _force(chosen())

    def reloaded(force: watch.Force) -> None:
        reading.switch()
        for desk in desks:
            desk.learn(force.rules)
        _reloaded(force)

    with watch.Wakes(beat=service.heartbeat()) as wakes, farewell.kept(_folder(first)) as missing:
        watched = _begun(first, wakes, load, watch.Told(reloaded, _failed, _said))
        wakes.restart(span.seconds)
        stop = threading.Event()
        if first.settings.watch_config_files:
            changes.follow(first.sources, span.since, wakes, stop)
        try:
            sensor = figures.of_watch(watched, first.sources, first.config_files)
            voice = beside(lambda: wakes.post(watch.Wake.STOP))
            with keeping.taking(first, voice, sensor) as desk, reading.running(first, desk):
                desks.append(desk)
                for alert in itertools.chain(missing, watched.alerts()):
                    desk(alert)
        finally:
            stop.set()
            _ended(watched.tally, stats)


def _begun(
    first: Chosen, wakes: watch.Wakes, load: Callable[[], watch.Force], told: watch.Told
) -> watch.Watch:
    """A watch whose hooks are on, without the rights that it needs no longer."""
    wishes = _wishes(first.settings)
    harden.before(wishes, _kept)
    watched = watch.Watch(_force(first), wakes, load, told)
    harden.after(wishes, _kept)
    click.echo(f"eyas: watching with {figures.number(watched.force.rules)} rules", err=True)
    return watched


def _folder(chosen: Chosen) -> Path:
    """Where the sensor leaves what the next one reads."""
    return (chosen.keep or alerts.Settings()).folder()


def _keeps(settings: config.Settings) -> alerts.Settings | None:
    """What is kept: of a watch everything, of a replay what the configuration asks for."""
    return keeping.replayed(settings, None) if settings.engine.kind == "replay" else keeping.live(settings)


def _replayed(chosen: Chosen) -> pipeline.Tally:
    """Play the capture of the configuration in place of watching."""
    capture = chosen.settings.engine.replay.capture_file
    if not capture:
        hint = "-o engine.replay.capture_file=FILE, or `eyas replay FILE`"
        raise UsageError("engine.replay.capture_file: expected the capture to play, found nothing", hint)
    for name in ("metrics", "webserver"):
        if getattr(chosen.settings, name).enabled:
            at = chosen.settings.place(name, "enabled")
            click.echo(f"warning: {at}: '{name}' has no effect: a replay is over at once", err=True)
    return play([Path(capture)], chosen)


def _ended(tally: pipeline.Tally, stats: Path | None) -> None:
    _summary(tally)
    if stats is not None:
        write_stats(stats, tally)


def _may_watch(chosen: Chosen) -> bool:
    return chosen.settings.engine.kind != "nodriver" and os.geteuid() == 0


def _force(chosen: Chosen) -> watch.Force:
    known = catalog.load()
    active = [*chosen.loaded.active, *guard.compiled(known)]
    program = pipeline.compile_rules(active, rules.program(active, chosen.loaded.matching))
    collect, events = _collected(active, known, chosen.settings.base_syscalls)
    footage, on_loss = _footage(chosen.settings.capture), chosen.settings.syscall_event_drops.actions
    cluster = machine.cluster(chosen.settings.kubernetes)
    hooks = chosen.settings.engine.modern_ebpf.hooks
    return watch.Force(
        active,
        program,
        events,
        chosen.style,
        collect,
        footage,
        on_loss,
        cluster,
        None if hooks == "auto" else hooks,
    )


def _collected(
    active: list[rules.Compiled], known: catalog.Catalog, more: schema.BaseSyscalls
) -> tuple[str | None, list[int]]:
    """What the kernel collects, and the events that may come of it."""
    if more.all:
        return None, [event.id for event in known.events]
    words = [word for word in more.custom_set if word.removeprefix("!") in known.ids]
    for word in more.custom_set:
        if word not in words:
            click.echo(f"warning: base_syscalls.custom_set: no system call is called '{word}'", err=True)
    return json.dumps(adjusted(plan(active, known), words).json()), watch.needed(active, known)


def _wishes(settings: config.Settings) -> harden.Wishes:
    """`hardening` of the configuration as the watch takes it."""
    wanted = settings.hardening
    return harden.Wishes(wanted.capabilities, wanted.seccomp, settings.program_output.enabled)


def _kept(why: str) -> None:
    click.echo(f"eyas: {why}; the sensor keeps these rights", err=True)


def _footage(capture: schema.Capture) -> Settings:
    """`capture` of the configuration as the watch takes it."""
    return Settings(
        enabled=capture.enabled,
        prefix=capture.path_prefix,
        every_rule=capture.mode == "all_rules",
        duration=capture.default_duration,
        limit=capture.max_file_size_mb,
        before=capture.before,
        memory=capture.memory_mb,
    )


def _reloaded(force: watch.Force) -> None:
    click.echo(f"eyas: reloaded; watching with {figures.number(force.rules)} rules", err=True)


def _said(what: str) -> None:
    click.echo(f"eyas: {what}", err=True)


def _failed(error: EyasError) -> None:
    click.echo(f"eyas: {error}; the rules that were in force stay", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


def _summary(tally: pipeline.Tally) -> None:
    """What was seen, raised and lost."""
    lines = [
        f"{tally.events} events in {tally.seconds:.1f} s, {tally.alerts} alerts, {tally.lost} events lost",
        *(
            f"  lost {account['lost']} of class {name}"
            for name, account in sorted(tally.ledger.items())
            if account["lost"]
        ),
        *(f"  {count:6} {rule}" for rule, count in tally.by_rule.most_common()),
        *(f"  {count:6} held back of {rule}" for rule, count in tally.held.most_common()),
    ]
    if tally.unknown_events:
        lines.append(f"  {tally.unknown_events} events could not be read")
    click.echo("\n".join(lines), err=True)

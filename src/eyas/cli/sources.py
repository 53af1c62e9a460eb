"""`eyas sources`: set up what services send, test it, and see how it does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from eyas import config
from eyas.errors import FAILURE, FINDINGS, EyasError, UsageError

if TYPE_CHECKING:
    from eyas.intake import Feed

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT = Path("/etc/eyas/eyas.yaml")
_STATES = {"running": "green", "failed": "red", "waiting": "yellow"}


@click.group("sources")
def command() -> None:
    """Set up what services send, test it, and see how it does.

    \b
    eyas sources add okta
    eyas sources policy aws_cloudtrail --via sqs
    eyas sources test && eyas sources status
    """


def _config(command: F) -> F:
    option = click.option(
        "-c", "--config", "file", type=Path, help="Configuration.", show_default=str(DEFAULT)
    )
    return option(command)


def _loaded(file: Path | None) -> config.Settings:
    from eyas.sources.reach import falco

    path = file or (DEFAULT if DEFAULT.exists() else None)
    return falco.moved(config.load(path).settings).settings


def _feeds(file: Path | None, name: str | None = None) -> list[Feed]:
    from eyas.intake import configured

    found = configured(_loaded(file).sources)
    chosen = [feed for feed in found if name in (None, feed.name)]
    if not chosen:
        raise UsageError(
            f"no source '{name}' is configured" if name else "no source is configured",
            "eyas sources add NAME",
        )
    return chosen


@command.command("list")
@_config
@click.option("--all", "every", is_flag=True, help="Every source that can be added, with its ways.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_sources(file: Path | None, every: bool, as_json: bool) -> None:
    """List the configured sources."""
    from eyas.cli import added
    from eyas.intake.configured import ways
    from eyas.sources import members

    added.warn()
    if every:
        named = {name: members.find(name) for name in members.names()}
        rows = [
            {"source": name, "about": source.about, "ways": {way.via: way.about for way in ways(name)}}
            for name, source in named.items()
            if source is not None
        ]
    else:
        rows = [
            {"name": feed.name, "source": feed.source.name, "via": feed.way.via, "about": feed.way.about}
            for feed in _feeds(file)
        ]
    click.echo(json.dumps(rows, indent=1) if as_json else "\n".join(_shown(row) for row in rows))


def _shown(row: dict[str, Any]) -> str:
    if "ways" not in row:
        return f"{row['name']:20} {row['source']:16} {row['via']:12} {row['about']}"
    lines = [
        f"{row['source']}: {row['about']}",
        *(f"  {via:12} {about}" for via, about in row["ways"].items()),
    ]
    return "\n".join(lines)


@command.command("status")
@_config
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(file: Path | None, as_json: bool) -> int:
    """Show how each source does; exit code 1 when one has failed."""
    from eyas.cli.feeds import store_of
    from eyas.transports.checkpoint import Checkpoints

    settings = _loaded(file)
    path = store_of(settings)
    if not path.exists():
        raise UsageError(f"{path}: no source has run yet", "eyas run")
    store = Checkpoints(path)
    reports = _of(settings, store.reports())
    store.close()
    if as_json:
        click.echo(json.dumps(reports, indent=1))
    else:
        for name, report in reports.items():
            click.echo("\n".join(_report(name, report)))
    return FINDINGS if any(report["state"] == "failed" for report in reports.values()) else 0


def _of(settings: config.Settings, reports: dict[str, Any]) -> dict[str, Any]:
    """Reports of the sources that are configured; of all that have run when none is."""
    known = settings.sources.keys() | {entry.name for entry in settings.plugins}
    kept = {
        name: report for name, report in reports.items() if known & set(name.partition(" on ")[0].split(", "))
    }
    return kept if known else reports


def _report(name: str, report: dict[str, Any]) -> Iterable[str]:
    state = click.style(report["state"], fg=_STATES.get(report["state"]), bold=True)
    yield f"{name}: {state}{' — ' + report['detail'] if report['detail'] else ''}"
    yield f"  {report['where']}, reported {_ago(report['at'])}, last event {_ago(report['last'])}"
    counts = ", ".join(f"{report[key]} {key}" for key in _counted(report))
    refused = ", ".join(f"{count} {reason}" for reason, count in report["refused"].items()) or "nothing"
    yield f"  {counts}; refused: {refused}"
    if untimed := report.get("untimed"):
        yield f"  {untimed} events said no time of their own and were judged at that of the event before, or of arrival"


def _counted(report: dict[str, Any]) -> Iterable[str]:
    yield from ("events", "alerts", "repeated", "retries")
    if report.get("restarts"):
        yield "restarts"


def _ago(moment: float) -> str:
    if not moment:
        return "never"
    seconds = max(0, int(time.time() - moment))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


@command.command("test")
@click.argument("name", required=False)
@_config
def test(name: str | None, file: Path | None) -> int:
    """Reach every configured source, or NAME, once."""
    good = True
    for feed in _feeds(file, name):
        good &= _reach(feed)
    return 0 if good else FAILURE


def _reach(feed: Feed) -> bool:
    try:
        said = feed.way.probe(feed.settings)
    except EyasError as error:
        hint = f"\n  hint: {error.hint}" if error.hint else ""
        click.echo(f"{feed.name}: {click.style('failed', fg='red')}: {error}{hint}", err=True)
        return False
    click.echo(f"{feed.name}: {click.style('good', fg='green')}: {said}")
    return True


@command.command("policy")
@click.argument("name")
@click.option("--via", help="Way, when NAME is no configured source.")
@_config
def policy(name: str, via: str | None, file: Path | None) -> None:
    """Print the least rights that a configured source, or the source NAME, needs at the service."""
    from eyas.intake.configured import OWN, source_of, way_of, ways
    from eyas.sources.reach.policy import text

    section = _loaded(file).sources.get(name, {})
    source = source_of(str(section.get("source", name)), name).name
    via = via or section.get("via")
    chosen = [way_of(source, via, name)] if via else ways(source)
    values = {key: value for key, value in section.items() if key not in OWN}
    found = {way: said for way in chosen if (said := text(source, way, values))}
    if not found:
        click.echo(f"{name} needs no rights at a service", err=True)
    for way, said in found.items():
        if len(found) > 1:
            click.secho(f"# {way.via}: {way.about}", bold=True)
        click.echo(said)


@command.command("add")
@click.argument("name")
@click.option("--source", help="Source, when NAME is a name of your own.")
@click.option("--via", help="Way by which it arrives.")
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="Answer beforehand; repeatable.")
@click.option("--yes", is_flag=True, help="Ask nothing; what is not set keeps its default.")
@click.option("--no-test", "untested", is_flag=True, help="Do not reach the service.")
@_config
def add(
    name: str,
    source: str | None,
    via: str | None,
    given: tuple[str, ...],
    yes: bool,
    untested: bool,
    file: Path | None,
) -> None:
    """Add a source: asks for what it needs, tests it, prints the rights it needs, and writes the configuration.

    A secret is given by its place: env:NAME, file:PATH or keyring:SERVICE/USER. It is never shown or written.

    \b
    eyas sources add okta
    eyas sources add trail --source aws_cloudtrail --via sqs --set queue=trail --set region=eu-central-1
    """
    from eyas.cli import asking

    path = file or DEFAULT
    asked = asking.section(name, source, via, given, silent=yes)
    feed = asked.feed
    said = asked.policy()
    if said:
        click.secho("Rights that it needs at the service:", bold=True, err=True)
        click.echo(said, err=True)
    if not untested and not _reach(feed) and (yes or not click.confirm("write it all the same?")):
        raise UsageError(f"{name} was not added", "correct it, or use --no-test")
    asking.write(path, name, asked.values)
    click.echo(f"{name} was added to {path}; `eyas run` reads it")

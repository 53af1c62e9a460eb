"""`eyas trail`: what happened around an alert."""

from __future__ import annotations

import json
from pathlib import Path

import click
from markupsafe import Markup

from eyas.alert import SECOND, escaped, iso8601, unseen
from eyas.cli.alerts.options import folder_of, reading_from, store_options
from eyas.errors import RunError
from eyas.hub import drawing, moments, page, reading
from eyas.hub.trail import Process, Trail, nearest, trail

MARKS = {"ancestor": " ", "subject": "▶", "child": "└"}
SHOWN = 400
DAY = 86_400 * SECOND


@click.command("trail")
@click.argument("alert")
@store_options
@click.option(
    "--window",
    metavar="DURATION",
    help="How far to look around; 1h, for alerts of a cloud 24h, if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--html", type=Path, metavar="FILE", help="As one page that stands alone.")
def command(
    alert: str,
    store: Path | None,
    config_file: Path | None,
    window: str | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Show what happened around ALERT: processes, files, addresses, identities, other alerts, in order of time.

    ALERT is an id, the beginning of one, or `last`.

    \b
    eyas trail last
    eyas trail 3f2a9c --html trail.html
    """
    with reading_from(folder_of(store, config_file)) as db:
        found = trail(db, reading.one(db, alert), moments.length(window) if window else 0)
    if as_json:
        click.echo(unseen(json.dumps(found.json(), ensure_ascii=False, indent=2, default=str)))
    if html is not None:
        _write(html, web_page(found))
    if not as_json and html is None:
        _show(found)


def web_page(found: Trail) -> str:
    """The trail as one page."""
    return page.render(
        "trail.html",
        trail=found,
        alert=found.kept.alert,
        graph=drawing.graph(found),
        strip=drawing.strip(found.timeline),
        more_style=Markup(page.text("trail.css")),
        script=Markup(page.text("trail.js")),
        data=page.data(found.json()),
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    click.echo(f"written to {path}", err=True)


def _show(found: Trail) -> None:
    alert = found.kept.alert
    click.echo(click.style(f"{escaped(alert.rule)}  {alert.priority}", bold=True))
    click.echo(f"{iso8601(alert.ts, 'Z')} on {escaped(alert.hostname)}: {escaped(alert.message)}")
    _tree(found.processes)
    for title, values in (("addresses", found.addresses), ("files and things", found.files)):
        if values:
            click.secho(f"\n{title}", bold=True)
        for name, how in sorted(values.items())[:SHOWN]:
            click.echo(f"  {escaped(name)}  ({', '.join(sorted(how))})")
    if found.identities:
        click.secho("\nidentities", bold=True)
    for label, names in found.identities.items():
        click.echo(f"  {label}: {escaped(', '.join(sorted(names)))}")
    for chapter in found.story:
        click.secho(f"\n{chapter.title} ({chapter.count})", bold=True)
        for line in chapter.lines[:SHOWN]:
            click.echo(f"  {escaped(line)}")
    click.secho("\ntimeline", bold=True)
    days = len({moment.ts // DAY for moment in found.timeline}) > 1
    for moment in nearest(found.timeline, found.kept.alert.ts, SHOWN):
        own = moment.id == found.kept.id
        mark = ">" if own else " "
        line = f"{mark} {iso8601(moment.ts, ' ')[0 if days else 11 : 23].replace('T', ' ')}  {moment.kind:<10} {escaped(moment.who)}: {escaped(moment.text)}"
        click.secho(line, fg="red" if moment.kind == "alert" else None, bold=own)
    if len(found.timeline) > SHOWN:
        click.echo(f"  … the {SHOWN} nearest of {len(found.timeline)}; --json gives all of them")
    if found.cut:
        click.echo("  … more was noted than is shown; a shorter --window shows all of it")
    click.echo(f"\nfootage: {found.footage or 'none was kept'}")


def _tree(processes: list[Process]) -> None:
    if processes:
        click.secho("\nprocesses", bold=True)
    depth: dict[int, int] = {}
    for process in processes:
        level = depth.get(process.parent or -1, -1) + 1
        depth[process.pid] = level
        text = f"  {'  ' * level}{MARKS.get(process.why, ' ')} {process.pid} {escaped(process.command or process.name)}"
        user = f"  ({escaped(process.user)})" if process.user and process.user != "<NA>" else ""
        click.secho(text + user, bold=process.why == "subject")

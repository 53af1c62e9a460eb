"""`eyas alerts export|archive|report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eyas.cli.alerts.options import Wanted, folder_of, found, store_options, time_options, writing_to
from eyas.errors import RunError, UsageError
from eyas.hub import archive, export, moments
from eyas.hub import report as reports

FORMATS = ("json", "csv", "parquet", "ocsf")

STDOUT = Path("-")


@click.command("export")
@click.argument("condition", required=False, default="")
@store_options
@time_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", show_default=True)
@click.option("-o", "--output", type=Path, help="File; standard output if none is given.")
@click.option("--archive", "archived", is_flag=True, help="Alerts of the archive too.")
def export_command(
    condition: str,
    store: Path | None,
    config_file: Path | None,
    since: str | None,
    until: str | None,
    form: str,
    output: Path | None,
    archived: bool,
) -> None:
    """Export alerts, those that meet CONDITION if one is given.

    \b
    eyas alerts export --since 7d --format csv -o week.csv
    eyas alerts export 'priority >= error' --format ocsf
    """
    output = None if output == STDOUT else output
    alerts = found(folder_of(store, config_file), Wanted(condition, since, until, archived=archived))
    if form == "parquet":
        if output is None:
            raise UsageError("a Parquet file needs a name", "add -o alerts.parquet")
        number = export.parquet(alerts, output)
    elif output is None:
        number = export.write(export.LINES[form](alerts), sys.stdout)
    else:
        try:
            with output.open("w", encoding="utf-8", newline="\n") as file:
                number = export.write(export.LINES[form](alerts), file)
        except OSError as error:
            raise RunError(f"{output}: {(error.strerror or str(error)).lower()}") from None
    if output is not None:
        click.echo(f"{number - (form == 'csv')} alerts written to {output}", err=True)


@click.command("archive")
@store_options
@click.option("--older-than", default="7d", show_default=True, help="Alerts that came before.")
def archive_command(store: Path | None, config_file: Path | None, older_than: str) -> None:
    """Move delivered alerts that are old into a Parquet file, where `search --archive` finds them."""
    folder = folder_of(store, config_file)
    with writing_to(folder) as db:
        number, path = archive.move(folder, db, moments.moment(older_than))
    click.echo(f"{number} alerts moved to {path}" if path else "nothing to move", err=True)


@click.command("report")
@store_options
@time_options
@click.option("-o", "--output", type=Path, required=True, help="The page; - is standard output.")
@click.option("--title", default="Compliance report", show_default=True)
def report_command(
    store: Path | None,
    config_file: Path | None,
    since: str | None,
    until: str | None,
    output: Path,
    title: str,
) -> None:
    """Write one page with the alerts of each control of PCI DSS, NIST 800-53 and CIS; it prints well.

    Controls are read from the tags of rules: `PCI_DSS_10.2.7`, `NIST_800-53_AU-2`, `CIS_5.2.1`. Where they name none,
    the ATT&CK tactic of the rule says which controls it serves.
    """
    alerts = found(folder_of(store, config_file), Wanted("", since, until, archived=True))
    page = reports.page(reports.gather(alerts), title)
    if output == STDOUT:
        click.echo(page)
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{output}: {(error.strerror or str(error)).lower()}") from None
    click.echo(f"written to {output}", err=True)

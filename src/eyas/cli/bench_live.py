"""`eyas bench live`: what watching costs the machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from eyas.watch import cost


@click.command("live")
@click.option("-r", "--rules", "paths", multiple=True, type=Path, help="Rule file or folder; repeatable.")
@click.option("--rounds", default=5, show_default=True, help="Rounds without and with the sensor.")
@click.option("--count", default=200_000, show_default=True, help="System calls of a round.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(paths: tuple[Path, ...], rounds: int, count: int, as_json: bool) -> None:
    """Measure the work of this machine without and with the sensor, in turns; ratios of medians. Needs root.

    Columns: without, with an empty tp_btf program (loops only), with the sensor. The loops count their own processor time; redis and nginx (with wrk) take part where they are installed.
    """
    if absent := cost.missing():
        click.echo(f"left out, for it is not installed: {', '.join(absent)}", err=True)
    figures, agent = cost.measure(paths, rounds, count)
    rows = {name: one.row() for name, one in figures.items()}
    if as_json:
        click.echo(json.dumps({"work": rows, "agent": asdict(agent)}))
        return
    for name, row in rows.items():
        empty = f"{row['empty']:,.0f}" if "empty" in row else ""
        click.echo(
            f"{name:12} {row['without']:12,.0f} {empty:>12} {row['with']:12,.0f} {row['unit']:12} "
            f"x{row['ratio']:.3f}"
        )
    click.echo(
        f"agent        {agent.seconds:.2f} s of processor time a round, {agent.memory_mb:.0f} MB, "
        f"{agent.events:,} events, {agent.lost:,} lost"
    )

"""`eyas rules coverage`: which techniques of ATT&CK the rules cover, and which they do not."""

from __future__ import annotations

import json
from pathlib import Path

import click

from eyas import rules
from eyas.alert import techniques
from eyas.cli.options import report
from eyas.cli.rules.paths import count, load, rule_paths
from eyas.rules.attack import NAMES, TACTICS


@click.command("coverage")
@rule_paths
@click.option("--gaps", is_flag=True, help="Only techniques that no rule covers.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(paths: tuple[Path, ...], more: tuple[Path, ...], gaps: bool, as_json: bool) -> None:
    """Show which techniques of MITRE ATT&CK (Linux and containers) the tags of rules name.

    \b
    eyas rules coverage
    eyas rules coverage my-rules/ --gaps
    """
    loaded = load(paths, more)
    report(loaded)
    covered = by_technique(loaded)
    if as_json:
        click.echo(json.dumps(_json(covered), indent=1))
        return
    for tactic, known in _grouped(covered).items():
        _tactic(tactic, known, covered, gaps)
    known_covered = sum(number in covered for number in NAMES)
    others = len(covered) - known_covered
    more_words = f", {others} others" if others else ""
    click.echo(
        f"{count(len(loaded.rules), 'rule')} cover {known_covered} of {len(NAMES)} techniques{more_words}"
    )


def by_technique(loaded: rules.Loaded) -> dict[str, list[str]]:
    """Names of the rules that carry each technique among their tags."""
    covered: dict[str, list[str]] = {}
    for rule in loaded.rules:
        for technique in techniques(rule.tags):
            covered.setdefault(technique, []).append(rule.name)
    return dict(sorted(covered.items()))


def _grouped(covered: dict[str, list[str]]) -> dict[str, dict[str, str]]:
    """Techniques by tactic, those at the end that the table does not know."""
    others = {number: "" for number in covered if number not in NAMES}
    return {**TACTICS, "other techniques": others} if others else TACTICS


def _tactic(tactic: str, known: dict[str, str], covered: dict[str, list[str]], gaps: bool) -> None:
    have = sum(number in covered for number in known)
    click.secho(f"{tactic}  {have} of {len(known)}", bold=True)
    for number, name in known.items():
        found = covered.get(number, [])
        if found and gaps:
            continue
        mark = (
            click.style(f"{count(len(found), 'rule'):>8}", fg="green")
            if found
            else click.style("       -", fg="yellow")
        )
        click.echo(f"{mark}  {number:10} {name}".rstrip())


def _json(covered: dict[str, list[str]]) -> dict[str, object]:
    return {
        "techniques": [
            {"technique": number, "name": NAMES.get(number, ""), "rules": names}
            for number, names in covered.items()
        ],
        "gaps": [number for number in NAMES if number not in covered],
        "known": len(NAMES),
    }

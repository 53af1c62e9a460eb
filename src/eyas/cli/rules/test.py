"""`eyas rules test`: plays the events that rules carry and compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyas.cli.rules import tree
from eyas.cli.rules.paths import count, load, rule_paths, show
from eyas.errors import FINDINGS
from eyas.rules import Compiled

if TYPE_CHECKING:
    from eyas.scene import Verdict


@click.command("test")
@rule_paths
@click.option("-v", "--verbose", is_flag=True, help="Also what passed, with the alerts.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(paths: tuple[Path, ...], more: tuple[Path, ...], verbose: bool, as_json: bool) -> int:
    """Play the events in the `tests` of rules: those to catch must raise an alert, those to ignore must not.

    \b
    eyas rules test
    eyas rules test my-rules/ -v

    Exit code 1 when a test fails, a test cannot be played, or the rules have errors.
    """
    from eyas import scene

    loaded = load(paths, more)
    compiled = {rule.name: rule for rule in loaded.rules}
    faults = [problem for problem in loaded.problems if problem.is_error or "tests" in dict(problem.items)]
    results = {name: scene.judge(rule) for name, rule in compiled.items()}
    verdicts = [verdict for one in results.values() for verdict in one]
    failed = sum(not verdict.passed for verdict in verdicts)
    untested = [name for name, one in results.items() if not one]
    if as_json:
        body = {
            "problems": [problem.json() for problem in faults],
            "tests": [_json(verdict) for verdict in verdicts],
            "untested": untested,
        }
        click.echo(json.dumps(body, indent=1))
    else:
        show(faults)
        _report(results, compiled, verbose)
        bare = f", {count(len(untested), 'rule')} without tests" if untested else ""
        click.echo(
            f"{count(len(verdicts), 'test')} of {count(len(results) - len(untested), 'rule')}: {failed} failed{bare}"
        )
    return FINDINGS if failed or faults else 0


def _report(results: dict[str, list[Verdict]], compiled: dict[str, Compiled], verbose: bool) -> None:
    for name, verdicts in results.items():
        if verbose and verdicts:
            click.secho(name, bold=True)
        for verdict in verdicts:
            if verbose:
                _told(verdict)
            if verdict.problem:
                show([verdict.problem])
                _why(compiled[name], verdict)


def _why(rule: Compiled, verdict: Verdict) -> None:
    """For a rule that should have held: the event that came nearest, and what was missing there."""
    from eyas import scene

    if (
        not verdict.example.catches
        or verdict.alerts
        or (verdict.problem and verdict.problem.code == scene.UNPLAYABLE)
    ):
        return
    near = scene.nearest(rule, verdict.example.events.text)
    if near is None:
        return
    place = verdict.example.events.place(near.happening.offset)
    click.echo(f"  nearest is {near.happening.name} in line {place.line}, where it")
    for reason in list(tree.reasons(near.answer))[:6]:
        click.echo(f"    {reason}")


def _told(verdict: Verdict) -> None:
    mark = click.style("ok    ", fg="green") if verdict.passed else click.style("failed", fg="red")
    kind = "catches" if verdict.example.catches else "ignores"
    click.echo(f"  {mark} {kind} {verdict.example.name}")
    for alert in verdict.alerts:
        click.secho(f"         {alert.message}", dim=True)


def _json(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "test": verdict.example.name,
        "kind": "catches" if verdict.example.catches else "ignores",
        "passed": verdict.passed,
        "problem": verdict.problem.json() if verdict.problem else None,
        "file": verdict.example.place.file,
        "line": verdict.example.place.line,
        "alerts": [alert.message for alert in verdict.alerts],
    }

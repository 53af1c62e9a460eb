"""`eyas rules check`: every fault of every rule file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from eyas import rules
from eyas.cli.options import known_with
from eyas.cli.rules.paths import count, load, rule_paths, show
from eyas.errors import FINDINGS


@click.command("check")
@rule_paths
@click.option("--json", "as_json", is_flag=True, help="As JSON, in the shape of Falco's validation.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings too.")
@click.option(
    "-c", "--config", "config_file", type=Path, help="Configuration whose binary plugins count too."
)
def command(
    paths: tuple[Path, ...],
    more: tuple[Path, ...],
    as_json: bool,
    strict: bool,
    config_file: Path | None,
) -> int:
    """Report every fault of every rule file; exit code 1 when there are errors.

    \b
    eyas rules check my-rules/
    eyas rules check base.yaml mine.yaml --json
    """
    loaded = load(paths, more, known_with(config_file))
    if as_json:
        click.echo(json.dumps({"falco_load_results": _results(loaded)}, indent=1))
    else:
        show(loaded.problems)
        click.echo(_summary(loaded))
    return FINDINGS if loaded.errors or (strict and loaded.problems) else 0


def _summary(loaded: rules.Loaded) -> str:
    errors = len(loaded.errors)
    warnings = len(loaded.problems) - errors
    files = count(len(loaded.files), "file")
    return f"{count(len(loaded.rules), 'rule')} good in {files}, {count(errors, 'error')}, {count(warnings, 'warning')}"


def _results(loaded: rules.Loaded) -> list[dict[str, Any]]:
    files = dict.fromkeys([*loaded.files, *(problem.place.file for problem in loaded.problems)])
    return [_result(file, [one for one in loaded.problems if one.place.file == file]) for file in files]


def _result(file: str, problems: list[rules.Problem]) -> dict[str, Any]:
    return {
        "name": file,
        "successful": not any(problem.is_error for problem in problems),
        "errors": [problem.json() for problem in problems if problem.is_error],
        "warnings": [problem.json() for problem in problems if not problem.is_error],
    }

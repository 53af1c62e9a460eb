"""`eyas rules fmt`: writes rule files in the one form."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from eyas.cli.rules.paths import count
from eyas.errors import FAILURE, FINDINGS, RunError
from eyas.rules.formatting import FormatError, formatted
from eyas.rules.loading import files_of

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, type=Path)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Write rule files in the one form: keys in order, long conditions in lines. Meaning and comments stay.

    \b
    eyas rules fmt my-rules/
    eyas rules fmt --check --diff my-rules/

    Exit code 1 when --check finds a file to change, 3 when a file cannot be read or written.
    """
    files, problems = files_of(paths)
    for problem in problems:
        click.echo(problem.text(), err=True)
    changed = failed = 0
    for path in files:
        try:
            changed += _file(path, check or diff, diff)
        except (FormatError, RunError) as error:
            place = f"{path}:{error.line}" if isinstance(error, FormatError) else str(path)
            click.echo(f"{place}: error: {error}", err=True)
            failed += 1
    word = "to change" if check or diff else "changed"
    click.echo(f"{count(len(files), 'file')}, {changed} {word}", err=True)
    return FAILURE if failed or problems else FINDINGS if check and changed else 0


def _file(path: Path, keep: bool, diff: bool) -> bool:
    """Format one file; whether it changes."""
    try:
        before = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RunError((error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError as error:
        raise RunError(f"byte {error.start} is not UTF-8") from None
    after = formatted(before)
    if before == after:
        return False
    if diff:
        for line in _difference(path, before, after):
            click.secho(line, fg=COLOURS.get(line[:1]))
    if not keep:
        _write(path, after)
    if not diff:
        click.echo(path)
    return True


def _difference(path: Path, before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="")
    return iter(lines)


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one and never half of it."""
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(target.stat().st_mode)
        Path(name).replace(target)
    except OSError as error:
        raise RunError((error.strerror or str(error)).lower()) from None

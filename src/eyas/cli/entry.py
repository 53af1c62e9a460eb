"""The command `eyas`: finds the file of a command, calls it, turns failures into words and exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from eyas.cli.lazy import Lazy
from eyas.errors import FAILURE, USAGE, EyasError

COMMANDS = {
    "run": "watch this machine",
    "replay": "play captures through the rules",
    "record": "write a capture of this machine",
    "rules": "check, test, list, explain and format rules",
    "fields": "what a rule can ask",
    "events": "what can happen",
    "doctor": "what this machine allows",
    "hub": "take alerts of others, keep them and send them on",
    "alerts": "list, search, export alerts; say what becomes of them",
    "trail": "what happened around an alert",
    "outputs": "list, test and preview receivers of alerts",
    "sources": "set up what services send, test it, see how it does",
    "source": "write a source of your own",
    "demo": "show what a short attack raises, without root",
    "bench": "measure",
}


LEFT = 141  # exit code when the reader of standard output has left, as if SIGPIPE had ended the command


class ReaderLeftError(Exception):
    """Whoever read standard output reads no more. A type of its own, as click would turn a broken pipe into code 1."""


class Commands(Lazy):
    """All commands; what they print may end before whoever reads it has had enough."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the options; `--help` and `--version` print here."""
        with _read_to_the_end():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _read_to_the_end():
            return super().invoke(ctx)


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from eyas import _core

        click.echo(f"eyas {_core.__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    about=COMMANDS,
    place="eyas.cli.{}:command".format,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def group() -> None:
    """Eyas watches this machine as things happen, judges every event by rules and raises alerts.

    Exit codes: 0 fine, 1 findings (check, test), 2 usage or configuration, 3 failure while running, 141 when
    whoever read standard output has left (`eyas run | head -1`).
    """


def main() -> None:
    """Run the command line and exit."""
    # Structlog draws tracebacks with it where it is installed; our logs hold none, and it is 5 MB and a tenth of a start.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    try:
        result: Any = group(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except EyasError as error:
        click.echo(f"eyas: {error}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.code)
    except ReaderLeftError:
        _discard()
        sys.exit(LEFT)
    except OSError as error:
        _discard()
        click.echo(f"eyas: cannot write: {(error.strerror or str(error)).lower()}", err=True)
        sys.exit(FAILURE)


@contextlib.contextmanager
def _read_to_the_end() -> Iterator[None]:
    """Print what is buffered while a failure can still be told, and tell a reader that has left from other failures."""
    try:
        yield
        if sys.__stdout__ is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeftError from None


def _discard() -> None:
    """Let what is still buffered go nowhere, so that the end of the program does not try again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)

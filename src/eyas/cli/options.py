"""Options that several commands share, and the values they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from eyas import alert, catalog, config, rules
from eyas.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the shared options came to."""

    loaded: rules.Loaded
    style: alert.Style
    settings: config.Config


def rule_options(command: F) -> F:
    """`-r`, `-c`, `-o`, `--json` and their relatives."""
    for option in (
        click.option(
            "-r", "--rules", "paths", multiple=True, type=Path, help="Rule file or folder; repeatable."
        ),
        click.option(
            "-c", "--config", "config_file", type=Path, help="Configuration: eyas.yaml or falco.yaml."
        ),
        click.option(
            "-o", "options", multiple=True, metavar="KEY=VALUE", help="Override a setting; repeatable."
        ),
        click.option("--json", "as_json", is_flag=True, help="Alerts as JSON lines."),
        click.option("--iso", is_flag=True, help="Times as ISO 8601 in UTC."),
        click.option("--enable-all", is_flag=True, help="Also rules that are disabled in their file."),
    ):
        command = option(command)
    return command


def choose(
    paths: Sequence[Path],
    config_file: Path | None,
    options: Sequence[str],
    as_json: bool,
    iso: bool,
    enable_all: bool,
) -> Chosen:
    """Load configuration and rules; faults of the rules go to stderr and end the command."""
    settings = config.load(config_file, options)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    where = list(paths) or [Path(str(p)) for p in settings.get("rules_files", [])] or [rules.BUILTIN]
    loaded = rules.load(where, catalog.load(), rule_settings(settings, enable_all))
    report(loaded)
    style = alert.Style(
        json_output=as_json or bool(settings.get("json_output", False)),
        time_format_iso_8601=iso or bool(settings.get("time_format_iso_8601", False)),
        json_include_output_property=bool(settings.get("json_include_output_property", True)),
        json_include_message_property=bool(settings.get("json_include_message_property", False)),
        json_include_output_fields_property=bool(settings.get("json_include_output_fields_property", True)),
        json_include_tags_property=bool(settings.get("json_include_tags_property", True)),
    )
    return Chosen(loaded, style, settings)


def report(loaded: rules.Loaded) -> None:
    """Say what is wrong with rules; errors end the command."""
    for problem in loaded.problems:
        if problem.is_error or not problem.code.startswith("LOAD_UNUSED"):
            click.echo(problem.text(), err=True)
    if loaded.errors:
        raise UsageError(f"{len(loaded.errors)} errors in the rules", "see `eyas rules check`")


def rule_settings(settings: config.Config, enable_all: bool) -> rules.Settings:
    """What the configuration says about rules."""
    matching = settings.get("rule_matching", "all")
    if matching not in ("all", "first"):
        raise UsageError(f"rule_matching is '{matching}', expected 'all' or 'first'")
    names = [name.lower() for name in rules.PRIORITIES]
    priority = str(settings.get("priority", "debug")).lower()
    priority = "informational" if priority == "info" else priority
    if priority not in names:
        raise UsageError(f"priority is '{priority}', expected one of {', '.join(names)}")
    return rules.Settings(
        switches=tuple(_switch(entry) for entry in settings.get("rules", [])),
        priority=names.index(priority),
        matching=matching,
        enable_all=enable_all,
    )


def _switch(entry: Any) -> rules.Switch:
    if isinstance(entry, dict) and len(entry) == 1:
        word, what = next(iter(entry.items()))
        if word in ("enable", "disable") and isinstance(what, dict) and what.keys() <= {"rule", "tag"}:
            return rules.Switch(word == "enable", what.get("rule"), what.get("tag"))
    raise UsageError(
        f"rules: {entry!r} is not of the form {{enable: {{rule: NAME}}}} or {{disable: {{tag: TAG}}}}"
    )


def duration(text: str) -> float:
    """Seconds of `10s`, `2m`, `1h`, `500ms` or a plain number."""
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)):
        number = text.removesuffix(unit) if unit else text
        if text.endswith(unit) and number.replace(".", "", 1).isdecimal():
            return float(number) * seconds
    raise UsageError(f"'{text}' is not a duration", "write 10s, 2m or 1h")

"""Options that several commands share, and the values they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from eyas import alert, config, rules
from eyas.catalog import Catalog, statics
from eyas.cli import added
from eyas.cli.rules.paths import count
from eyas.errors import UsageError
from eyas.hub import activity, entities
from eyas.hub import settings as alerts
from eyas.sources import members
from eyas.sources.binary.configured import NO_PLUGINS, Plugins, configured
from eyas.sources.reach import falco

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("/etc/eyas/eyas.yaml")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the shared options came to."""

    loaded: rules.Loaded
    style: alert.Style
    settings: config.Settings
    sources: tuple[Path, ...] = ()
    keep: alerts.Settings | None = None  # how alerts are kept; None keeps none
    plugins: Plugins = NO_PLUGINS
    known: Catalog | None = None
    config_files: tuple[
        Path, ...
    ] = ()  # those among `sources` that hold configuration, and what they include


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
    keeps: Callable[[config.Settings], alerts.Settings | None] = lambda _: None,
) -> Chosen:
    """Load configuration and rules; faults of the rules go to stderr and end the command."""
    config_file = config_file or _default_file()
    found = config.load(config_file, options)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    own = falco.moved(found.settings)
    settings = own.settings
    where = list(paths) or list(_listed(settings)) or [rules.BUILTIN, *service_rules(settings.sources)]
    keep = keeps(settings)
    noted = [activity.RULES] if keep is not None and keep.trail else []
    carry = entities.CARRIED if noted else ()
    plugins, said = configured(settings.plugins, settings.load_plugins)
    for line in own.said:
        click.echo(f"eyas: {line}", err=True)
    for warning in (*own.warnings, *said):
        click.echo(f"warning: {warning}", err=True)
    added.warn()
    known = plugins.known(members.known()).with_fields(statics(settings.static_fields))
    loaded = rules.load([*where, *noted], known, rule_settings(settings, enable_all, carry))
    report(loaded)
    style = alert.Style(
        json_output=as_json or settings.json_output,
        time_format_iso_8601=iso or settings.time_format_iso_8601,
        json_include_output_property=settings.json_include_output_property,
        json_include_message_property=settings.json_include_message_property,
        json_include_output_fields_property=settings.json_include_output_fields_property,
        json_include_tags_property=settings.json_include_tags_property,
    )
    sources = (*where, config_file) if config_file else tuple(where)
    return Chosen(loaded, style, settings, sources, keep, plugins, known, tuple(found.files))


def _listed(settings: config.Settings) -> Iterator[Path]:
    """The rule files of the configuration; of those that are not there the reader is told."""
    for number, name in enumerate(settings.rules_files):
        if Path(name).exists():
            yield Path(name)
        else:
            at = settings.place("rules_files", str(number))
            click.echo(f"warning: {at}: rules_files: {name}: no such file or folder", err=True)


def known_with(config_file: Path | None) -> Catalog:
    """Everything that rules can ask: of Eyas, and of the binary plugins that a configuration names."""
    file = config_file or _default_file()
    if file is None:
        return members.known()
    settings = falco.moved(config.load(file, ()).settings).settings
    plugins, _ = configured(settings.plugins, settings.load_plugins)
    return plugins.known(members.known()).with_fields(statics(settings.static_fields))


def service_rules(sections: Mapping[str, Any]) -> list[Path]:
    """The rules we ship for the sources of a configuration."""
    named = {str(s.get("source", name)) if isinstance(s, dict) else name for name, s in sections.items()}
    return [path for name in sorted(named) if (path := rules.SERVICES / f"{name}.yaml").exists()]


def _default_file() -> Path | None:
    """The configuration of the machine, when it has one."""
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def report(loaded: rules.Loaded) -> None:
    """Say what is wrong with rules; errors end the command."""
    for problem in loaded.problems:
        if problem.place.file == str(activity.RULES) and not problem.is_error:
            continue
        if problem.is_error or not problem.code.startswith("LOAD_UNUSED"):
            click.echo(problem.text(), err=True)
    if loaded.errors:
        raise UsageError(f"{count(len(loaded.errors), 'error')} in the rules", "see `eyas rules check`")


def rule_settings(settings: config.Settings, enable_all: bool, carry: tuple[str, ...] = ()) -> rules.Settings:
    """What the configuration says about rules."""
    names = [name.lower() for name in rules.PRIORITIES]
    priority = settings.priority
    return rules.Settings(
        switches=tuple(
            rules.Switch(word == "enable", what.get("rule"), what.get("tag"))
            for entry in settings.rules
            for word, what in entry.items()
        ),
        priority=names.index("informational" if priority == "info" else priority),
        matching=settings.rule_matching,
        enable_all=enable_all,
        base64=settings.buffer_format_base64,
        carry=carry,
        additions=tuple(map(_addition, settings.append_output)),
    )


def _addition(entry: config.AppendOutput) -> rules.Addition:
    """An entry of `append_output`."""
    fields: list[str] = []
    texts: dict[str, str] = {}
    for one in entry.extra_fields:
        if isinstance(one, str):
            fields.append(one)
        else:
            texts |= one
    return rules.Addition(
        source=entry.match.source,
        rule=entry.match.rule,
        tags=frozenset(entry.match.tags),
        text=entry.extra_output,
        fields=tuple(fields),
        texts=tuple(texts.items()),
        suggested=entry.suggested_output,
    )


def duration(text: str) -> float:
    """Seconds of `10s`, `2m`, `1h`, `500ms` or a plain number."""
    for unit, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)):
        number = text.removesuffix(unit) if unit else text
        if text.endswith(unit) and number.replace(".", "", 1).isdecimal():
            return float(number) * seconds
    raise UsageError(f"'{text}' is not a duration", "write 10s, 2m or 1h")

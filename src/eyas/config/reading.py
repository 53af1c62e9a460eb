"""Configuration files as values: YAML, `${NAME}` from the environment, further files merged in."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from eyas.config import options
from eyas.errors import UsageError

STRATEGIES = ("append", "override", "add-only")

_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(slots=True)
class Origin:
    """Where each key came from, whatever the case of its letters."""

    files: list[Path] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def note(self, key: str, place: str) -> None:
        """Remember the place of a key."""
        self.places[key.lower()] = place

    def override(self, steps: Sequence[str], place: str) -> None:
        """Remember that a key was set from elsewhere: what a file says below it is gone."""
        key = ".".join(steps).lower()
        self.places = {name: at for name, at in self.places.items() if not name.startswith(f"{key}.")}
        self.places[key] = place

    def place(self, *steps: str) -> str:
        """File and line of the nearest known key."""
        for length in range(len(steps), 0, -1):
            found = self.places.get(".".join(steps[:length]).lower())
            if found:
                return found
        return "configuration"


def merged(path: Path | None, includes: Sequence[str]) -> tuple[dict[str, Any], Origin]:
    """Values of a file and of the files it includes."""
    origin = Origin()
    values = _read(path, origin) if path is not None else {}
    for text in includes:
        options.apply(values, text)
    for entry in values.get("config_files") or []:
        included, strategy = _entry(entry)
        for file in _files(included):
            if path is not None and file.resolve() == path.resolve():
                raise UsageError(f"{path}: config_files names the file itself")
            _merge(values, _include(file, origin), strategy)
    return values, origin


def _entry(entry: Any) -> tuple[Path, str]:
    if isinstance(entry, str):
        return Path(entry), "append"
    if not isinstance(entry, dict) or "path" not in entry:
        raise UsageError(f"config_files: expected a path or {{path, strategy}}, found {entry!r}")
    strategy = entry.get("strategy", "append")
    if strategy not in STRATEGIES:
        raise UsageError(f"config_files: strategy '{strategy}', expected one of {', '.join(STRATEGIES)}")
    return Path(str(entry["path"])), strategy


def _files(path: Path) -> list[Path]:
    """The file, or the files of a folder; a missing path gives none."""
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    return [path] if path.exists() else []


def _include(path: Path, origin: Origin) -> dict[str, Any]:
    values = _read(path, origin)
    if "config_files" in values:
        raise UsageError(f"{path}: config_files stands in a file that is itself included")
    return values


def _merge(values: dict[str, Any], more: dict[str, Any], strategy: str) -> None:
    for key, value in more.items():
        if strategy == "add-only" and key in values:
            continue
        old = values.get(key)
        joins = strategy == "append" and isinstance(old, list) and isinstance(value, list)
        values[key] = [*old, *value] if joins and old is not None else value


def _read(path: Path, origin: Origin) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode()) + 1
        raise UsageError(
            f"{path}:{line}:{column}: byte 0x{error.object[error.start]:02x} is not UTF-8"
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path}{_at(error)}: not YAML: {_problem(error)}") from None
    origin.files.append(path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{path}: expected a mapping of settings, found a {type(value).__name__}")
    _places(node, path, (), origin)
    return {str(key): _expanded(entry) for key, entry in value.items()}


def _at(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _problem(error: Exception) -> str:
    return getattr(error, "problem", None) or " ".join(str(error).split())


def _places(node: Any, path: Path, above: tuple[str, ...], origin: Origin) -> None:
    """Note the line of every key, and refuse a key that stands twice."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            origin.note(".".join((*above, str(number))), f"{path}:{item.start_mark.line + 1}")
            _places(item, path, (*above, str(number)), origin)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        steps = (*above, str(key.value))
        place = f"{path}:{key.start_mark.line + 1}"
        if key.value in seen:
            raise UsageError(f"{place}: the key '{'.'.join(steps)}' stands twice")
        seen.add(key.value)
        origin.note(".".join(steps), place)
        _places(value, path, steps, origin)


def _expanded(value: Any) -> Any:
    """Replace `${NAME}` in every scalar; `$${NAME}` stands for the text itself."""
    if isinstance(value, dict):
        return {key: _expanded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded(entry) for entry in value]
    if isinstance(value, str) and "${" in value:
        return options.scalar(_VARIABLE.sub(_variable, value))
    return value


def _variable(match: re.Match[str]) -> str:
    return "${" + match[2] + "}" if match[1] else os.environ.get(match[2], "")

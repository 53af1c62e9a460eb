"""From files, environment and `-o` options to checked settings, with the place of what is wrong."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from eyas.config import options
from eyas.config.reading import Origin, merged
from eyas.config.schema import Settings
from eyas.errors import UsageError

PREFIX = "EYAS_"
# Keys that older configurations hold and nothing reads any more.
GONE = {
    "grpc": "there is no gRPC server",
    "grpc_output": "there is no gRPC server",
    "outputs": "limits of a rate are set for each receiver",
    "syscall_buf_size_preset": "the probe sizes its rings itself",
    "modern_bpf": "it is called engine.modern_ebpf",
    "syscall_drop_failed_exit": "the rules say which failed calls are needed",
    "metadata_download": "metadata is asked for when it is needed",
    "container_engines": "container runtimes are found by their sockets",
}


# What the checker's kinds of refusal say here.
EXPECTED = {
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "list_type": "expected a list",
    "model_type": "expected a mapping",
    "string_type": "expected a text",
    "tuple_type": "expected a list",
}


@dataclass(slots=True)
class Config:
    """Checked settings, the files they came from, and what was said about them."""

    settings: Settings = field(default_factory=Settings)
    warnings: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def load(path: Path | None, overrides: Sequence[str] = ()) -> Config:
    """Read a file with what it includes; apply `EYAS_…` variables and `-o` options.

    Raises UsageError with file, line, key and what was expected.
    """
    values, origin = merged(path, [text for text in overrides if text.startswith("config_files")])
    _apply_environment(values, origin)
    for text in overrides:
        if not text.startswith("config_files"):
            options.apply(values, text)
            origin.override(_named(options.steps(text.partition("=")[0])), f"option -o {text}")
    warnings = [*_renamed(values, origin), *_drop_gone(values, origin)]
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, origin) from None
    settings.remember(origin.place)
    return Config(settings, [*warnings, *_idle(settings, origin)], origin.files)


def _apply_environment(values: dict[str, Any], origin: Origin) -> None:
    """`EYAS_CAPTURE__ENABLED=true` sets `capture.enabled`; a name that is no key is not ours."""
    for name, text in sorted(os.environ.items()):
        steps = name.removeprefix(PREFIX).lower().split("__")
        if name.startswith(PREFIX) and steps[0] in Settings.model_fields:
            options.put(values, steps, options.scalar(text), f"environment variable {name}")
            origin.override(steps, f"environment variable {name}")


def _named(steps: Sequence[options.Step]) -> list[str]:
    """The key that a path leads to: all of it, or the list that it adds to."""
    return [str(step) for step in itertools.takewhile(lambda step: step != "", steps)]


def _renamed(values: dict[str, Any], origin: Origin) -> Iterator[str]:
    """`rules_file` is the old name of `rules_files`."""
    if "rules_file" not in values:
        return
    place = origin.place("rules_file")
    if "rules_files" in values:
        raise UsageError(f"{place}: 'rules_file' and 'rules_files' are one key, and both are set")
    value = values.pop("rules_file")
    values["rules_files"] = value if isinstance(value, list) else [value]
    yield f"{place}: 'rules_file' is the old name of 'rules_files'"


def _drop_gone(values: dict[str, Any], origin: Origin) -> Iterator[str]:
    for key in [key for key in values if key in GONE and key not in Settings.model_fields]:
        del values[key]
        yield f"{origin.place(key)}: '{key}' has no effect: {GONE[key]}"


def _idle(model: BaseModel, origin: Origin, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Say which keys were set that do nothing here."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        steps = (*above, name)
        if isinstance(value, BaseModel):
            yield from _idle(value, origin, steps)
        elif _is_idle(info) and name in model.model_fields_set and value != info.default:
            yield f"{origin.place(*steps)}: '{'.'.join(steps)}' has no effect: {info.description}"


def _is_idle(info: FieldInfo) -> bool:
    return isinstance(info.json_schema_extra, dict) and bool(info.json_schema_extra.get("idle"))


def _refusal(error: ValidationError, origin: Origin) -> UsageError:
    found = error.errors()
    lines = [_sentence(item["loc"], item["msg"], item["type"], item["input"], origin) for item in found]
    near = [_nearest(item["loc"]) for item in found if item["type"] == "extra_forbidden"]
    hint = next((f"did you mean '{name}'?" for name in near if name), "")
    return UsageError("\n".join(lines), hint)


def _sentence(loc: tuple[int | str, ...], message: str, kind: str, value: Any, origin: Origin) -> str:
    key = ".".join(map(str, loc))
    place = origin.place(*map(str, loc))
    if kind == "extra_forbidden":
        return f"{place}: unknown key '{key}'"
    wanted = EXPECTED.get(kind) or f"{message[:1].lower()}{message[1:]}"
    return f"{place}: '{key}': {wanted}, found {value!r:.80}"


def _nearest(loc: tuple[int | str, ...]) -> str | None:
    model: Any = Settings
    for step in loc[:-1]:
        model = getattr(model, "model_fields", {}).get(step)
        model = getattr(model, "annotation", None)
    names = list(getattr(model, "model_fields", {}))
    near = difflib.get_close_matches(str(loc[-1]), names, 1)
    return ".".join([*map(str, loc[:-1]), near[0]]) if near else None

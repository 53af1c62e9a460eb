"""The configuration: eyas.yaml or falco.yaml, environment and `-o`, as plain values."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas.errors import UsageError

# Keys with a meaning here, and those of falco.yaml that have none.
KNOWN = {
    "rules_files": list,
    "rules": list,
    "priority": str,
    "rule_matching": str,
    "json_output": bool,
    "json_include_output_property": bool,
    "json_include_message_property": bool,
    "json_include_output_fields_property": bool,
    "json_include_tags_property": bool,
    "time_format_iso_8601": bool,
    "append_output": list,
    "watch_config_files": bool,
    "stdout_output": dict,
    "file_output": dict,
    "engine": dict,
}
FOREIGN = frozenset(
    (
        "base_syscalls", "buffer_format_base64", "buffered_outputs", "capture", "config_files", "falco_libs",
        "http_output", "libs_logger", "load_plugins", "log_level", "log_stderr", "log_syslog", "metrics",
        "output_timeout", "outputs_queue", "plugins", "plugins_hostinfo", "program_output", "static_fields",
        "syscall_event_drops", "syscall_event_timeouts", "syslog_output", "webserver",
    )
)  # fmt: skip

_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d*)\]")


@dataclass(slots=True)
class Config:
    """Merged settings and the warnings that came up."""

    values: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def get(self, key: str, default: Any) -> Any:
        """A setting or its default."""
        return self.values.get(key, default)


def load(path: Path | None, options: Sequence[str]) -> Config:
    """Read a file and apply `-o` options and `EYAS_…` variables."""
    config = Config()
    if path is not None:
        config.values = _read(path)
    for name, value in os.environ.items():
        key = name.removeprefix("EYAS_").lower()
        if name.startswith("EYAS_") and key in KNOWN:
            _set(config.values, key, _scalar(value), f"environment variable {name}")
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"option '{option}' is not of the form key=value")
        _set(config.values, key, _scalar(value), f"option -o {option}")
    _check(config, str(path) if path else "options")
    return config


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{path}: a mapping of settings is expected")
    return {str(key): _expanded(entry) for key, entry in value.items()}


def _expanded(value: Any) -> Any:
    """Replace `${NAME}` in every scalar."""
    if isinstance(value, dict):
        return {key: _expanded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded(entry) for entry in value]
    if isinstance(value, str) and "${" in value:
        return _scalar(_VARIABLE.sub(_variable, value))
    return value


def _variable(match: re.Match[str]) -> str:
    return "${" + match[2] + "}" if match[1] else os.environ.get(match[2], "")


def _scalar(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        return text


def _set(values: dict[str, Any], path: str, value: Any, what: str) -> None:
    steps = [_step(match) for match in _STEP.finditer(path)]
    if not steps or not isinstance(steps[0], str):
        raise UsageError(f"{what}: the key is not valid")
    at: Any = values
    for step, after in itertools.pairwise(steps):
        if isinstance(step, str) and step and isinstance(at, dict):
            at = at.setdefault(step, {} if isinstance(after, str) and after else [])
        elif isinstance(step, int) and isinstance(at, list) and step < len(at):
            at = at[step]
        else:
            raise UsageError(f"{what}: there is nothing at '{path}'")
    last = steps[-1]
    if isinstance(at, list) and last == "":
        at.append(value)
    elif isinstance(at, dict) and isinstance(last, str) and last:
        at[last] = value
    elif isinstance(at, list) and isinstance(last, int) and last < len(at):
        at[last : last + 1] = [value]
    else:
        raise UsageError(f"{what}: there is nothing at '{path}'")


def _step(match: re.Match[str]) -> str | int:
    if match[1]:
        return match[1]
    return int(match[2]) if match[2] else ""


def _check(config: Config, where: str) -> None:
    import difflib

    for key, value in config.values.items():
        wanted = KNOWN.get(key)
        if wanted is None and key in FOREIGN:
            config.warnings.append(f"{where}: '{key}' has no effect here yet")
        elif wanted is None:
            near = difflib.get_close_matches(key, KNOWN, 1)
            raise UsageError(f"{where}: unknown key '{key}'", f"did you mean '{near[0]}'?" if near else "")
        elif not isinstance(value, wanted):
            raise UsageError(f"{where}: '{key}' has to be of type {wanted.__name__}, found {value!r}")

"""`-o key=value`: a path into the settings and what to put there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import yaml

from eyas.errors import UsageError

Step = str | int

_STEP = re.compile(r"((?:\\.|[^.\[\]\\])+)|\[(\d*)\]")
_ESCAPE = re.compile(r"\\(.)")


def apply(values: dict[str, Any], text: str) -> None:
    """Apply `a.b=1`, `a[2].b=x` or `a[]=x`; a backslash takes the meaning from `.`, `[`, `]`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"option -o {text}: expected KEY=VALUE", "write -o json_output=true")
    put(values, steps(key), scalar(value), f"option -o {text}")


def steps(path: str) -> list[Step]:
    """The steps of a path; "" stands for one past the end of a list."""
    found: list[Step] = []
    for match in _STEP.finditer(path):
        if match[1]:
            found.append(_ESCAPE.sub(r"\1", match[1]))
        else:
            found.append(int(match[2]) if match[2] else "")
    return found


def scalar(text: str) -> Any:
    """The value of a text, typed as YAML types it."""
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        return text


def put(values: dict[str, Any], path: Sequence[Step], value: Any, what: str) -> None:
    """Set what stands at a path, making the mappings and lists on the way."""
    if not path or not isinstance(path[0], str) or not path[0]:
        raise UsageError(f"{what}: expected a key")
    at: Any = values
    for step, after in itertools.pairwise(path):
        at = _inner(at, step, [] if isinstance(after, int) or after == "" else {}, what)
    last = path[-1]
    if isinstance(at, list) and last == "":
        at.append(value)
    elif _stands(at, last):
        at[last] = value
    else:
        raise _nothing(at, last, what)


def _stands(at: Any, step: Step) -> bool:
    if isinstance(at, dict):
        return isinstance(step, str) and bool(step)
    return isinstance(at, list) and isinstance(step, int) and step < len(at)


def _inner(at: Any, step: Step, new: Any, what: str) -> Any:
    if isinstance(step, str) and step and isinstance(at, dict):
        return at.setdefault(step, new)
    if isinstance(step, int) and isinstance(at, list) and step < len(at):
        return at[step]
    if step == "" and isinstance(at, list):
        at.append(new)
        return new
    raise _nothing(at, step, what)


def _nothing(at: Any, step: Step, what: str) -> UsageError:
    """The refusal of a step that leads nowhere."""
    if isinstance(at, list):
        hint = "KEY[]=VALUE adds one"
        if isinstance(step, int):
            return UsageError(f"{what}: the list has {len(at)} entries, none with the number {step}", hint)
        return UsageError(f"{what}: expected the number of an entry, found '{step}'", hint)
    shown = f"[{step}]" if isinstance(step, int) or step == "" else f"'{step}'"
    found = "a mapping" if isinstance(at, dict) else f"the value {at!r:.60}"
    return UsageError(f"{what}: {shown} is asked of {found}")

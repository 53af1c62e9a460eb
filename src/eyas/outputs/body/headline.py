"""The headline of a chat message: Falcosidekick's Go templates and our own, both in a sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog

from eyas.alert import Alert
from eyas.errors import UsageError
from eyas.outputs.body import event

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_NAMES = {
    "Rule": "rule", "Priority": "priority", "Output": "output", "Source": "source", "Hostname": "hostname",
    "Time": "time", "Tags": "tags", "UUID": "uuid", "OutputFields": "fields",
}  # fmt: skip
# `index .OutputFields "proc.name"`, or over the fields alone `index . "proc.name"`.
_INDEX = re.compile(r'\(?\bindex\s+\.(?:OutputFields)?\s+"([^"\\]*)"\)?')
_WORD = r"""(?:"[^"]*"|fields\["[^"]*"\]|[\w.]+)"""
_CALL = re.compile(rf"\b(or|and|eq|ne)\s+({_WORD})\s+({_WORD})")
_SIGNS = {"or": "or", "and": "and", "eq": "==", "ne": "!="}
_NAME = re.compile(r"(?<![\w\"'.])\.([A-Z]\w*)")

log = structlog.get_logger("eyas.outputs")


def render(template: str, alert: Alert, escape: Callable[[object], str]) -> str:
    """Fill a template; every value passes through `escape`, the template's own text does not."""
    values: dict[str, Any] = {
        "rule": alert.rule,
        "priority": event.priority(alert),
        "output": event.output(alert),
        "source": event.source(alert),
        "hostname": alert.hostname,
        "time": event.timestamp(alert),
        "tags": ", ".join(event.tags(alert)),
        "uuid": event.identity(alert),
    }
    shown = {key: escape(value) for key, value in values.items()}
    fields = {key: escape(value) for key, value in event.texts(alert).items()}
    try:
        return str(compiled(template).render(**shown, fields=fields))
    except Exception as error:  # what a template does with values is its own; the alert goes out all the same
        _told(template, f"{type(error).__name__}: {error}")
        return ""


@cache
def _told(template: str, reason: str) -> None:
    """Say once that a template fails."""
    log.warning("template failed: it shows nothing", template=template, reason=reason)


@cache
def compiled(template: str) -> Any:
    """A template, ready; a fault in it is a fault of the configuration."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        return ImmutableSandboxedEnvironment(autoescape=False).from_string(translated(template))
    except TemplateError as error:
        raise UsageError(f"template {template!r}: {error}") from None


def translated(template: str) -> str:
    """A Go template in our own words; `{{ .Rule }}` becomes `{{ rule }}`."""
    return _ACTION.sub(_action, template)


def _action(match: re.Match[str]) -> str:
    left, text, right = match.groups()
    inner = _NAME.sub(_name, _INDEX.sub(lambda m: f'fields["{m[1]}"]', text))
    inner = _CALL.sub(lambda m: f"({m[2]} {_SIGNS[m[1]]} {m[3]})", inner)
    word, _, rest = inner.partition(" ")
    if word == "if":
        return f"{{%{left} if {rest} {right}%}}"
    if inner.startswith("else if "):
        return f"{{%{left} elif {inner[8:]} {right}%}}"
    if inner == "else":
        return f"{{%{left} else {right}%}}"
    if inner == "end":
        return f"{{%{left} endif {right}%}}"
    return f"{{{{{left} {inner} {right}}}}}"


def _name(match: re.Match[str]) -> str:
    if match[1] not in _NAMES:
        raise UsageError(f"template: unknown name '.{match[1]}'", f"known are {', '.join(_NAMES)}")
    return _NAMES[match[1]]

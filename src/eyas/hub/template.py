"""Templates of people over an alert, in a sandbox: they read fields and format text, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from eyas.alert import Alert, iso8601
from eyas.errors import UsageError

# What a template can name.
NAMES = ("rule", "priority", "source", "tags", "time", "message", "hostname", "fields", "id", "count")
LONGEST = 20_000
MOST_RANGE = 1000


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without ways to use up memory: `range` is short, and text is not multiplied."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if any(isinstance(side, (str, list, tuple)) for side in (left, right)) or operator == "**":
            raise TemplateError(f"'{operator}' works on small numbers only")
        return super().call_binop(context, operator, left, right)


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    made = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    made.globals.clear()
    made.filters.pop("xmlattr", None)
    return made


@lru_cache(maxsize=128)
def compiled(text: str, where: str = "template") -> Any:
    """Compile a template; raises UsageError with its line, also for what the sandbox would refuse later."""
    try:
        tree = _environment().parse(text)
        _forbid(tree, where)
        return _environment().from_string(text)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise UsageError(f"{where}{f': line {line}' if line else ''}: {error}") from None


def _forbid(tree: nodes.Template, where: str) -> None:
    """Refuse names that no alert has, and attributes that the sandbox keeps from templates."""
    for node in tree.find_all(nodes.Getattr):
        if node.attr.startswith("_"):
            raise UsageError(f"{where}: line {node.lineno}: '{node.attr}' is not for templates")
    unknown = sorted(meta.find_undeclared_variables(tree) - set(NAMES))
    if unknown:
        raise UsageError(
            f"{where}: an alert has no '{unknown[0]}'", f"a template can name {', '.join(NAMES)}"
        )


def render(text: str, alert: Alert) -> str:
    """The text of a template over an alert."""
    made = compiled(text)
    try:
        parts: list[str] = []
        size = 0
        for part in made.generate(words(alert)):
            size += len(part)
            if size > LONGEST:
                raise UsageError(f"template: more than {LONGEST} characters came out")
            parts.append(part)
        return "".join(parts)
    except TemplateError as error:
        raise UsageError(f"template: {error}") from None
    except Exception as error:  # what a template does with values is its own
        raise UsageError(f"template: {type(error).__name__}: {error}") from None


def words(alert: Alert) -> dict[str, Any]:
    """What a template can name; fields by `fields['proc.name']`."""
    return {
        "rule": alert.rule,
        "priority": alert.priority,
        "source": alert.source,
        "tags": list(alert.tags),
        "time": iso8601(alert.ts, "Z"),
        "message": alert.message,
        "hostname": alert.hostname,
        "fields": dict(alert.fields),
        "id": alert.eyas.get("id", ""),
        "count": (alert.eyas.get("group") or {}).get("count", 1),
    }


def applied(text: str, alert: Alert) -> Alert:
    """The alert with the template's text as its message."""
    return replace(alert, message=render(text, alert)) if text else alert

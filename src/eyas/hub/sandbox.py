"""Where templates of people run: without a way out, and without ways to use up memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from eyas.errors import UsageError

__all__ = ["Fields", "TemplateError", "compiled"]


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without ways to use up memory: `range` is short, and text is not multiplied."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if any(isinstance(side, (str, list, tuple)) for side in (left, right)) or operator == "**":
            raise TemplateError(f"'{operator}' works on small numbers only")
        return super().call_binop(context, operator, left, right)


class Fields(dict[str, Any]):
    """Fields of an alert by `fields['proc.name']`; one that this alert lacks is empty, for alerts differ."""

    def __missing__(self, key: str) -> str:
        return ""


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    made = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    made.globals.clear()
    made.filters.pop("xmlattr", None)
    return made


def compiled(text: str, where: str, names: Sequence[str]) -> Any:
    """Compile a template that may name some values."""
    try:
        tree = _environment().parse(text)
        _forbid(tree, where, names)
        return _environment().from_string(text)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise UsageError(f"{where}{f': line {line}' if line else ''}: {error}") from None


def _forbid(tree: nodes.Template, where: str, names: Sequence[str]) -> None:
    """Refuse names that no alert has, and attributes that the sandbox keeps from templates."""
    for node in tree.find_all(nodes.Getattr):
        if node.attr.startswith("_"):
            raise UsageError(f"{where}: line {node.lineno}: '{node.attr}' is not for templates")
    unknown = sorted(meta.find_undeclared_variables(tree) - set(names))
    if unknown:
        raise UsageError(
            f"{where}: an alert has no '{unknown[0]}'", f"a template can name {', '.join(names)}"
        )

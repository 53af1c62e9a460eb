"""Output templates: text with `%field` in it, as segments and the operands they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eyas.catalog import Catalog
from eyas.lang.constants import Ir
from eyas.lang.diagnostics import Fault, FaultError, Span, fault, refuse
from eyas.lang.operands import Typed, fields_of, resolve, typed
from eyas.lang.parse import CALL, Parser
from eyas.lang.tree import Call, FieldRef, operand_text

_WIDTH = re.compile(r"[0-9]+")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.\-]*")
_MORE = re.compile(r"\.[a-zA-Z]")
_MAX_WIDTH = 65535


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value in the text: number of its operand, canonical key, and the width it is padded or cut to."""

    operand: int
    key: str
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled output.

    `fields` are the keys of `output_fields`, each with the number of its operand; `advice` is what is probably not meant.
    """

    segments: tuple[str | Placeholder, ...]
    operands: tuple[Ir, ...]
    fields: tuple[tuple[str, int], ...]
    advice: tuple[Fault, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Keys of the fields that the template prints."""
        return tuple(name for name, _ in self.fields)


class _Builder:
    """Collects operands, each once."""

    def __init__(self) -> None:
        self.operands: list[Ir] = []
        self.numbers: dict[str, int] = {}
        self.fields: dict[str, int] = {}
        self.advice: list[Fault] = []

    def add(self, key: str, ir: Ir) -> int:
        if key not in self.numbers:
            self.numbers[key] = len(self.operands)
            self.operands.append(ir)
        return self.numbers[key]


def template(text: str, catalog: Catalog) -> Template:
    """Compile an output; raises `FaultError` with its first fault."""
    if not text:
        raise refuse("E301", (0, 0), "the output is empty")
    builder = _Builder()
    segments: list[str | Placeholder] = []
    for piece in _pieces(text, catalog, builder):
        if isinstance(piece, Fault):
            raise FaultError(piece)
        segments.append(piece)
    return Template(
        tuple(segments), tuple(builder.operands), tuple(builder.fields.items()), tuple(builder.advice)
    )


def template_faults(text: str, catalog: Catalog) -> list[Fault]:
    """Every fault of the placeholders of an output, and advice on them, in the order of the text."""
    builder = _Builder()
    faults = [piece for piece in _pieces(text, catalog, builder) if isinstance(piece, Fault)]
    return sorted([*faults, *builder.advice], key=lambda one: one.span)


def _pieces(text: str, catalog: Catalog, builder: _Builder) -> Iterator[str | Placeholder | Fault]:
    """Text, placeholders, and a fault for each that is none; after a fault it goes on behind its `%`."""
    at = 0
    while (mark := text.find("%", at)) >= 0:
        if mark > at:
            yield text[at:mark]
        try:
            placeholder, at = _placeholder(text, mark, catalog, builder)
            yield placeholder
        except FaultError as error:
            yield error.fault
            at = mark + 1
    if at < len(text):
        yield text[at:]


def suggested(catalog: Catalog) -> str:
    """Text that prints every field worth adding to an output, each under its name with underscores."""
    return " ".join(f"{field.name.replace('.', '_')}=%{field.name}" for field in catalog.suggested())


def _placeholder(text: str, mark: int, catalog: Catalog, builder: _Builder) -> tuple[Placeholder, int]:
    at = mark + 1
    width = None
    if (digits := _WIDTH.match(text, at)) is not None:
        at = digits.end()
        width = min(int(digits.group()[:9]), _MAX_WIDTH)
    if at >= len(text):
        raise refuse(
            "E301", (mark, at), f"formatting cannot end with '{text[mark:][:20]}'", "there is no escape for %"
        )
    if (call := CALL.match(text, at)) is not None:
        operand, end = _transformer(text, call, mark, catalog, builder)
    else:
        operand, end = _field(text, at, mark, catalog, builder)
    key = operand_text(operand[0])
    return Placeholder(builder.add(key, operand[1].ir), key, width), end


def _transformer(
    text: str, match: re.Match[str], mark: int, catalog: Catalog, builder: _Builder
) -> tuple[tuple[Call | FieldRef, Typed], int]:
    parser = Parser(text, 0)
    try:
        call = parser.expect_call(match, 1)
        got = typed(call, catalog)
    except FaultError as error:
        raise _as_output(error.fault) from None
    for ref in fields_of(call):
        found = _printable(ref, (mark, parser.at), catalog)
        key = operand_text(ref)
        builder.fields.setdefault(key, builder.add(key, found.ir))
    return (call, got), parser.at


def _field(
    text: str, at: int, mark: int, catalog: Catalog, builder: _Builder
) -> tuple[tuple[Call | FieldRef, Typed], int]:
    word = _NAME.match(text, at)
    name = word.group()[:256] if word else ""
    found = catalog.longest(name)
    if found is None:
        shown = name or text[at]
        near = catalog.closest(name.rstrip(".")) if name else None
        hint = f"did you mean %{near}?" if near else "" if name else "there is no escape for %"
        raise refuse("E302", (mark, at + max(1, len(name))), f"unknown filter: {shown}", hint)
    end = at + found[1]
    arg: str | None = None
    known = found[0].field
    if found[0].key is None and known.arg != "none" and text.startswith("[", end):
        arg, end = _bracket(text, end, mark)
    if arg is None and found[0].key is None and _MORE.match(name, found[1]):
        builder.advice.append(_not_whole(name, found[1], (mark, at + len(name)), catalog))
    ref = FieldRef(text[at : at + found[1]], arg, (mark, end))
    typed_field = _printable(ref, (mark, end), catalog)
    key = operand_text(ref)
    builder.fields.setdefault(key, builder.add(key, typed_field.ir))
    return (ref, typed_field), end


def _not_whole(name: str, end: int, span: Span, catalog: Catalog) -> Fault:
    """Advice on a name of which only the beginning is a field."""
    said = f"there is no field {name}: %{name[:end]} is printed, and '{name[end:]}' as text"
    near = catalog.closest(name.rstrip("."), but=name[:end])
    return fault("W105", span, said, f"did you mean %{near}?" if near else "")


def _printable(ref: FieldRef, span: Span, catalog: Catalog) -> Typed:
    try:
        found = resolve(ref, catalog)
    except FaultError as error:
        raise _as_output(error.fault) from None
    if found.field is not None and "filter_only" in found.field.flags:
        raise refuse("E303", span, f"field {ref.name} is filter only and cannot be used as a display field")
    return found


def _bracket(text: str, at: int, mark: int) -> tuple[str, int]:
    parser = Parser(text, 0)
    parser.at = at
    try:
        arg = parser.accept_bracket()
    except FaultError:
        end = at + 1
        raise refuse("E301", (mark, end), "expected an argument and ']' after '['") from None
    return arg or "", parser.at


def _as_output(fault: Fault) -> FaultError:
    """Turn a fault of a condition into that of an output."""
    if fault.code == "E101":
        name = fault.message.removeprefix("nonexistent field ")
        return refuse("E302", fault.span, f"unknown filter: {name}", fault.help)
    return refuse("E301", fault.span, fault.message, fault.help)

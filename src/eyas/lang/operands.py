"""Fields and transformers: what a name means, which type comes out, and how the IR writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyas.catalog import PARAM_CLASS, Catalog, Field
from eyas.lang.constants import ConstantError, Ir, literal, text
from eyas.lang.diagnostics import Span, refuse
from eyas.lang.tree import Arg, Call, FieldRef, Items, Number, Operand, Text, operand_text

_INDEX = re.compile(r"[0-9]{1,19}")
_PATH_TYPES = ("text",)
# Numbers that `join` and `getopt` print.
_PRINTED = frozenset({"int64", "uint64", "pid"})


@dataclass(frozen=True, slots=True)
class Typed:
    """An operand with its type. `exact` is what two sides must share."""

    ir: Ir
    kind: str
    exact: str
    many: bool = False
    field: Field | None = None
    indexed: bool = False


def typed(operand: Operand, catalog: Catalog) -> Typed:
    """Resolve the left or right side of a check."""
    return resolve(operand, catalog) if isinstance(operand, FieldRef) else _call(operand, catalog)


def resolve(ref: FieldRef, catalog: Catalog) -> Typed:
    """Resolve a field with its argument."""
    found = catalog.find(ref.name)
    if found is None:
        raise _unknown(ref.name, ref.span, catalog)
    field, key = found.field, found.key
    argument: str | int | None = key
    if ref.arg is not None:
        if not _takes_bracket(field, key):
            raise refuse("E104", ref.span, f"field {ref.name} does not allow an argument in brackets")
        argument = _argument(field, ref.arg, ref.span)
    elif key is None and field.required and field.name != "evt.abspath":
        raise refuse(
            "E103", ref.span, f"field {field.name} requires an argument but none provided", _example(field)
        )
    ir: Ir = {"field": field.name} if argument is None else {"field": field.name, "arg": argument}
    if field.constant is not None:
        ir = {"value": literal(field.constant)}
    kind, exact = field.type, field.exact or field.type
    if field.name == "evt.rawarg" and key is not None:
        exact = catalog.params[key]
        kind = PARAM_CLASS.get(exact, "opaque")
    return Typed(ir, kind, exact, field.list, field, argument is not None)


def _takes_bracket(field: Field, key: str | None) -> bool:
    return key is None and (field.arg not in ("none", "name") or field.name == "evt.arg")


def fields_of(operand: Arg) -> list[FieldRef]:
    """List the fields an operand reads."""
    match operand:
        case FieldRef():
            return [operand]
        case Call(_, args):
            return [ref for arg in args for ref in fields_of(arg)]
        case Items(items):
            return [ref for item in items for ref in fields_of(item)]
        case _:
            return []


def _unknown(name: str, span: Span, catalog: Catalog) -> Exception:
    near = catalog.closest(name)
    return refuse("E101", span, f"nonexistent field {name}", f"did you mean {near}?" if near else "")


def _argument(field: Field, arg: str, span: Span) -> str | int:
    if field.arg == "key":
        return arg
    if field.arg == "index_or_key" and field.name != "evt.arg":
        return int(arg) if _INDEX.fullmatch(arg) else arg
    if not _INDEX.fullmatch(arg) or int(arg) >= 2**64:
        raise refuse(
            "E105", span, f"field {field.name} requires a number as argument, found '{arg}'", _example(field)
        )
    return int(arg)


def _example(field: Field) -> str:
    forms = {
        "evt.arg": "evt.arg.name or evt.arg[0]",
        "evt.rawarg": "evt.rawarg.name",
        "evt.type.is": "evt.type.is.open",
        "thread.cgroup": "thread.cgroup.cpu",
    }
    plain = f"{field.name}[name]" if field.arg == "key" else f"{field.name}[1]"
    return f"write {forms.get(field.name, plain)}"


def _call(call: Call, catalog: Catalog) -> Typed:
    if call.arg is not None and call.name != "getopt":
        raise refuse("E104", call.span, f"transformer {call.name} takes no argument in brackets")
    args = [_typed_argument(arg, call, catalog) for arg in call.args]
    kind, exact, many = _RESULT[call.name](call, args)
    ir: Ir = {"call": call.name, "args": [arg.ir for arg in args]}
    if call.arg is not None:
        ir["arg"] = call.arg
    return Typed(ir, kind, exact, many)


def _typed_argument(arg: Arg, call: Call, catalog: Catalog) -> Typed:
    match arg:
        case FieldRef():
            found = resolve(arg, catalog)
            if found.field is not None and "no_transformer" in found.field.flags:
                raise refuse("E208", arg.span, f"field {arg.name} cannot be transformed")
            return found
        case Call():
            return _call(arg, catalog)
        case Text(value) | Number(value):
            return Typed({"value": _text(value, arg.span)}, "text", "text")
        case Items(items):
            inner = [_typed_argument(item, call, catalog) for item in items]
            for item, got in zip(items, inner, strict=True):
                if got.many or not _printable(got):
                    raise _misfit(call, item, got, "texts and numbers in its list")
            return Typed({"list": [item.ir for item in inner]}, "text", "text", True)


def _text(value: str, span: Span) -> Ir:
    try:
        return text(value) if len(value) <= 255 else literal(value)
    except ConstantError as error:
        raise refuse(error.code, span, str(error)) from None


def _printable(got: Typed) -> bool:
    return got.kind == "text" or got.exact in _PRINTED


def _misfit(call: Call, arg: Arg, got: Typed, wanted: str) -> Exception:
    what = f"a list of {got.kind}" if got.many else got.kind
    shown = operand_text(arg)
    return refuse("E209", call.span, f"transformer {call.name} takes {wanted}, found {shown} of type {what}")


def _expect_count(call: Call, low: int, high: int) -> None:
    if not low <= len(call.args) <= high:
        wanted = str(low) if low == high else f"at least {low}"
        raise refuse(
            "E209", call.span, f"transformer {call.name} takes {wanted} arguments, found {len(call.args)}"
        )


def _same_text(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 1, 1)
    if args[0].kind != "text" or isinstance(call.args[0], Items):
        raise _misfit(call, call.args[0], args[0], "text")
    return "text", args[0].exact, args[0].many


def _b64(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 1, 1)
    if args[0].exact not in ("text", "charbuf", "bytes", "bytebuf") or isinstance(call.args[0], Items):
        raise _misfit(call, call.args[0], args[0], "text or bytes")
    return args[0].kind, args[0].exact, args[0].many


def _len(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 1, 1)
    if not args[0].many and args[0].kind not in ("text", "bytes"):
        raise _misfit(call, call.args[0], args[0], "a list, text or bytes")
    return "uint", "uint64", False


def _join(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 2, 2)
    if args[0].many or args[0].kind != "text":
        raise _misfit(call, call.args[0], args[0], "a text as separator")
    if not args[1].many or not _printable(args[1]):
        raise _misfit(call, call.args[1], args[1], "a list as second argument")
    return "text", "text", False


def _concat(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 2, 10**9)
    for arg, got in zip(call.args, args, strict=True):
        if got.many or got.kind != "text":
            raise _misfit(call, arg, got, "texts")
    return "text", "text", False


def _getopt(call: Call, args: list[Typed]) -> tuple[str, str, bool]:
    _expect_count(call, 2, 2)
    if not args[0].many or args[0].kind != "text":
        raise _misfit(call, call.args[0], args[0], "a list of texts first")
    if args[1].many or args[1].kind != "text":
        raise _misfit(call, call.args[1], args[1], "a text of option letters second")
    return "text", "text", call.arg is None


_RESULT = {
    "toupper": _same_text,
    "tolower": _same_text,
    "basename": _same_text,
    "b64": _b64,
    "len": _len,
    "join": _join,
    "concat": _concat,
    "getopt": _getopt,
}

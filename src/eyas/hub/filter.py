"""The rule language over alerts: `priority >= error and container.id != host and tags in (T1059)`.

Names of the alert itself are `alert.rule`, `alert.priority`, …; the plain word will do. Any other name is one of
the alert's fields. A field that the alert lacks makes its comparison false, as in rules.
"""

from __future__ import annotations

import difflib
import fnmatch
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eyas import lang
from eyas.alert import Alert
from eyas.delivery import stored
from eyas.errors import UsageError
from eyas.lang import Call, Check, FaultError, FieldRef, Name, Node, Text, Values
from eyas.lang.tree import operand_text

OWN: dict[str, Callable[[Alert], Any]] = {
    "id": lambda alert: alert.eyas.get("id"),
    "rule": lambda alert: alert.rule,
    "priority": lambda alert: alert.priority.lower(),
    "rank": lambda alert: 7 - stored.severity(alert.priority),
    "source": lambda alert: alert.source,
    "tags": lambda alert: list(alert.tags),
    "host": lambda alert: alert.hostname,
    "hostname": lambda alert: alert.hostname,
    "output": lambda alert: alert.message,
    "message": lambda alert: alert.message,
    "time": lambda alert: alert.ts,
    "status": lambda alert: alert.eyas.get("status", "open"),
    "count": lambda alert: (alert.eyas.get("group") or {}).get("count", 1),
}

_RANKS = {name: 7 - number for number, name in enumerate(stored.SEVERITIES)} | {"info": 1}
_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\''
_KEYWORDS = ("and", "or", "not")
_OPERATORS = r"(?=\s*(?:==?|!=|[<>]|(?:in|contains|icontains|startswith|endswith|glob|iglob|regex|intersects|exists|pmatch)\b))"
# A word that stands before an operator and is no field, which has a dot; after a value it would be the value.
_BARE = rf"(?<![\w.\[,$/:-])(?P<name>[A-Za-z_]\w*)(?![\w.\[(:/-]){_OPERATORS}"
_ORDERED = r"(?<![\w.])(?:alert\.)?(?i:priority)\s*(?P<order><=|>=|<|>)\s*(?P<rank>\w+|\Z)"
_TOKENS = re.compile(rf"(?P<quoted>{_QUOTED})|{_ORDERED}|{_BARE}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition over alerts."""

    text: str
    tree: Node

    def holds(self, alert: Alert) -> bool:
        """Whether an alert meets it."""

        def leaf(node: Check | Name) -> bool:
            return isinstance(node, Check) and _check(node, alert)

        def join(node: Node, children: list[bool]) -> bool:
            if isinstance(node, lang.Not):
                return not children[0]
            return all(children) if isinstance(node, lang.And) else any(children)

        return lang.fold(self.tree, leaf, join)


@lru_cache(maxsize=256)
def parse(text: str, where: str = "condition") -> Filter:
    """Read a condition; a fault is said with a caret."""
    spelled, places = _spelled(text, where)
    try:
        tree = lang.parse(spelled)
        for found in _names(tree):
            raise UsageError(
                f"{where}: '{found.name}' alone compares nothing",
                f"write {found.name} = VALUE" if found.name in OWN else _near(found.name),
            )
        for check in lang.checks_of(tree):
            _known(check, where)
        return Filter(text, tree)
    except FaultError as error:
        at = places[min(error.fault.span[0], len(places) - 1)]
        raise UsageError(_caret(where, error.fault.message, text, at), error.fault.help) from None


def _caret(where: str, message: str, text: str, at: int) -> str:
    """What is wrong, with the place below the text as it was typed."""
    return f"{where}: {message}\n  | {' '.join(text.splitlines())}\n  | {' ' * at}^"


def _spelled(text: str, where: str) -> tuple[str, list[int]]:
    """Plain words for the alert's own names, and priorities by name behind `<` and `>`; quotes stay as they are.

    With it the place in the text of each character, and of the end.
    """
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for match in _TOKENS.finditer(text):
        if match.lastgroup == "quoted":
            continue
        said = _said(match, text, where)
        parts += [text[at : match.start()], said]
        places += [*range(at, match.start()), *[match.start()] * len(said)]
        at = match.end()
    return "".join([*parts, text[at:]]), [*places, *range(at, len(text) + 1)]


def _said(match: re.Match[str], text: str, where: str) -> str:
    """How the parser is told a name of the alert, or a priority that is ordered."""
    if match.lastgroup != "rank":
        name = match["name"].lower()
        if name not in OWN and match["name"] not in _KEYWORDS:
            message = f"an alert has no '{match['name']}'"
            raise UsageError(
                _caret(where, message, text, match.start()), _near(name, "a field has a dot: proc.name")
            )
        return match["name"] if match["name"] in _KEYWORDS else f"alert.{name}"
    rank = _RANKS.get(match["rank"].lower())
    if rank is None and not match["rank"].isdigit():
        message = f"'{match['rank']}' is no priority" if match["rank"] else "a priority is missing"
        near = difflib.get_close_matches(match["rank"].lower(), _RANKS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(stored.SEVERITIES)}"
        raise UsageError(_caret(where, message, text, match.start("rank")), hint)
    return f"alert.rank {match['order']} {rank if rank is not None else match['rank']}"


def _names(tree: Node) -> list[Name]:
    found: list[Name] = []
    lang.fold(tree, lambda leaf: found.append(leaf) if isinstance(leaf, Name) else None, lambda *_: None)
    return found


def _near(name: str, instead: str = "write FIELD = VALUE") -> str:
    near = difflib.get_close_matches(name, OWN, 1)
    return f"did you mean '{near[0]}'?" if near else instead


def _known(check: Check, where: str) -> None:
    for side in (check.left, check.right):
        if isinstance(side, FieldRef) and side.name.startswith("alert.") and side.name[6:] not in OWN:
            raise UsageError(f"{where}: an alert has no '{side.name}'", _near(side.name[6:]))
        if isinstance(side, Call):
            raise UsageError(f"{where}: transformers such as '{side.name}(…)' do not work over alerts")
    if check.op == "regex" and isinstance(check.right, Text):
        try:
            re.compile(check.right.value)
        except re.error as error:
            raise UsageError(f"{where}: regular expression {check.right.value!r}: {error}") from None


def value(alert: Alert, name: str) -> Any:
    """What an alert says under a name; None when it says nothing."""
    if name.startswith("alert."):
        own = OWN.get(name[6:])
        return own(alert) if own else None
    found = alert.fields.get(name)
    if found is None and isinstance(carried := alert.eyas.get("carried"), dict):
        return carried.get(name)  # the match brought it along, though its text does not say it
    return found


def _check(check: Check, alert: Alert) -> bool:
    left = value(alert, operand_text(check.left))
    if left is None:
        return False
    if check.op == "exists":
        return True
    right = check.right
    if isinstance(right, FieldRef):
        other = value(alert, operand_text(right))
        return other is not None and _compare(check.op, left, str(other))
    if isinstance(right, Values):
        return _listed(check.op, left, right.items)
    return isinstance(right, Text) and _compare(check.op, left, right.value)


def _listed(op: str, left: Any, items: Iterable[str]) -> bool:
    lefts = left if isinstance(left, list) else [left]
    if op == "pmatch":
        return any(_below(str(one), item) for one in lefts for item in items)
    found = [any(_equal(one, item) for item in items) for one in lefts]
    # `in` over a list wants one of them: people ask "is one of its tags …".
    return any(found)


def _compare(op: str, left: Any, right: str) -> bool:
    if isinstance(left, list):
        return any(_compare(op, one, right) for one in left) if op != "!=" else right not in map(str, left)
    test = _TESTS[op]
    return test(left, right)


def _equal(left: Any, right: str) -> bool:
    if isinstance(left, bool):
        return str(left).lower() == right.lower()
    if str(left) == right:
        return True
    if isinstance(left, int | float):
        number = _number(right)
        return number is not None and left == number
    return _in_network(str(left), right) if "/" in right else False


def _in_network(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _number(text: Any) -> float | int | None:
    try:
        return int(str(text), 0)
    except ValueError:
        try:
            return float(text)
        except (TypeError, ValueError):
            return None


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, str], bool]:
    def compare(left: Any, right: str) -> bool:
        first, second = _number(left), _number(right)
        return test(first, second) if first is not None and second is not None else test(str(left), right)

    return compare


def _below(path: str, prefix: str) -> bool:
    whole = prefix.rstrip("/")
    return path == whole or path.startswith(whole + "/")


def _glob(left: Any, right: str) -> bool:
    return fnmatch.fnmatchcase(str(left), right)


_TESTS: dict[str, Callable[[Any, str], bool]] = {
    "=": _equal,
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "contains": lambda left, right: right in str(left),
    "icontains": lambda left, right: right.lower() in str(left).lower(),
    "bcontains": lambda left, right: right in str(left),
    "startswith": lambda left, right: str(left).startswith(right),
    "bstartswith": lambda left, right: str(left).startswith(right),
    "endswith": lambda left, right: str(left).endswith(right),
    "glob": _glob,
    "iglob": lambda left, right: _glob(str(left).lower(), right.lower()),
    "regex": lambda left, right: re.fullmatch(right, str(left)) is not None,
}

"""Lists into text and macros into trees."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

from eyas import lang
from eyas.lang import FaultError, Name, Node
from eyas.rules.collect import Collected
from eyas.rules.items import ListItem, Macro
from eyas.rules.limits import expect_size
from eyas.rules.problem import Place
from eyas.rules.text import Source

_EDGES = frozenset(" \t\n\r\f\v(),=")


class UnresolvedError(Exception):
    """A name that stands for no macro where it is used: in the condition of the macro `user`, or of a rule."""

    def __init__(
        self, name: Name, user: Macro | None, message: str, help: str = "", loop: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.name = name
        self.user = user
        self.help = help
        self.loop = frozenset(loop)


class FaultyMacroError(Exception):
    """A macro whose own fault is told where it stands."""


@dataclass(slots=True)
class Expanded:
    """A condition with its lists in place, as text and as a tree that still names its macros."""

    source: Source
    tree: Node


@dataclass(slots=True)
class Expander:
    """Puts lists and macros in place, each macro once."""

    collected: Collected
    members: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Expanded | FaultError] = field(default_factory=dict)
    whole: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.collected.lists.values():
            self.members[item.name] = ", ".join(_quoted(member) for member in self._flat(item))

    def _flat(self, item: ListItem) -> list[str]:
        flat: list[str] = []
        for member in item.items:
            inner = self.collected.lists.get(member)
            if inner is not None and inner is not item and inner.first < item.last:
                inner.used = True
                flat += inner.items
            else:
                flat.append(member)
        return flat

    def text(self, source: Source) -> Source:
        """Replace the names of lists, one list after another in the order of definition."""
        for name, members in self.members.items():
            at = source.text.find(name)
            while at >= 0:
                end = at + len(name)
                if _is_edge(source.text, at - 1) and _is_edge(source.text, end):
                    self.collected.lists[name].used = True
                    start, end = (at, end) if members else _with_comma(source.text, at, end)
                    source = source.replaced(start, end, members)
                    end = start + len(members)
                at = source.text.find(name, end)
        return source

    def condition(self, source: Source) -> Expanded:
        """Put lists in place and parse; raises `FaultError`."""
        expect_size(source.text)
        source = self.text(source)
        expect_size(source.text)
        return Expanded(source, lang.parse(source.text))

    def macro(self, name: str) -> Expanded | FaultError:
        """The condition of a macro, parsed once."""
        if name not in self.trees:
            item = self.collected.macros[name]
            try:
                self.trees[name] = self.condition(item.condition)
            except FaultError as error:
                self.trees[name] = error
        return self.trees[name]

    def inline(self, tree: Node, user: Macro | None = None) -> Node:
        """Put macros in place, innermost first; raises `UnresolvedError` or `FaultyMacroError`."""
        way = [(user, tree, iter(names_of(tree)))]
        opened: set[str] = set()
        while True:
            user, tree, names = way[-1]
            for name in names:
                macro = self._visible(name, user, opened)
                macro.used = True
                if name.name not in self.whole:
                    opened.add(name.name)
                    way.append(self._opened(macro))
                    break
            else:
                whole = lang.fold(tree, self._placed, _rebuilt)
                if len(way) == 1 or user is None:
                    return whole
                self.whole[user.name] = whole
                way.pop()

    def _opened(self, macro: Macro) -> tuple[Macro, Node, Iterator[Name]]:
        inner = self.macro(macro.name)
        if isinstance(inner, FaultError):
            raise FaultyMacroError
        return macro, inner.tree, iter(names_of(inner.tree))

    def _placed(self, leaf: lang.Check | Name) -> Node:
        return self.whole[leaf.name] if isinstance(leaf, Name) else leaf

    def _visible(self, name: Name, user: Macro | None, opened: set[str]) -> Macro:
        """The macro that a name stands for in a rule, or in another macro, which sees those above it only."""
        found = self.collected.macros.get(name.name)
        undefined = f"Undefined macro '{name.name}' used in filter."
        if found is None:
            near = difflib.get_close_matches(name.name[:64], list(self.collected.macros), 1, 0.6)
            raise UnresolvedError(name, user, undefined, f"did you mean {near[0]!r}?" if near else "")
        if user is None or (found.first < user.last and (name.name in self.whole or name.name not in opened)):
            return found
        chain = self._chain(name.name, user.name)
        if chain:
            shown = " → ".join((user.name, *chain))
            raise UnresolvedError(name, user, f"reference loop in macro '{user.name}': {shown}", loop=chain)
        where = f"{found.place.file}:{found.place.line}"
        hint = f"'{name.name}' is defined below '{user.name}', at {where}; a macro sees those above it"
        raise UnresolvedError(name, user, undefined, hint)

    def _chain(self, start: str, goal: str) -> tuple[str, ...]:
        """The macros from one to another, each named by the one before it; none if no way leads there."""
        ways: list[tuple[str, ...]] = [(start,)]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            if way[-1] == goal:
                return way
            if way[-1] in seen or way[-1] not in self.collected.macros:
                continue
            seen.add(way[-1])
            inner = self.macro(way[-1])
            if not isinstance(inner, FaultError):
                ways += [(*way, one.name) for one in names_of(inner.tree)]
        return ()


def _rebuilt(node: lang.And | lang.Or | lang.Not, children: list[Node]) -> Node:
    if isinstance(node, lang.Not):
        return lang.Not(children[0], node.span)
    return type(node)(tuple(children), node.span)


def _is_edge(text: str, at: int) -> bool:
    return at < 0 or at >= len(text) or text[at] in _EDGES


def _with_comma(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen the range of an empty list to the comma beside it."""
    after = end
    while after < len(text) and text[after].isspace():
        after += 1
    if after < len(text) and text[after] == ",":
        return start, after + 1
    before = start
    while before > 0 and text[before - 1].isspace():
        before -= 1
    return (before - 1, end) if before > 0 and text[before - 1] == "," else (start, end)


def _quoted(member: str) -> str:
    if (" " in member or member == "") and not member.startswith(('"', "'")):
        return f'"{member}"'
    return member


def names_of(tree: Node) -> list[Name]:
    """Macros that a tree names."""
    found: list[Name] = []

    def leaf(item: lang.Check | Name) -> None:
        if isinstance(item, Name):
            found.append(item)

    lang.fold(tree, leaf, lambda _node, _children: None)
    return found


def locate(source: Source, span: tuple[int, int]) -> Place:
    """Place of a fault in a condition."""
    return source.place(span[0])

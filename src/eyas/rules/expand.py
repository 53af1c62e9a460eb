"""Lists into text and macros into trees."""

from __future__ import annotations

from dataclasses import dataclass, field

from eyas import lang
from eyas.lang import FaultError, Name, Node
from eyas.rules.collect import Collected
from eyas.rules.items import ListItem, Macro
from eyas.rules.limits import expect_size
from eyas.rules.problem import Place
from eyas.rules.text import Source

_EDGES = frozenset(" \t\n\r\f\v(),=")


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

    def visible(self, name: str, user: Macro | None) -> Macro | None:
        """The macro that a name stands for in a rule or in another macro."""
        found = self.collected.macros.get(name)
        if found is None or (user is not None and found.first >= user.last):
            return None
        return found

    def inline(self, tree: Node, user: Macro | None = None, path: tuple[str, ...] = ()) -> Node:
        """Put macros in place; raises `LookupError` for one that is unknown, faulty or part of a loop."""

        def leaf(item: lang.Check | Name) -> Node:
            if not isinstance(item, Name):
                return item
            macro = self.visible(item.name, user)
            if macro is None:
                if item.name in path:
                    raise LookupError(f"reference loop in macro '{item.name}'")
                raise LookupError(f"Undefined macro '{item.name}' used in filter.")
            macro.used = True
            if item.name not in self.whole:
                if item.name in path:
                    raise LookupError(f"reference loop in macro '{item.name}'")
                inner = self.macro(item.name)
                if isinstance(inner, FaultError):
                    raise LookupError("")
                self.whole[item.name] = self.inline(inner.tree, macro, (*path, item.name))
            return self.whole[item.name]

        return lang.fold(tree, leaf, _rebuilt)


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

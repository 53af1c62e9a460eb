"""YAML nodes as lines of the one form. What it cannot lay out without loss it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import yaml

from eyas.rules.formatting.comments import Comment
from eyas.rules.formatting.prose import condition_lines, prose_lines, squeezed, unwrapped

WIDTH = 118
ORDER = (
    "required_engine_version", "required_plugin_versions", "list", "macro", "rule", "desc", "items", "condition",
    "exceptions", "output", "priority", "source", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture",
    "capture_duration", "tags", "group_by", "threshold",
    "window", "quiet", "append", "override", "tests",
)  # fmt: skip
PROSE = ("desc", "output")


class RefusedError(Exception):
    """A part that stays as it is."""


@dataclass(slots=True)
class Layout:
    """Lays out the nodes of one text, with its comments."""

    text: str
    comments: Sequence[Comment]

    def item(self, node: yaml.MappingNode) -> list[str]:
        """A rule, macro, list or requirement as lines; raises `RefusedError`."""
        pairs = sorted(node.value, key=lambda pair: _rank(pair[0].value))
        lines = [
            line
            for pair in self._with_comments(node, pairs, node.start_mark.line)
            for line in self._entry(*pair, 2, True)
        ]
        first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
        if first:
            raise RefusedError
        return [f"- {lines[0].lstrip()}", *lines[1:]]

    def _with_comments(
        self, node: yaml.MappingNode, pairs: Sequence[tuple[yaml.Node, yaml.Node]], since: int
    ) -> Iterator[tuple[yaml.Node, yaml.Node, list[str], str]]:
        """Pairs of a mapping with the comments above each and the one behind it."""
        above: dict[int, list[str]] = {}
        previous = since
        for key, value in node.value:
            above[id(key)] = self._between(previous, key.start_mark.line)
            previous = last_line(value) + 1
        for key, value in pairs:
            yield key, value, above[id(key)], self._behind(key, value)

    def _between(self, first: int, end: int) -> list[str]:
        return [c.text for c in self.comments if c.alone and first <= c.line < end]

    def _behind(self, key: yaml.Node, value: yaml.Node) -> str:
        """The comment that ends the line of a key."""
        last = key.start_mark.line if _is_block(value) else last_line(value)
        if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">"):
            last = key.start_mark.line
        found = [c.text for c in self.comments if not c.alone and key.start_mark.line <= c.line <= last]
        if len(found) > 1:
            raise RefusedError
        return f"  {found[0]}" if found else ""

    def _entry(
        self, key: yaml.Node, value: yaml.Node, above: list[str], behind: str, indent: int, top: bool = False
    ) -> list[str]:
        pad = " " * indent
        name = self._source(key)
        lines = [f"{pad}{text}" for text in above]
        head = f"{pad}{name}:"
        if isinstance(value, yaml.ScalarNode):
            return lines + self._scalar(head, name if top else "", value, behind, indent)
        since = key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            pairs = self._with_comments(value, value.value, since)
            return [*lines, head + behind, *(row for pair in pairs for row in self._entry(*pair, indent + 2))]
        if isinstance(value, yaml.SequenceNode) and not (
            _is_simple(value) and not self._commented(value, since)
        ):
            return [*lines, head + behind, *self._sequence(value, indent + 2, since)]
        return lines + self._flow(head, value, behind, indent)

    def _scalar(self, head: str, name: str, value: yaml.ScalarNode, behind: str, indent: int) -> list[str]:
        if value.style in ("|", ">") and not (value.style == ">" and name in ("condition", *PROSE)):
            return self._block(head, value, behind, indent)
        source = self._source(value)
        text = unwrapped(str(value.value)) if name == "desc" else str(value.value).strip()
        if name == "condition" and (value.style in (None, ">")):
            return self._folded(head, squeezed(text), condition_lines, behind, indent)
        paragraphs = "\n\n" in str(value.value).strip() or "\n" in text
        if name in PROSE and value.style in (None, ">") and not paragraphs and "  " not in text:
            return self._folded(head, text, prose_lines, behind, indent)
        if "\n" in source:
            raise RefusedError
        return [f"{head} {source}{behind}".rstrip()]

    def _folded(
        self, head: str, text: str, broken: Callable[[str, int], list[str]], behind: str, indent: int
    ) -> list[str]:
        whole = f"{head} {text}{behind}"
        if len(whole) <= WIDTH and _is_plain(text):
            return [whole]
        pad = " " * (indent + 2)
        return [f"{head} >{behind}", *(f"{pad}{line}" for line in broken(text, WIDTH - len(pad)))]

    def _block(self, head: str, value: yaml.ScalarNode, behind: str, indent: int) -> list[str]:
        """A block as it stands, moved to its indentation."""
        first, *rows = self.text[value.start_mark.index : value.end_mark.index].split("\n")
        mark = first.split("#")[0].strip()
        if any(c.isdecimal() for c in mark):
            raise RefusedError
        while rows and not rows[-1].strip():
            rows.pop()
        depth = min((len(row) - len(row.lstrip(" ")) for row in rows if row.strip()), default=0)
        pad = " " * (indent + 2)
        return [f"{head} {mark}{behind}", *(f"{pad}{row[depth:]}".rstrip() for row in rows)]

    def _commented(self, node: yaml.SequenceNode, since: int) -> bool:
        """Whether comments stand between the members of a list."""
        inside = [c for c in self.comments if since <= c.line <= last_line(node)]
        if inside and node.flow_style:
            raise RefusedError
        return bool(inside)

    def _sequence(self, node: yaml.SequenceNode, indent: int, since: int) -> list[str]:
        lines: list[str] = []
        previous = since
        pad = " " * indent
        for element in node.value:
            lines += [f"{pad}{text}" for text in self._between(previous, element.start_mark.line)]
            previous = last_line(element) + 1
            lines += self._element(element, indent)
        return lines

    def _element(self, node: yaml.Node, indent: int) -> list[str]:
        pad = " " * indent
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            rows = [
                row
                for pair in self._with_comments(node, node.value, node.start_mark.line)
                for row in self._entry(*pair, indent + 2)
            ]
            if rows[0].lstrip().startswith("#"):
                raise RefusedError
            return [f"{pad}- {rows[0].lstrip()}", *rows[1:]]
        behind = self._behind(node, node)
        if isinstance(node, yaml.ScalarNode):
            source = self._source(node)
            if "\n" in source:
                raise RefusedError
            return [f"{pad}- {source}{behind}"]
        return self._flow(f"{pad}-", node, behind, indent)

    def _flow(self, head: str, node: yaml.Node, behind: str, indent: int) -> list[str]:
        """A list or mapping in brackets; a long list goes on below."""
        text = self._inline(node)
        if len(head) + 1 + len(text) + len(behind) <= WIDTH or not isinstance(node, yaml.SequenceNode):
            return [f"{head} {text}{behind}"]
        members = [self._inline(member) for member in node.value]
        lines = [f"{head} ["]
        for number, member in enumerate(members):
            piece = member + ("," if number + 1 < len(members) else "]")
            fits = len(lines[-1]) + 1 + len(piece) <= WIDTH
            between = "" if lines[-1].endswith("[") else " "
            if fits or lines[-1].endswith("["):
                lines[-1] += between + piece
            else:
                lines.append(f"{' ' * (indent + 2)}{piece}")
        lines[-1] += behind
        return lines

    def _inline(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.SequenceNode):
            return f"[{', '.join(self._inline(member) for member in node.value)}]"
        if isinstance(node, yaml.MappingNode):
            pairs = (f"{self._source(key)}: {self._inline(value)}" for key, value in node.value)
            return f"{{{', '.join(pairs)}}}"
        source = self._source(node)
        if "\n" in source or node.start_mark.line != last_line(node):
            raise RefusedError
        return source

    def _source(self, node: yaml.Node) -> str:
        """A scalar as it is written."""
        return self.text[node.start_mark.index : node.end_mark.index].rstrip()


def _rank(key: str) -> int:
    return ORDER.index(key) if key in ORDER else len(ORDER)


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _is_simple(node: yaml.SequenceNode) -> bool:
    """A list of words, which stands in brackets."""
    return bool(node.flow_style) or all(isinstance(member, yaml.ScalarNode) for member in node.value)


def _is_plain(text: str) -> bool:
    """Whether YAML reads a text as itself without quotes."""
    try:
        node = yaml.compose(f"key: {text}", Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return False
    value = node.value[0][1]
    return isinstance(value, yaml.ScalarNode) and value.value == text and value.style is None


def last_line(node: yaml.Node) -> int:
    """The last line that a node really uses: the end of a block is where the next thing begins."""
    if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        return last_line(last[1] if isinstance(last, tuple) else last)
    open_end = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") and node.end_mark.column == 0
    return int(node.end_mark.line) - open_end

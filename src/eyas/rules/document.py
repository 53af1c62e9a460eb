"""YAML with places: every scalar knows its line and column, and so does every character in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from eyas.rules.problem import Place, Problem

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what ends a line in YAML
_NOT_YAML = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


@dataclass(slots=True)
class Document:
    """A rule file as text and as YAML nodes."""

    file: str
    text: str
    items: list[yaml.MappingNode]
    problems: list[Problem]
    _starts: list[int] | None = None

    def place(self, mark: yaml.Mark) -> Place:
        """Place of a mark."""
        return self.at(mark.line, mark.column)

    def at(self, line: int, column: int) -> Place:
        """Place of a line and column, both from 0."""
        starts = self._line_starts()
        start = starts[min(line, len(starts) - 1)]
        text = _BREAK.split(
            self.text[start : starts[line + 1]] if line + 1 < len(starts) else self.text[start:]
        )[0]
        return Place(self.file, line + 1, column + 1, start + column, text)

    def found(self, offset: int) -> Place:
        """Place of a character."""
        starts = self._line_starts()
        line = bisect_right(starts, offset) - 1
        return self.at(line, offset - starts[line])

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        return self._starts

    def inside(self, node: yaml.Node, offset: int) -> Place:
        """Place of a character of a scalar's value, found by counting what is not white space."""
        start = self.place(node.start_mark)
        begin = start.offset
        if getattr(node, "style", None) in ("|", ">"):
            begin = self.text.find("\n", begin) + 1
        elif getattr(node, "style", None) in ("'", '"'):
            begin += 1
        left = sum(not c.isspace() for c in node.value[:offset])
        for at in range(begin, len(self.text)):
            if self.text[at].isspace():
                continue
            if left == 0:
                return self.found(at)
            left -= 1
        return start


def read(path: Path) -> Document:
    """Read a rule file; whatever is wrong with its form is among its problems."""
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        problem = Problem("LOAD_ERR_FILE_READ", (error.strerror or str(error)).lower(), Place(name))
        return Document(name, "", [], [problem])
    return decoded(name, raw)


def decoded(name: str, raw: bytes) -> Document:
    """Read the bytes of a rule file."""
    try:
        return parse(name, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _mended(name, raw, error.start)


def _mended(name: str, raw: bytes, at: int) -> Document:
    """Read text with a byte in it that is not UTF-8: that is one problem, and the rest is read too."""
    document = parse(name, raw.decode("utf-8", "replace"))
    place = document.found(len(raw[:at].decode()))
    what = f"byte 0x{raw[at]:02x} at offset {at} is not UTF-8"
    document.problems.append(Problem("LOAD_ERR_YAML_PARSE", what, place, help="rule files are UTF-8"))
    return document


def parse(name: str, text: str) -> Document:
    """Read rule text."""
    document = Document(name, text, [], [])
    try:
        for root in yaml.compose_all(text, Loader):
            document.items.extend(_items(document, root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = document.place(mark) if mark else Place(name)
        hint = "YAML is indented with blanks, not tabs" if "\t" in place.text else ""
        what = " ".join(filter(None, (error.context, error.problem)))
        document.problems.append(Problem("LOAD_ERR_YAML_PARSE", what or "not YAML", place, help=hint))
    except yaml.reader.ReaderError:
        document.problems.append(_unprintable(document))
    except (yaml.YAMLError, RecursionError) as error:
        what = str(error).split("\n")[0] or "nested too deep"
        document.problems.append(Problem("LOAD_ERR_YAML_PARSE", what, Place(name)))
    return document


def _unprintable(document: Document) -> Problem:
    """The first character that no YAML may hold."""
    at = next((found.start() for found in _NOT_YAML.finditer(document.text)), 0)
    place = document.found(at)
    what = f"character U+{ord(document.text[at]):04X} may not stand in YAML"
    return Problem("LOAD_ERR_YAML_PARSE", what, place, help=r'write "\x00" in double quotes')


def _items(document: Document, root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if root is None or is_null(root):
        return
    if not isinstance(root, yaml.SequenceNode):
        problem = Problem(
            "LOAD_ERR_YAML_VALIDATE",
            "Rules content is not yaml array of objects",
            document.place(root.start_mark),
        )
        document.problems.append(problem)
        return
    for item in root.value:
        if isinstance(item, yaml.MappingNode):
            yield item
        elif not is_null(item):
            place = document.place(item.start_mark)
            what = "Rules content is not yaml array of objects"
            document.problems.append(Problem("LOAD_ERR_YAML_VALIDATE", what, place))


def is_null(node: yaml.Node) -> bool:
    """Whether a node is YAML's null."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"

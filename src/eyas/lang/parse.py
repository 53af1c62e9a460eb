"""Text to tree in one pass, without recursion over groups: no nesting and no size exhausts the stack."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eyas.lang.diagnostics import FaultError, Span, refuse
from eyas.lang.tree import (
    And,
    Arg,
    Call,
    Check,
    FieldRef,
    Items,
    Name,
    Node,
    Not,
    Number,
    Operand,
    Or,
    Right,
    Text,
    Values,
)

RULE_DEPTH = 1000
CALL_DEPTH = 100
GROUP_COST = 5  # a group counts once for itself and for each level of precedence in it

TRANSFORMERS = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt")

_B = "[ \t\b\r\n]"
_NAME = r"[a-zA-Z][a-zA-Z0-9_]*"
BLANK = re.compile(f"{_B}*")
NOT = re.compile(f"(?:not{_B}+)*")
NOT_GROUP = re.compile(r"not\(")
FIELD = re.compile(rf"{_NAME}(?:\.{_NAME})+")
IDENTIFIER = re.compile(_NAME)
CALL = re.compile(rf"({'|'.join(TRANSFORMERS)})\({_B}*")
VAL = re.compile(rf"val\({_B}*")
WORD_OPS = (
    "glob",
    "iglob",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "regex",
)
WORD_OP = re.compile("|".join(WORD_OPS))
OPERATOR = re.compile(
    rf"{_B}*(?:(exists)|(<=|<|>=|>)|(==|=|!=|(?:{'|'.join(WORD_OPS)})(?={_B}))|(intersects|in|pmatch)){_B}*"
)
MODIFIER = re.compile(rf"(?<={_B})(oneof|anyof|allof){_B}+(?=\(|(?!(?:and|or|not)(?![a-zA-Z0-9]))[a-zA-Z])")
BARE = re.compile(r"[^ \t\n\r\f\v()\"'=,]+")
QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'', re.DOTALL)
ARG_BARE = re.compile(r"[^ \t\n\r\f\v\[\]\"']+")
NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[+\-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+\-][0-9]+)?")
CONNECTIVE = re.compile(rf"{_B}*(and|or)(?:({_B}+)|(\())")
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
COMMA = re.compile(f"{_B}*,{_B}*")
CLOSE = re.compile(rf"{_B}*\)")
PLAIN_LIST = re.compile(rf"\({_B}*\)")

_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/"}


def parse(text: str, max_depth: int = RULE_DEPTH) -> Node:
    """Parse a condition; raises `FaultError` with the place of the first thing that is wrong."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise refuse("E001", (error.start, error.end), "the text is not Unicode") from None
    return Parser(text, max_depth).parse()


@dataclass(slots=True)
class _Group:
    """An expression that is still open: what stands before the place that is being read."""

    start: int
    negate: bool = False
    whole: bool = False  # it follows `or(` and takes the place of a whole `and` chain
    ors: list[Node] = field(default_factory=list)
    ands: list[Node] = field(default_factory=list)
    sealed: bool = False  # the last `or` had a group directly behind it: no `and` may follow

    def node(self, end: int) -> Node:
        self._close_ands(end)
        return self.ors[0] if len(self.ors) == 1 else Or(tuple(self.ors), (self.start, end))

    def next_or(self, end: int) -> None:
        self._close_ands(end)

    def _close_ands(self, end: int) -> None:
        if not self.ands:
            return
        chain = self.ands
        self.ors.append(chain[0] if len(chain) == 1 else And(tuple(chain), (chain[0].span[0], end)))
        self.ands = []


class Parser:
    """Position in a text, with one method for each production."""

    __slots__ = ("at", "max_depth", "text")

    def __init__(self, text: str, max_depth: int) -> None:
        self.text = text
        self.at = 0
        self.max_depth = max_depth

    def parse(self) -> Node:
        """Read the whole text."""
        text = self.text
        group = _Group(0)
        outer: list[_Group] = []
        self.at = _past(BLANK, text, 0)
        while True:
            opened = self.accept_group(group, outer)
            if opened is not None:
                group = opened
                continue
            group = self.close_groups(group, outer)
            match = CONNECTIVE.match(text, self.at)
            if match is None:
                return self.expect_end(group, outer)
            if match[1] == "and" and group.sealed:
                raise self.unexpected()
            end = self.at
            self.at = match.end()
            if match[1] == "or":
                group.next_or(end)
                group.sealed = match[3] is not None
            if match[3] is not None:
                opened = self.open_group(outer, group, negate=False)
                opened.whole = match[1] == "or"
                group = opened

    def accept_group(self, group: _Group, outer: list[_Group]) -> _Group | None:
        """Read `not`s and then either open a group or read one comparison into `group`."""
        text = self.text
        start = self.at
        at = _past(NOT, text, start)
        negate = at > start and text.count("not", start, at) % 2 == 1
        at = _past(BLANK, text, at)
        inner = NOT_GROUP.match(text, at)
        if inner is not None:
            self.at = inner.end()
            return self.open_group(outer, group, not negate)
        if text.startswith("(", at):
            self.at = at + 1
            return self.open_group(outer, group, negate)
        self.at = at
        leaf = self.expect_leaf()
        group.ands.append(Not(leaf, (start, self.at)) if negate else leaf)
        return None

    def open_group(self, outer: list[_Group], group: _Group, negate: bool) -> _Group:
        """Start a group inside `group`."""
        outer.append(group)
        if (len(outer) + 1) * GROUP_COST > self.max_depth:
            place = (self.at - 1, self.at)
            raise refuse(
                "E002",
                place,
                f"exceeded max depth limit of {self.max_depth}",
                "split the condition into macros",
            )
        start = self.at - 1
        self.at = _past(BLANK, self.text, self.at)
        return _Group(start, negate)

    def close_groups(self, group: _Group, outer: list[_Group]) -> _Group:
        """Close every group that ends here."""
        while outer:
            match = CLOSE.match(self.text, self.at)
            if match is None:
                return group
            inner = group.node(self.at)
            self.at = match.end()
            closed, group = group, outer.pop()
            group.ands.append(Not(inner, (closed.start, self.at)) if closed.negate else inner)
        return group

    def expect_end(self, group: _Group, outer: list[_Group]) -> Node:
        """Require that nothing is left to read."""
        end = _past(BLANK, self.text, self.at)
        if outer:
            self.at = end
            raise self.wrong("a ')' token, 'or' or 'and'")
        if end != len(self.text):
            raise self.unexpected()
        return group.node(self.at)

    def expect_leaf(self) -> Check | Name:
        """Read a comparison or the name of a macro."""
        text, start = self.text, self.at
        left: Operand
        if (match := FIELD.match(text, start)) is not None:
            self.at = match.end()
            left = FieldRef(match.group(), self.accept_bracket(), (start, self.at))
        elif (match := CALL.match(text, start)) is not None:
            left = self.expect_call(match, 1)
        elif (match := IDENTIFIER.match(text, start)) is not None:
            self.at = match.end()
            return Name(match.group(), (start, self.at))
        else:
            raise self.wrong("a '(', a field, a transformer or a macro")
        return self.expect_condition(left, start)

    def expect_condition(self, left: Operand, start: int) -> Check:
        """Read operator and right side."""
        text = self.text
        match = OPERATOR.match(text, self.at)
        if match is None:
            self.at = _past(BLANK, text, self.at)
            raise self.wrong("an operator" + _without_blank(text, self.at))
        kind, op = match.lastindex, match.group(match.lastindex or 0)
        if kind == 1:
            self.at = match.end(1)
            return Check(left, op, None, None, (start, self.at))
        self.at = match.end()
        modifier: str | None = None
        right: Right
        if kind == 2:
            right = self.expect_number_or_field()
        elif kind == 4:
            right = self.expect_list(op)
        elif (word := MODIFIER.match(text, self.at)) is not None:
            self.at = word.end()
            modifier = word[1]
            right = self.expect_list(modifier)
        else:
            right = self.expect_value()
        return Check(left, op, right, modifier, (start, self.at))

    def expect_number_or_field(self) -> Text | Operand:
        """Read the right side of an order."""
        right = self.accept_right_field()
        if right is not None:
            return right
        match = NUMBER.match(self.text, self.at)
        if match is None:
            raise self.wrong("a number or a field in val()", "the operators < <= > >= take only numbers")
        self.at = match.end()
        return Text(match.group(), match.span(), True)

    def expect_value(self) -> Text | Operand:
        """Read one constant or a field."""
        right = self.accept_right_field()
        if right is not None:
            return right
        quoted = self.accept_quoted()
        if quoted is not None:
            return quoted
        match = BARE.match(self.text, self.at)
        if match is None:
            raise self.wrong("a value, a quoted text, a transformer or val()")
        self.at = match.end()
        return Text(match.group(), match.span(), True)

    def expect_list(self, after: str) -> Values | Operand:
        """Read what follows a list operator or a modifier."""
        text, start = self.text, self.at
        if text.startswith("(", start):
            return self.expect_values()
        if after not in ("oneof", "anyof", "allof"):
            right = self.accept_right_field()
            if right is not None:
                return right
        match = IDENTIFIER.match(text, start)
        if match is None:
            raise self.wrong(f"a list after '{after}'")
        self.at = match.end()
        return Values((match.group(),), match.span(), True, (start,))

    def expect_values(self) -> Values:
        """Read a list of constants in parentheses."""
        text, start = self.text, self.at
        empty = PLAIN_LIST.match(text, start)
        if empty is not None:
            self.at = empty.end()
            return Values((), empty.span())
        at = _past(BLANK, text, start + 1)
        items: list[str] = []
        starts: list[int] = []
        while True:
            starts.append(at)
            match = BARE.match(text, at)
            if match is not None:
                items.append(match.group())
                at = match.end()
            else:
                self.at = at
                items.append(self.expect_quoted("a list value").value)
                at = self.at
            comma = COMMA.match(text, at)
            if comma is None:
                break
            at = comma.end()
        self.at = at
        self.expect_close("a ',' or ')' in the list")
        return Values(tuple(items), (start, self.at), False, tuple(starts))

    def accept_right_field(self) -> Operand | None:
        """Read `val(field)` or a transformer."""
        text, start = self.text, self.at
        if (match := VAL.match(text, start)) is not None:
            self.at = match.end()
            inner = self.expect_field("a field in val()")
            self.expect_close("the ')' of val()")
            return inner
        if (match := CALL.match(text, start)) is not None:
            return self.expect_call(match, 1)
        return None

    def expect_field(self, what: str) -> FieldRef:
        """Read a field name with its argument."""
        start = self.at
        match = FIELD.match(self.text, start)
        if match is None:
            raise self.wrong(what)
        self.at = match.end()
        return FieldRef(match.group(), self.accept_bracket(), (start, self.at))

    def accept_bracket(self) -> str | None:
        """Read an argument in brackets."""
        text = self.text
        if not text.startswith("[", self.at):
            return None
        self.at += 1
        quoted = self.accept_quoted()
        if quoted is not None:
            argument = quoted.value
        elif (match := ARG_BARE.match(text, self.at)) is not None:
            self.at = match.end()
            argument = match.group()
        else:
            raise self.wrong("an argument in the brackets")
        if not text.startswith("]", self.at):
            raise self.wrong("a ']' after the argument")
        self.at += 1
        return argument

    def expect_call(self, match: re.Match[str], depth: int) -> Call:
        """Read a transformer whose name and parenthesis were just seen."""
        if depth > CALL_DEPTH:
            raise refuse("E002", match.span(1), f"exceeded max depth limit of {CALL_DEPTH} transformers")
        start = match.start()
        self.at = match.end()
        args = [self.expect_argument(depth)]
        while (comma := COMMA.match(self.text, self.at)) is not None:
            self.at = comma.end()
            args.append(self.expect_argument(depth))
        self.expect_close(f"a ',' or ')' in {match[1]}()")
        return Call(match[1], tuple(args), self.accept_bracket(), (start, self.at))

    def expect_argument(self, depth: int) -> Arg:
        """Read one argument of a transformer."""
        if self.text.startswith("(", self.at):
            return self.expect_items(depth)
        return self.expect_element(depth)

    def expect_items(self, depth: int) -> Items:
        """Read a list among the arguments of a transformer."""
        text, start = self.text, self.at
        empty = PLAIN_LIST.match(text, start)
        if empty is not None:
            self.at = empty.end()
            return Items((), empty.span())
        self.at = _past(BLANK, text, start + 1)
        items = [self.expect_element(depth)]
        while (comma := COMMA.match(text, self.at)) is not None:
            self.at = comma.end()
            items.append(self.expect_element(depth))
        self.expect_close("a ',' or ')' in the list")
        return Items(tuple(items), (start, self.at))

    def expect_element(self, depth: int) -> Arg:
        """Read a number, a quoted text, a transformer or a field."""
        text = self.text
        if (match := NUMBER.match(text, self.at)) is not None:
            self.at = match.end()
            return Number(match.group(), match.span())
        quoted = self.accept_quoted()
        if quoted is not None:
            return quoted
        if (match := CALL.match(text, self.at)) is not None:
            return self.expect_call(match, depth + 1)
        return self.expect_field("a field, a transformer, a quoted text or a number")

    def accept_quoted(self) -> Text | None:
        """Read a quoted text if a quote stands here."""
        if self.text[self.at : self.at + 1] not in ('"', "'") or self.at >= len(self.text):
            return None
        return self.expect_quoted("a quoted text")

    def expect_quoted(self, what: str) -> Text:
        """Read a quoted text."""
        start = self.at
        if self.text[start : start + 1] not in ('"', "'") or start >= len(self.text):
            raise self.wrong(what)
        match = QUOTED.match(self.text, start)
        if match is None:
            raise refuse(
                "E004", (start, len(self.text)), f"expected a closing {self.text[start]} after this quote"
            )
        self.at = match.end()
        raw = self.text[start + 1 : self.at - 1]
        value = unescape(raw, self.text[start], start + 1) if "\\" in raw else raw
        return Text(value, match.span())

    def expect_close(self, what: str) -> None:
        """Read a closing parenthesis."""
        match = CLOSE.match(self.text, self.at)
        if match is None:
            self.at = _past(BLANK, self.text, self.at)
            raise self.wrong(what)
        self.at = match.end()

    def wrong(self, expected: str, hint: str = "") -> FaultError:
        """Say what was expected here and what was found."""
        return refuse("E001", self.place(), f"expected {expected}, found {self.found()}", hint)

    def unexpected(self) -> FaultError:
        """Say that the text goes on where it ought to end."""
        before = self.text[: self.at].rstrip()
        word = re.split(r"[\s()]", before[-40:])[-1] or ")"
        self.at = _past(BLANK, self.text, self.at)
        message = f"unexpected token after '{word}', expecting 'or', 'and', found {self.found()}"
        return refuse("E001", self.place(), message)

    def place(self) -> Span:
        """Span of the word that stands here."""
        match = BARE.match(self.text, self.at)
        end = match.end() if match else min(self.at + 1, len(self.text))
        return (self.at, end)

    def found(self) -> str:
        """The word that stands here, for a message."""
        start, end = self.place()
        return f"'{self.text[start : min(end, start + 40)]}'" if start < len(self.text) else "the end"


def unescape(raw: str, mark: str, offset: int) -> str:
    """Resolve the escapes of a quoted text. A backslash before a blank stands for itself."""
    high = False

    def one(match: re.Match[str]) -> str:
        nonlocal high
        what = match[1]
        if what[0] == "x" and len(what) == 3:
            code = int(what[1:], 16)
            high = high or code > 127
            return chr(code) if code < 128 else chr(0xDC00 + code)
        if what in _ESCAPED:
            return _ESCAPED[what]
        if what == mark:
            return mark
        if what == " ":
            return "\\ "
        place = (offset + match.start(), offset + match.end())
        raise refuse("E003", place, f"unknown escape '\\{what}'", "write a backslash as \\\\")

    value = ESCAPE.sub(one, raw)
    if high:
        value = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return value


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Offset behind what a pattern matches here, `at` itself if nothing."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _without_blank(text: str, at: int) -> str:
    word = WORD_OP.match(text, at)
    return f" (a blank must follow '{word.group()}')" if word else ""

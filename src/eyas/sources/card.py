"""What a log source is: fields that point into its records, how records are found in a body, and when they happened.

Everything is data. The compiled core reads it, parses each record once and looks up what the rules ask for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Type = Literal["text", "int", "uint", "bool", "ip", "net", "abstime", "reltime"]
Clock = Literal["rfc3339", "s", "ms", "us", "ns"]
ArgKind = Literal["none", "key", "index", "index_or_key"]


@dataclass(frozen=True, slots=True)
class Derived:
    """A value that no pointer can say: an operation over pointers, texts and other derived values."""

    op: str
    args: tuple[Value, ...]

    def ir(self) -> list[Any]:
        """The form that the core reads."""
        return [self.op, *(arg.ir() if isinstance(arg, Derived) else arg for arg in self.args)]


# A value is a JSON pointer or derived. In a pointer `*` stands for each element of a list, a number for one
# element, and `*[kind=User]` for the elements whose `kind` is `User`. `{arg}` stands for the argument of the
# field: behind a slash as one key, else as a pointer that goes on from there.
Value = str | Derived


def text(words: str) -> Derived:
    """Give a fixed text."""
    return Derived("text", (words,))


def root(pointer: str) -> Derived:
    """Point into the whole record from within `each`."""
    return Derived("root", (pointer,))


def first(*values: Value) -> Derived:
    """Give the first value that is there."""
    return Derived("first", values)


def last(value: Value) -> Derived:
    """Give the last value of a list."""
    return Derived("last", (value,))


def concat(*values: Value) -> Derived:
    """Put texts together; no value when one of them is missing."""
    return Derived("concat", values)


def spread(*values: Value) -> Derived:
    """Put texts together as `concat` does, once for each value of the last."""
    return Derived("spread", values)


def times(value: Value, by: Value) -> Derived:
    """Give a value once for each value of another."""
    return Derived("times", (value, by))


def distinct(value: Value) -> Derived:
    """Give each value once, in the order in which they come."""
    return Derived("distinct", (value,))


def written(pointer: str) -> Derived:
    """Give what stands at a pointer: a text without quotes, anything else as JSON, null too."""
    return Derived("written", (pointer,))


def join(separator: str, *values: Value) -> Derived:
    """Put every text of every value together with something between; no value when there is none."""
    return Derived("join", (text(separator), *values))


def each(pointer: str, value: Value) -> Derived:
    """Give one value for each thing the pointer finds; inside, pointers start at that thing."""
    return Derived("each", (pointer, value))


def without_prefix(value: Value, prefix: str) -> Derived:
    """Cut a beginning off, if it is there."""
    return Derived("without_prefix", (value, text(prefix)))


def without_suffix(value: Value, suffix: str) -> Derived:
    """Cut an end off, if it is there."""
    return Derived("without_suffix", (value, text(suffix)))


def shortened(value: Value, count: int) -> Derived:
    """Cut so many characters off the end."""
    return Derived("shortened", (value, text(str(count))))


def part(value: Value, separator: str, number: int, of: int | None = None) -> Derived:
    """Give piece `number` (from 0) of a text cut at every separator; no value when there are fewer, or not `of`."""
    wanted = (text(str(number)), *(() if of is None else (text(str(of)),)))
    return Derived("part", (value, text(separator), *wanted))


def image_repository(value: Value) -> Derived:
    """Give the repository of a container image: the reference without tag and digest."""
    return Derived("image_repository", (value,))


def query(value: Value) -> Derived:
    """Give the first query parameter of a URI whose name is the field's argument."""
    return Derived("query", (value,))


def keys(pointer: str, *but: str) -> Derived:
    """Give the keys of objects, without some."""
    return Derived("keys", (pointer, *(text(key) for key in but)))


def total(*values: Value) -> Derived:
    """Add the numbers that are there; no value when there is none."""
    return Derived("total", values)


def recent(value: Value) -> Derived:
    """Count the times (nanoseconds since the epoch) less than so many seconds, the argument, before the event."""
    return Derived("recent", (value,))


def whole() -> Derived:
    """Give the record as text."""
    return Derived("whole", ())


def event_time() -> Derived:
    """Give the time of the event in nanoseconds."""
    return Derived("event_time", ())


def argument() -> Derived:
    """Give the argument of the field as text."""
    return Derived("argument", ())


def when(condition: Derived, then: Value, otherwise: Value | None = None) -> Derived:
    """Give one value where a condition holds, and another (or none) where it does not."""
    return Derived("when", (condition, then) if otherwise is None else (condition, then, otherwise))


def has(value: Value) -> Derived:
    """Condition: there is a value."""
    return Derived("has", (value,))


def one_of(value: Value, *words: str) -> Derived:
    """Condition: the value, or one value of a list, is one of these texts."""
    return Derived("one_of", (value, *(text(word) for word in words)))


def starts_with(value: Value, prefix: Value) -> Derived:
    """Condition: the text, or one text of a list, begins with the other."""
    return Derived("starts_with", (value, prefix))


def covered(value: Value, pattern: Value) -> Derived:
    """Condition: one text equals the pattern, or begins with it when the pattern ends with `*`."""
    return Derived("covered", (value, pattern))


def same(left: Value, right: Value) -> Derived:
    """Condition: two texts are equal."""
    return Derived("same", (left, right))


def negated(condition: Derived) -> Derived:
    """Condition: the other does not hold."""
    return Derived("negated", (condition,))


def both(*conditions: Derived) -> Derived:
    """Condition: all of them hold."""
    return Derived("both", conditions)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a rule can ask of a record.

    With an argument of kind `index`, the number takes the place of the first `*` of every pointer; `indexed` gives
    another value for that case. Several pointers mean the first that is there.
    """

    name: str
    type: Type
    value: Value | tuple[Value, ...]
    about: str
    list: bool = False
    arg: ArgKind = "none"
    required: bool = False
    indexed: Value | None = None
    deprecated: bool = False
    suggested: bool = False

    def ir(self) -> dict[str, Any]:
        """The form that the core reads."""
        value = first(*self.value) if isinstance(self.value, tuple) else self.value
        made: dict[str, Any] = {"name": self.name, "type": self.type, "value": _ir(value)}
        if self.list:
            made["list"] = True
        if self.arg != "none":
            made["arg"] = self.arg
        if self.indexed is not None:
            made["indexed"] = _ir(self.indexed)
        return made


@dataclass(frozen=True, slots=True)
class Time:
    """When a record happened: pointers, the first that is there counts, and how the time is written.

    A pointer whose time is written another way comes with its own clock.
    """

    at: str | tuple[str | tuple[str, Clock], ...]
    clock: Clock = "rfc3339"

    def ir(self) -> dict[str, Any]:
        """The form that the core reads."""
        return {"at": [list(place) for place in self.places()], "clock": self.clock}

    def places(self) -> tuple[tuple[str, Clock], ...]:
        """Each pointer with its clock."""
        given = (self.at,) if isinstance(self.at, str) else self.at
        return tuple((one, self.clock) if isinstance(one, str) else one for one in given)


@dataclass(frozen=True, slots=True)
class Record:
    """One record that Python made: its JSON, and its time in nanoseconds where the record does not say it."""

    data: Mapping[str, Any] | bytes
    time: int | None = None

    def line(self) -> bytes:
        """The record as one line of JSON; bytes stay as they are."""
        if isinstance(self.data, bytes):
            return self.data
        try:
            return orjson.dumps(self.data)
        except TypeError:  # an integer of more than 64 bits, half a surrogate pair
            return json.dumps(self.data, separators=(",", ":")).encode()


# Makes something of a record: what it gives stands in the record under `/eyas/NAME`, NAME being that of the addition.
Look = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Addition:
    """Fields on sources that are there. With a `look`, what it makes of a record is what they point into."""

    name: str
    about: str
    sources: tuple[str, ...]
    fields: tuple[Field, ...]
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A service whose records are judged.

    A body holds JSON documents one after another (JSON lines too). A document is a record, a list of records, or an
    object that holds a list of records under one of the keys in `lists`. Where that does not say it, `decode` makes
    records in Python.
    """

    name: str
    about: str
    fields: tuple[Field, ...]
    time: Time
    lists: tuple[str, ...] = ()
    decode: Callable[[bytes], Iterable[Record]] | None = None
    keep: Derived | None = None  # Condition for a record to be an event.
    skips: str = ""  # What records are that do not meet it, in words.
    identity: str = ""  # Pointer to the service's own event id, by which repeats are known.
    info: Value | None = None  # One line about an event: `evt.plugininfo`.
    plugin: str = ""  # The plugin of the field whose rules this source runs: `evt.pluginname`.
    version: tuple[int, int, int] = (1, 0, 0)  # Version of that plugin whose fields are all here.
    same_as: tuple[str, ...] = field(default=())  # Other plugins that give the same source.
    silent: float = 0.0  # Seconds without anything after which an alert is raised; 0 is never.
    payload: str = ""  # Where the event itself stands in a record: what `json.value` reads.
    asynctype: str = ""  # Pointer to the name of an event that came beside the stream.
    additions: tuple[Addition, ...] = ()  # What packages add to it.

    def every(self) -> tuple[Field, ...]:
        """Give its own fields and those that every source has."""
        added = (one for addition in self.additions for one in addition.fields)
        return (*self.fields, *added, *_common(self.payload))

    def ir(self) -> dict[str, Any]:
        """The form that the core reads."""
        return {
            "name": self.name,
            "plugin": self.plugin or self.name,
            "fields": [one.ir() for one in self.every()],
            "time": self.time.ir(),
            "lists": list(self.lists),
            "keep": _ir(self.keep),
            "identity": self.identity,
            "info": _ir(self.info),
            "asynctype": self.asynctype or None,
        }


def _common(payload: str) -> tuple[Field, ...]:
    about = "Value at a JSON pointer (RFC 6901) in the event; anything but a text as JSON."
    event: Value = payload or whole()
    return tuple(
        one
        for kin in ("json", "jevt")
        for one in (
            Field(f"{kin}.value", "text", written(payload + "{arg}"), about, arg="key", required=True),
            Field(f"{kin}.obj", "text", event, "The whole event as text."),
            Field(f"{kin}.rawtime", "text", event_time(), "Time of the event, nanoseconds since the epoch."),
        )
    )


def _ir(value: Value | None) -> Any:
    return value.ir() if isinstance(value, Derived) else value

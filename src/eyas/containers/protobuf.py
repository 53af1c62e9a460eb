"""Protocol buffers on the wire, as much as a few requests and answers need: https://protobuf.dev/programming-guides/encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Value = bytes | str | int

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """The bytes are no message."""


def encode(fields: Mapping[int, Value]) -> bytes:
    """A message; one within another is given as its bytes."""
    return b"".join(_field(number, value) for number, value in fields.items())


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was read: values by field number. What is missing is empty, as the format has it."""

    values: Mapping[int, list[int | bytes]] = field(default_factory=dict)

    def text(self, number: int) -> str:
        """A string."""
        value = self._last(number)
        return value.decode(errors="replace") if isinstance(value, bytes) else ""

    def integer(self, number: int) -> int:
        """A number, with its sign."""
        value = self._last(number)
        if not isinstance(value, int):
            return 0
        return value - (1 << 64) if value >> 63 else value

    def message(self, number: int) -> Message:
        """A message within."""
        value = self._last(number)
        return decode(value) if isinstance(value, bytes) else Message()

    def messages(self, number: int) -> Iterator[Message]:
        """All messages within that have a number."""
        return (decode(value) for value in self.values.get(number, ()) if isinstance(value, bytes))

    def texts(self, number: int) -> dict[str, str]:
        """A map of strings."""
        return {entry.text(1): entry.text(2) for entry in self.messages(number)}

    def _last(self, number: int) -> int | bytes | None:
        return next(reversed(self.values.get(number, [])), None)


def decode(data: bytes) -> Message:
    """Read a message; fields that nobody asks for are kept too."""
    values: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _value(data, at, key & 7)
        values.setdefault(key >> 3, []).append(value)
    return Message(values)


def _value(data: bytes, at: int, kind: int) -> tuple[int | bytes, int]:
    if kind == _VARINT:
        return _varint(data, at)
    if kind == _BYTES:
        length, at = _varint(data, at)
    elif kind in (_FIXED64, _FIXED32):
        length = 8 if kind == _FIXED64 else 4
    else:
        raise WireError(f"unknown kind of field {kind} at byte {at}")
    if at + length > len(data):
        raise WireError(f"{length} bytes expected at byte {at}, {len(data) - at} found")
    return data[at : at + length], at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at + position + 1
    raise WireError(f"a number without end at byte {at}")


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _number(number << 3 | _VARINT) + _number(value)
    body = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | _BYTES) + _number(len(body)) + body


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

"""Fields as a plugin is asked for them, and the values that it gives: nothing of what it writes is believed but those."""

from __future__ import annotations

import ctypes
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from ctypes import POINTER, c_char_p, c_uint32, c_uint64
from typing import Any

from eyas.sources.binary import abi

# (number of the field, argument or None, as an index or a key)
Asked = tuple[int, str | int | None]

MOST = 1 << 16  # values of one field


class Requests:
    """Fields to extract in the form that a plugin reads, made anew for each event."""

    def __init__(self, fields: Sequence[Mapping[str, Any]], asked: Sequence[Asked]) -> None:
        self._asked = (abi.ExtractField * len(asked))()
        for request, (number, argument) in zip(self._asked, asked, strict=True):
            field = fields[number]
            request.field_id = number
            request.field = field["name"].encode()
            request.ftype = abi.TYPES[field["type"]]
            request.flist = bool(field.get("isList"))
            request.arg_present = argument is not None
            request.arg_key = argument.encode() if isinstance(argument, str) else None
            request.arg_index = argument if isinstance(argument, int) else 0
        self._kinds = [(request.ftype, bool(request.flist)) for request in self._asked]
        self.given = (abi.ExtractField * len(asked))()

    def __len__(self) -> int:
        return len(self._kinds)

    def renew(self) -> None:
        """Forget what the plugin has written."""
        ctypes.memmove(self.given, self._asked, ctypes.sizeof(self._asked))

    def values(self) -> Iterator[Any]:
        """The value of each field, None where there is none."""
        for given, (kind, many) in zip(self.given, self._kinds, strict=True):
            yield _value(given.res, given.res_len, kind, many)


def _value(at: int | None, count: int, kind: int, many: bool) -> Any:
    if not at or not 0 < count <= MOST:
        return None
    found = [one for one in _values(at, count if many else 1, kind) if one is not None]
    return found if many else next(iter(found), None)


def _values(at: int, count: int, kind: int) -> Iterator[Any]:
    match kind:
        case abi.STRING:
            for text in ctypes.cast(at, POINTER(c_char_p))[:count]:
                yield None if text is None else text.decode(errors="replace")
        case abi.BOOL:
            yield from map(bool, ctypes.cast(at, POINTER(c_uint32))[:count])
        case abi.IPADDR | abi.IPNET:
            for buffer in ctypes.cast(at, POINTER(abi.Buffer))[:count]:
                good = buffer.ptr and buffer.len in (4, 16)
                yield str(ipaddress.ip_address(ctypes.string_at(buffer.ptr, buffer.len))) if good else None
        case _:
            yield from ctypes.cast(at, POINTER(c_uint64))[:count]

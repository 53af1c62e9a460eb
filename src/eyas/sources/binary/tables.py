"""State tables: those of the host, kept here, and those of plugins, reached through their own functions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import c_uint32
from dataclasses import dataclass, field
from typing import Any, Protocol

from eyas.sources.binary import tableabi as abi

# Entries that a table of the host holds at most; a plugin that adds without end is told so.
MOST = 1 << 18
MOST_FIELDS = 4096  # of a table of a plugin: a count beyond is a lie

Key = Any  # pointer to a value
Entry = Any  # what stands for an entry: an object of ours, or an address in the plugin
Column = Any  # what stands for a field, likewise


class TableError(Exception):
    """Something that a table cannot do."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A field of a table: its name, type, and the shape of the sub-table when it is one."""

    name: str
    kind: int
    inside: Layout | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A table of the host before anything is in it."""

    name: str
    key_kind: int
    shapes: tuple[Shape, ...]


class Table(Protocol):
    """What a table can be asked."""

    name: str
    key_kind: int
    place: int  # the same for the same table

    def shapes(self) -> Sequence[Shape]:
        """Its fields."""

    def column(self, name: str, kind: int) -> Column:
        """A field by name and type."""

    def add_column(self, name: str, kind: int) -> Column:
        """A field that is new, or was there with the same type."""

    def size(self) -> int:
        """Number of its entries."""

    def find(self, key: Key) -> Entry | None:
        """The entry of a key."""

    def read(self, entry: Entry, column: Column, out: Key) -> Table | None:
        """Fill in the value of a field; a sub-table is returned instead."""

    def release(self, entry: Entry) -> None:
        """Take back an entry that was found."""

    def visit(self, each: Callable[[Entry], bool]) -> bool:
        """Show every entry until one says stop; false when one did."""

    def clear(self) -> None:
        """Remove all entries."""

    def erase(self, key: Key) -> None:
        """Remove an entry."""

    def create(self) -> Entry:
        """Make an entry that is in no table yet."""

    def destroy(self, entry: Entry) -> None:
        """Forget an entry that is in no table."""

    def add(self, key: Key, entry: Entry) -> Entry:
        """Put an entry in the place of a key."""

    def write(self, entry: Entry, column: Column, value: Key) -> None:
        """Set the value of a field."""


@dataclass(slots=True, eq=False)
class Row:
    """An entry of a table of the host; texts that were lent live as long as it, or until they are read again."""

    values: dict[str, Any] = field(default_factory=dict)
    lent: dict[str, Any] = field(default_factory=dict)


class Own:
    """A table of the host."""

    def __init__(self, layout: Layout) -> None:
        self.name, self.key_kind, self.place = layout.name, layout.key_kind, id(self)
        self._shapes = {shape.name: shape for shape in layout.shapes}
        self._rows: dict[Any, Row] = {}

    def shapes(self) -> Sequence[Shape]:
        """Its fields."""
        return list(self._shapes.values())

    def column(self, name: str, kind: int) -> Shape:
        """A field by name and type."""
        shape = self._shapes.get(name)
        if shape is None:
            raise TableError(f"table {self.name} has no field '{name}'")
        if shape.kind != kind:
            raise TableError(f"field {name} of table {self.name} has type {shape.kind}, not {kind}")
        return shape

    def add_column(self, name: str, kind: int) -> Shape:
        """A field that is new, or was there with the same type."""
        if name not in self._shapes:
            if kind not in abi.MEMBERS or kind == abi.TABLE:
                raise TableError(f"field {name} of table {self.name} cannot have type {kind}")
            self._shapes[name] = Shape(name, kind)
        return self.column(name, kind)

    def size(self) -> int:
        """Number of its entries."""
        return len(self._rows)

    def find(self, key: Key) -> Row | None:
        """The entry of a key."""
        return self._rows.get(_given(key, self.key_kind))

    def read(self, entry: Row, column: Shape, out: Key) -> Table | None:
        """Fill in the value of a field; a sub-table is returned instead."""
        value = entry.values.get(column.name)
        if column.inside is not None:
            inside: Table = entry.values.setdefault(column.name, Own(column.inside))
            return inside
        if column.kind == abi.TEXT:
            text = entry.lent[column.name] = ctypes.create_string_buffer(value or b"")
            out[0].text = ctypes.addressof(text)
        else:
            setattr(out[0], abi.MEMBERS[column.kind], value or 0)
        return None

    def release(self, entry: Row) -> None:
        """Nothing to do: entries live in the table."""

    def visit(self, each: Callable[[Row], bool]) -> bool:
        """Show every entry until one says stop; false when one did."""
        return all(each(row) for row in list(self._rows.values()))

    def clear(self) -> None:
        """Remove all entries."""
        self._rows.clear()

    def erase(self, key: Key) -> None:
        """Remove an entry."""
        if self._rows.pop(_given(key, self.key_kind), None) is None:
            raise TableError(f"table {self.name} has no such entry")

    def create(self) -> Row:
        """Make an entry that is in no table yet."""
        return Row()

    def destroy(self, entry: Row) -> None:
        """Nothing to do: an entry in no table goes by itself."""

    def add(self, key: Key, entry: Row) -> Row:
        """Put an entry in the place of a key."""
        if len(self._rows) >= MOST:
            raise TableError(f"table {self.name} is full")
        self._rows[_given(key, self.key_kind)] = entry
        return entry

    def write(self, entry: Row, column: Shape, value: Key) -> None:
        """Set the value of a field."""
        if column.kind == abi.TABLE or column.read_only:
            raise TableError(f"field {column.name} of table {self.name} cannot be written")
        entry.values[column.name] = _given(value, column.kind)


def _given(value: Key, kind: int) -> Any:
    """What a plugin handed over as a key or a value."""
    if not value:
        raise TableError("a value is missing")
    found = getattr(value[0], abi.MEMBERS[kind])
    return (ctypes.string_at(found) if found else b"") if kind == abi.TEXT else found


class Foreign:
    """A table of a plugin, through the functions that the plugin gave."""

    def __init__(self, given: abi.TableInput) -> None:
        self.name = (given.name or b"").decode(errors="replace")
        self.key_kind = given.key_type
        if not self.name or self.key_kind not in abi.MEMBERS or not given.table:
            raise TableError("a table needs a name, a type of its key, and itself")
        self._table = self.place = given.table
        # The plugin may give all of these from its stack.
        calls: dict[str, Any] = {}
        for group in (given.reader, given.writer, given.fields):
            calls |= {name: getattr(group, name) for name, _ in group._fields_}
        for more in (given.reader_ext, given.writer_ext, given.fields_ext):
            if more:
                calls |= {name: getattr(more[0], name) for name, _ in more[0]._fields_}
        self._calls: Mapping[str, Any] = calls

    def _call(self, name: str, *arguments: Any) -> Any:
        call = self._calls.get(name)
        if not call:
            raise TableError(f"table {self.name} has no {name}")
        return call(self._table, *arguments)

    def _expect(self, name: str, *arguments: Any) -> None:
        if self._call(name, *arguments) != 0:
            raise TableError(f"table {self.name}: {name} failed")

    def _found(self, name: str, *arguments: Any) -> int:
        found: int | None = self._call(name, *arguments)
        if not found:
            raise TableError(f"table {self.name}: {name} gives nothing")
        return found

    def shapes(self) -> Sequence[Shape]:
        """Its fields."""
        count = c_uint32(0)
        at = self._call("list_table_fields", ctypes.byref(count))
        if not at or count.value > MOST_FIELDS:
            raise TableError(f"table {self.name} lists no fields")
        infos = (abi.FieldInfo * count.value).from_address(at)
        return [
            Shape((one.name or b"").decode(errors="replace"), one.field_type, None, bool(one.read_only))
            for one in infos
        ]

    def column(self, name: str, kind: int) -> tuple[int, int]:
        """A field by name and type."""
        return self._found("get_table_field", name.encode(), kind), kind

    def add_column(self, name: str, kind: int) -> tuple[int, int]:
        """A field that is new, or was there with the same type."""
        return self._found("add_table_field", name.encode(), kind), kind

    def size(self) -> int:
        """Number of its entries."""
        return int(self._call("get_table_size"))

    def find(self, key: Key) -> int | None:
        """The entry of a key."""
        found: int | None = self._call("get_table_entry", key)
        return found

    def read(self, entry: int, column: tuple[int, int], out: Key) -> Table | None:
        """Fill in the value of a field; a sub-table is returned instead."""
        self._expect("read_entry_field", entry, column[0], out)
        if column[1] != abi.TABLE:
            return None
        if not out[0].table:
            raise TableError(f"table {self.name}: a sub-table is missing")
        return Foreign(abi.TableInput.from_address(out[0].table))

    def release(self, entry: int) -> None:
        """Give back an entry that was found."""
        if self._calls.get("release_table_entry"):
            self._call("release_table_entry", entry)

    def visit(self, each: Callable[[int], bool]) -> bool:
        """Show every entry until one says stop; false when one did."""
        shown = abi.Visit(lambda _state, entry: int(bool(entry) and each(entry)))
        return bool(self._call("iterate_entries", shown, None))

    def clear(self) -> None:
        """Remove all entries."""
        self._expect("clear_table")

    def erase(self, key: Key) -> None:
        """Remove an entry."""
        self._expect("erase_table_entry", key)

    def create(self) -> int:
        """Make an entry that is in no table yet."""
        return self._found("create_table_entry")

    def destroy(self, entry: int) -> None:
        """Forget an entry that is in no table."""
        self._call("destroy_table_entry", entry)

    def add(self, key: Key, entry: int) -> int:
        """Put an entry in the place of a key."""
        return self._found("add_table_entry", key, entry)

    def write(self, entry: int, column: tuple[int, int], value: Key) -> None:
        """Set the value of a field."""
        self._expect("write_entry_field", entry, column[0], value)

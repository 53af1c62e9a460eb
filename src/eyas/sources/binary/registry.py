"""The tables of one process, as its plugins reach them: functions of the C interface over tables of both kinds.

What a plugin holds of a table, an entry or a field is a number of ours, never an address: one that is made up is told,
and nothing is read through it.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from typing import Any

from eyas.sources.binary import tableabi as abi
from eyas.sources.binary.tables import Foreign, Own, Shape, Table, TableError
from eyas.sources.binary.threads import THREADS

SUCCESS, FAILURE = 0, 1
NOWHERE = 2**64 - 1  # size of a table that cannot be asked
MOST_TABLES = 1024


class Lent:
    """Things that plugins hold by number; each as often as it was lent."""

    def __init__(self) -> None:
        self._numbers = itertools.count(16, 16)
        self._things: dict[int, tuple[Any, Any]] = {}
        self._known: dict[Any, int] = {}
        self._times: dict[int, int] = {}

    def lend(self, key: Any, thing: Any) -> int:
        """The number of a thing; the same one as long as it is lent."""
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = next(self._numbers)
            self._times[number] = 0
        self._things[number] = key, thing
        self._times[number] += 1
        return number

    def of(self, number: int | None, what: type | tuple[type, ...] = object) -> Any:
        """The thing of a number."""
        found = self._things.get(number or 0)
        if found is None or not isinstance(found[1], what):
            raise TableError("there is no such thing as the plugin names")
        return found[1]

    def back(self, number: int) -> None:
        """Take a thing back."""
        self._times[number] -= 1
        if not self._times[number]:
            del self._known[self._things.pop(number)[0]], self._times[number]


class Held:
    """An entry or a field with the table that it is of."""

    def __init__(self, table: Table, inside: Any) -> None:
        self.table, self.inside = table, inside


class Registry:
    """Tables by name, and the functions that plugins are given."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {THREADS.name: Own(THREADS)}
        self._lent = Lent()
        self._kept: dict[Any, Any] = {}  # what plugins may look at until they ask again
        self._error = ctypes.create_string_buffer(b"")
        self.fields = self._fields()
        self.reader_ext = self._reader()
        self.reader = abi.Reader(*(getattr(self.reader_ext, name) for name, _ in abi.Reader._fields_))
        self.writer = self._writer()
        self.owner_error = abi.OwnerError(lambda _owner: ctypes.addressof(self._error))
        self.tables = abi.InitTables(
            self._call(abi.ListTables, None, self._list),
            self._call(abi.GetTable, None, self._get),
            self._call(abi.AddTable, FAILURE, self._take),
            self.fields,
            ctypes.pointer(self.fields),
        )

    def _call(self, kind: Any, failure: Any, function: Callable[..., Any]) -> Any:
        """A function for plugins: what goes wrong is the last error, and the result says so."""

        def guarded(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (TableError, ValueError, TypeError, OverflowError, UnicodeError) as error:
                self._error = ctypes.create_string_buffer(str(error).encode(errors="replace")[:1023])
                return failure

        return kind(guarded)

    # Tables.

    def _list(self, _owner: int | None, count: Any) -> int:
        infos = (abi.TableInfo * len(self._tables))()
        for info, table in zip(infos, self._tables.values(), strict=True):
            info.name, info.key_type = table.name.encode(), table.key_kind
        self._kept["tables"] = infos
        count[0] = len(infos)
        return ctypes.addressof(infos)

    def _get(self, _owner: int | None, name: bytes | None, kind: int) -> int:
        wanted = (name or b"").decode(errors="replace")
        table = self._tables.get(wanted)
        if table is None:
            raise TableError(f"no table is called '{wanted}'")
        if table.key_kind != kind:
            raise TableError(f"the keys of table {wanted} have type {table.key_kind}, not {kind}")
        return self._lent.lend(("table", wanted), table)

    def _take(self, _owner: int | None, given: Any) -> int:
        if not given:
            raise TableError("a table is missing")
        table = Foreign(given[0])
        if table.name in self._tables:
            raise TableError(f"there is a table {table.name} already")
        if len(self._tables) >= MOST_TABLES:
            raise TableError("there are too many tables")
        self._tables[table.name] = table
        return SUCCESS

    def _table(self, number: int | None) -> Any:
        return self._lent.of(number, (Own, Foreign))

    # Fields.

    def _fields(self) -> abi.Fields:
        return abi.Fields(
            self._call(abi.ListFields, None, self._list_fields),
            self._call(abi.GetField, None, lambda at, name, kind: self._field(at, name, kind, "column")),
            self._call(abi.GetField, None, lambda at, name, kind: self._field(at, name, kind, "add_column")),
        )

    def _list_fields(self, at: int | None, count: Any) -> int:
        shapes: list[Shape] = list(self._table(at).shapes())
        infos = (abi.FieldInfo * len(shapes))()
        for info, shape in zip(infos, shapes, strict=True):
            info.name, info.field_type, info.read_only = shape.name.encode(), shape.kind, shape.read_only
        self._kept["fields", at] = infos
        count[0] = len(infos)
        return ctypes.addressof(infos)

    def _field(self, at: int | None, name: bytes | None, kind: int, how: str) -> int:
        table = self._table(at)
        wanted = (name or b"").decode(errors="replace")
        column = getattr(table, how)(wanted, kind)
        # All sub-tables of a name have the same fields, whichever entry they are of.
        return self._lent.lend(("field", table.name, wanted, kind), Held(table, column))

    def _column(self, number: int | None, table: Table) -> Any:
        held = self._lent.of(number, Held)
        if held.table.name != table.name:
            raise TableError(f"the field is one of table {held.table.name}, not of {table.name}")
        return held.inside

    # Entries.

    def _reader(self) -> abi.ReaderExt:
        return abi.ReaderExt(
            self._call(abi.GetName, None, self._name),
            self._call(abi.GetSize, NOWHERE, lambda at: self._table(at).size()),
            self._call(abi.GetEntry, None, self._find),
            self._call(abi.ReadField, FAILURE, self._read),
            self._call(abi.Release, None, self._release),
            self._call(abi.Iterate, 0, self._iterate),
        )

    def _name(self, at: int | None) -> int:
        text = self._kept.setdefault(("name", at), ctypes.create_string_buffer(self._table(at).name.encode()))
        return ctypes.addressof(text)

    def _find(self, at: int | None, key: Any) -> int | None:
        table = self._table(at)
        found = table.find(key)
        return None if not found else self._lend_entry(table, found)

    def _lend_entry(self, table: Table, entry: Any) -> int:
        key = entry if isinstance(entry, int) else id(entry)
        return self._lent.lend(("entry", table.place, key), Held(table, entry))

    def _entry(self, number: int | None, table: Table) -> Any:
        held = self._lent.of(number, Held)
        if held.table.place != table.place:
            raise TableError(f"the entry is one of table {held.table.name}, not of {table.name}")
        return held.inside

    def _read(self, at: int | None, entry: int | None, column: int | None, out: Any) -> int:
        table = self._table(at)
        inside = table.read(self._entry(entry, table), self._column(column, table), out)
        if inside is not None:
            out[0].table = self._lent.lend(("inside", entry, column), inside)
        return SUCCESS

    def _release(self, at: int | None, entry: int | None) -> None:
        table = self._table(at)
        table.release(self._entry(entry, table))
        self._lent.back(entry or 0)

    def _iterate(self, at: int | None, each: Any, state: int | None) -> int:
        table = self._table(at)

        def shown(entry: Any) -> bool:
            number = self._lend_entry(table, entry)
            try:
                return bool(each(state, number))
            finally:
                self._lent.back(number)

        return int(table.visit(shown))

    def _writer(self) -> abi.Writer:
        return abi.Writer(
            self._call(abi.Clear, FAILURE, self._clear),
            self._call(abi.Erase, FAILURE, self._erase),
            self._call(abi.Create, None, self._create),
            self._call(abi.Release, None, self._destroy),
            self._call(abi.Add, None, self._add),
            self._call(abi.ReadField, FAILURE, self._write),
        )

    def _clear(self, at: int | None) -> int:
        self._table(at).clear()
        return SUCCESS

    def _erase(self, at: int | None, key: Any) -> int:
        self._table(at).erase(key)
        return SUCCESS

    def _create(self, at: int | None) -> int:
        table = self._table(at)
        return self._lend_entry(table, table.create())

    def _destroy(self, at: int | None, entry: int | None) -> None:
        table = self._table(at)
        table.destroy(self._entry(entry, table))
        self._lent.back(entry or 0)

    def _add(self, at: int | None, key: Any, entry: int | None) -> int:
        table = self._table(at)
        added = table.add(key, self._entry(entry, table))
        # The entry goes over into the table; who added it holds what the table gave for it.
        number = self._lend_entry(table, added)
        self._lent.back(entry or 0)
        return number

    def _write(self, at: int | None, entry: int | None, column: int | None, value: Any) -> int:
        table = self._table(at)
        table.write(self._entry(entry, table), self._column(column, table), value)
        return SUCCESS

    def error(self) -> str:
        """What the tables said last."""
        return self._error.value.decode(errors="replace")

"""The part of the plugin interface about state tables: values, and the functions to read, write and describe a table."""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_char_p,
    c_int8,
    c_int16,
    c_int32,
    c_int64,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)  # fmt: skip

# Types of keys and of fields, each with its member in a value.
INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, TEXT, TABLE, BOOL = (*range(1, 11), 25)
MEMBERS = {
    INT8: "s8", INT16: "s16", INT32: "s32", INT64: "s64", UINT8: "u8", UINT16: "u16", UINT32: "u32", UINT64: "u64",
    TEXT: "text", TABLE: "table", BOOL: "boolean",
}  # fmt: skip


class Value(ctypes.Union):
    """A key, or the value of a field."""

    _fields_ = (
        ("s8", c_int8), ("s16", c_int16), ("s32", c_int32), ("s64", c_int64),
        ("u8", c_uint8), ("u16", c_uint16), ("u32", c_uint32), ("u64", c_uint64),
        ("text", c_void_p), ("boolean", c_uint32), ("table", c_void_p),
    )  # fmt: skip


class TableInfo(ctypes.Structure):
    """A table among others."""

    _fields_ = (("name", c_char_p), ("key_type", c_int32))


class FieldInfo(ctypes.Structure):
    """A field among others."""

    _fields_ = (("name", c_char_p), ("field_type", c_int32), ("read_only", c_uint32))


_Value = POINTER(Value)
ListFields = CFUNCTYPE(c_void_p, c_void_p, POINTER(c_uint32))
GetField = CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_int32)
GetName = CFUNCTYPE(c_void_p, c_void_p)
GetSize = CFUNCTYPE(c_uint64, c_void_p)
GetEntry = CFUNCTYPE(c_void_p, c_void_p, _Value)
ReadField = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, _Value)
Release = CFUNCTYPE(None, c_void_p, c_void_p)
Visit = CFUNCTYPE(c_uint32, c_void_p, c_void_p)
Iterate = CFUNCTYPE(c_uint32, c_void_p, Visit, c_void_p)
Clear = CFUNCTYPE(c_int32, c_void_p)
Erase = CFUNCTYPE(c_int32, c_void_p, _Value)
Create = CFUNCTYPE(c_void_p, c_void_p)
Add = CFUNCTYPE(c_void_p, c_void_p, _Value, c_void_p)


class Fields(ctypes.Structure):
    """How fields of tables are found."""

    _fields_ = (
        ("list_table_fields", ListFields), ("get_table_field", GetField), ("add_table_field", GetField),
    )  # fmt: skip


class Reader(ctypes.Structure):
    """How tables were read in the first version of the interface."""

    _fields_ = (
        ("get_table_name", GetName), ("get_table_size", GetSize), ("get_table_entry", GetEntry),
        ("read_entry_field", ReadField),
    )  # fmt: skip


class ReaderExt(ctypes.Structure):
    """How tables are read."""

    _fields_ = (*Reader._fields_, ("release_table_entry", Release), ("iterate_entries", Iterate))


class Writer(ctypes.Structure):
    """How tables are written."""

    _fields_ = (
        ("clear_table", Clear), ("erase_table_entry", Erase), ("create_table_entry", Create),
        ("destroy_table_entry", Release), ("add_table_entry", Add), ("write_entry_field", ReadField),
    )  # fmt: skip


class TableInput(ctypes.Structure):
    """A table of a plugin, as the plugin hands it on."""

    _fields_ = (
        ("name", c_char_p),
        ("key_type", c_int32),
        ("table", c_void_p),
        ("reader", Reader),
        ("writer", Writer),
        ("fields", Fields),
        ("reader_ext", POINTER(ReaderExt)),
        ("writer_ext", POINTER(Writer)),
        ("fields_ext", POINTER(Fields)),
    )


OwnerError = CFUNCTYPE(c_void_p, c_void_p)
ListTables = CFUNCTYPE(c_void_p, c_void_p, POINTER(c_uint32))
GetTable = CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_int32)
AddTable = CFUNCTYPE(c_int32, c_void_p, POINTER(TableInput))


class InitTables(ctypes.Structure):
    """Tables that a plugin finds when it starts."""

    _fields_ = (
        ("list_tables", ListTables),
        ("get_table", GetTable),
        ("add_table", AddTable),
        ("fields", Fields),
        ("fields_ext", POINTER(Fields)),
    )

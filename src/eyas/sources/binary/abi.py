"""The C interface of Falco's plugins, version 3.12, as ctypes: structures, return codes and functions by name."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int32, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any

from eyas.sources.binary.tableabi import InitTables, OwnerError, Reader, ReaderExt, Writer

VERSION = (3, 12, 0)

SUCCESS, FAILURE, TIMEOUT, EOF, NOT_SUPPORTED = 0, 1, -1, 2, 3

PLUGIN_EVENT, ASYNC_EVENT = 322, 402
HEADER = 26  # bytes of an event before the lengths of its parameters
MAX_ERROR = 1024
JSON_SCHEMA = 1  # kind of the schema of a configuration

# Types of fields.
UINT64, STRING, RELTIME, ABSTIME, BOOL, IPADDR, IPNET = 8, 9, 20, 21, 25, 40, 41
TYPES = {
    "uint64": UINT64,
    "string": STRING,
    "reltime": RELTIME,
    "abstime": ABSTIME,
    "bool": BOOL,
    "ipaddr": IPADDR,
    "ipnet": IPNET,
}


class Event(ctypes.Structure):
    """Header of an event; its parameters follow."""

    _pack_ = 1
    _fields_ = (
        ("ts", c_uint64),
        ("tid", c_uint64),
        ("len", c_uint32),
        ("type", c_uint16),
        ("nparams", c_uint32),
    )


class EventInput(ctypes.Structure):
    """An event with its number and the name of its source."""

    _fields_ = (("evt", c_void_p), ("evtnum", c_uint64), ("evtsrc", c_char_p))


class Buffer(ctypes.Structure):
    """Bytes with their length."""

    _fields_ = (("len", c_uint32), ("ptr", c_void_p))


class ExtractField(ctypes.Structure):
    """A field to extract, and what came out."""

    _fields_ = (
        ("res", c_void_p),
        ("res_len", c_uint64),
        ("field_id", c_uint32),
        ("field", c_char_p),
        ("arg_key", c_char_p),
        ("arg_index", c_uint64),
        ("arg_present", c_uint32),
        ("ftype", c_uint32),
        ("flist", c_uint32),
    )


Log = CFUNCTYPE(None, c_char_p, c_char_p, c_int32)
AsyncHandler = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)


class InitInput(ctypes.Structure):
    """What a plugin starts with."""

    _fields_ = (
        ("config", c_char_p),
        ("owner", c_void_p),
        ("get_owner_last_error", OwnerError),
        ("tables", POINTER(InitTables)),
        ("log_fn", Log),
    )


class ExtractInput(ctypes.Structure):
    """The fields to extract from an event."""

    _fields_ = (
        ("owner", c_void_p),
        ("get_owner_last_error", OwnerError),
        ("num_fields", c_uint32),
        ("fields", POINTER(ExtractField)),
        ("table_reader", Reader),
        ("table_reader_ext", POINTER(ReaderExt)),
        ("value_offsets", c_void_p),
    )


class ParseInput(ctypes.Structure):
    """What a plugin has at hand while it parses an event."""

    _fields_ = (
        ("owner", c_void_p),
        ("get_owner_last_error", OwnerError),
        ("table_reader", Reader),
        ("table_writer", Writer),
        ("table_reader_ext", POINTER(ReaderExt)),
        ("table_writer_ext", POINTER(Writer)),
    )


class SetConfig(ctypes.Structure):
    """Another configuration."""

    _fields_ = (("config", c_char_p),)


class Number(ctypes.Union):
    """The value of a metric."""

    _fields_ = (
        ("u32", c_uint32), ("s32", c_int32), ("u64", c_uint64), ("s64", ctypes.c_int64), ("d", ctypes.c_double),
        ("f", ctypes.c_float), ("i", ctypes.c_int),
    )  # fmt: skip


class Metric(ctypes.Structure):
    """A figure that a plugin keeps of itself."""

    _fields_ = (("name", c_char_p), ("type", c_int32), ("value", Number), ("value_type", c_int32))


Routine = CFUNCTYPE(c_uint32, c_void_p, c_void_p)
Subscribe = CFUNCTYPE(c_void_p, c_void_p, Routine, c_void_p)
Unsubscribe = CFUNCTYPE(c_int32, c_void_p, c_void_p)


class Routines(ctypes.Structure):
    """How background tasks are begun and ended."""

    _fields_ = (("subscribe", Subscribe), ("unsubscribe", Unsubscribe))


class CaptureInput(ctypes.Structure):
    """What a plugin has at hand when a capture begins or ends."""

    _fields_ = (
        ("owner", c_void_p),
        ("routines", POINTER(Routines)),
        ("table_reader_ext", POINTER(ReaderExt)),
        ("table_writer_ext", POINTER(Writer)),
        ("get_owner_last_error", OwnerError),
    )


_RC = POINTER(c_int32)

# Functions by name: result and arguments.
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "get_required_api_version": (c_char_p, ()),
    "get_name": (c_char_p, ()),
    "get_description": (c_char_p, ()),
    "get_contact": (c_char_p, ()),
    "get_version": (c_char_p, ()),
    "init": (c_void_p, (POINTER(InitInput), _RC)),
    "destroy": (None, (c_void_p,)),
    "get_last_error": (c_char_p, (c_void_p,)),
    "get_init_schema": (c_char_p, (_RC,)),
    "set_config": (c_int32, (c_void_p, POINTER(SetConfig))),
    "get_metrics": (POINTER(Metric), (c_void_p, POINTER(c_uint32))),
    "capture_open": (c_int32, (c_void_p, POINTER(CaptureInput))),
    "capture_close": (c_int32, (c_void_p, POINTER(CaptureInput))),
    "list_open_params": (c_char_p, (c_void_p, _RC)),
    "get_progress": (c_char_p, (c_void_p, c_void_p, POINTER(c_uint32))),
    "get_id": (c_uint32, ()),
    "get_event_source": (c_char_p, ()),
    "open": (c_void_p, (c_void_p, c_char_p, _RC)),
    "close": (None, (c_void_p, c_void_p)),
    "next_batch": (
        c_int32,
        (c_void_p, c_void_p, POINTER(c_uint32), POINTER(POINTER(c_void_p))),
    ),
    "event_to_string": (c_char_p, (c_void_p, POINTER(EventInput))),
    "get_fields": (c_char_p, ()),
    "extract_fields": (c_int32, (c_void_p, POINTER(EventInput), POINTER(ExtractInput))),
    "get_extract_event_sources": (c_char_p, ()),
    "get_extract_event_types": (POINTER(c_uint16), (POINTER(c_uint32), c_void_p)),
    "parse_event": (c_int32, (c_void_p, POINTER(EventInput), POINTER(ParseInput))),
    "get_parse_event_sources": (c_char_p, ()),
    "get_parse_event_types": (POINTER(c_uint16), (POINTER(c_uint32), c_void_p)),
    "get_async_events": (c_char_p, ()),
    "get_async_event_sources": (c_char_p, ()),
    "set_async_event_handler": (c_int32, (c_void_p, c_void_p, AsyncHandler)),
}

COMMON = (
    "get_required_api_version", "get_name", "get_description", "get_contact", "get_version", "init", "destroy",
    "get_last_error",
)  # fmt: skip
SOURCING = ("open", "close", "next_batch")
EXTRACTION = ("get_fields", "extract_fields")
PARSING = ("parse_event",)
ASYNC = ("get_async_events", "set_async_event_handler")
CAPTURE = ("capture_open", "capture_close")

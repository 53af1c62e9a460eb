"""The table `threads` as plugins know it: threads with their open files, arguments, environment and cgroups.

It is empty here, since no event of the kernel comes to the process of a plugin; a plugin that asks for its fields at
its start, or adds its own, finds what it expects.
"""

from __future__ import annotations

from eyas.sources.binary.tableabi import (
    BOOL,
    INT64,
    TABLE,
    TEXT,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
)  # fmt: skip
from eyas.sources.binary.tables import Layout, Shape

_IP6 = ("src_ip_low", "src_ip_high", "dest_ip_low", "dest_ip_high")


def _shapes(kind: int, *names: str) -> tuple[Shape, ...]:
    return tuple(Shape(name, kind) for name in names)


FILES = Layout(
    "file_descriptors",
    INT64,
    (
        *_shapes(UINT8, "type", "socket_ipv4_l4_proto", "socket_ipv6_l4_proto"),
        *_shapes(UINT8, "socket_ipv4_server_l4_proto", "socket_ipv6_server_l4_proto"),
        *_shapes(UINT32, "open_flags", "flags", "dev", "mount_id"),
        *_shapes(TEXT, "name", "name_raw", "old_name"),
        *_shapes(INT64, "pid", "fd"),
        *_shapes(UINT64, "ino", "socket_unix_src", "socket_unix_dest"),
        *_shapes(UINT32, "socket_ipv4_src_ip", "socket_ipv4_dest_ip", "socket_ipv4_server_ip"),
        *_shapes(UINT16, "socket_ipv4_src_port", "socket_ipv4_dst_port", "socket_ipv4_server_port"),
        *_shapes(UINT64, *(f"socket_ipv6_{part}" for part in _IP6)),
        *_shapes(UINT64, "socket_ipv6_server_ip_low", "socket_ipv6_server_ip_high"),
        *_shapes(UINT16, "socket_ipv6_src_port", "socket_ipv6_dst_port", "socket_ipv6_server_port"),
    ),
)
TEXTS = (Shape("value", TEXT),)
PAIRS = _shapes(TEXT, "first", "second")

THREADS = Layout(
    "threads",
    INT64,
    (
        *_shapes(
            INT64, "tid", "pid", "ptid", "reaper_tid", "sid", "vtid", "vpid", "vpgid", "pgid", "fd_limit"
        ),
        *_shapes(TEXT, "comm", "exe", "exe_path", "root"),
        *_shapes(BOOL, "exe_writable", "exe_upper_layer", "exe_lower_layer", "exe_from_memfd"),
        *_shapes(UINT32, "flags", "uid", "gid", "loginuid", "tty"),
        *_shapes(UINT64, "exe_ino", "exe_ino_ctime", "exe_ino_mtime", "pidns_init_start_ts"),
        Shape("cwd", TEXT, None, True),
        Shape("args", TABLE, Layout("args", UINT64, TEXTS), True),
        Shape("env", TABLE, Layout("env", UINT64, TEXTS), True),
        Shape("cgroups", TABLE, Layout("cgroups", UINT64, PAIRS), True),
        Shape("file_descriptors", TABLE, FILES, True),
    ),
)

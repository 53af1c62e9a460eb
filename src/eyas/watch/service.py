"""What systemd is told (sd_notify): ready, reloading, stopping, still alive."""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send a state to systemd; nothing happens where it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.sendto("\n".join(lines).encode(), address)
        except OSError:
            return


def ready(status: str) -> None:
    """The hooks are on."""
    notify("READY=1", f"STATUS={status}")


def reloading() -> None:
    """Rules are being read; `ready` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    """The hooks come off."""
    notify("STOPPING=1")


def alive() -> None:
    """The watch still turns."""
    notify("WATCHDOG=1")


def heartbeat() -> float | None:
    """Seconds between signs of life that systemd asks for, half of its patience; none when it does not ask."""
    microseconds, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(microseconds) / 2_000_000

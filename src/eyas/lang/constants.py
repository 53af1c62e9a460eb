"""Constants: the text of a condition as a value of the type of its left side."""

from __future__ import annotations

import functools
import ipaddress
import math
import re
import socket
from typing import Any

Ir = dict[str, Any]

MAX_TEXT = 255

_DECIMAL = re.compile(r"[+\-]?[0-9]+")
_HEX = re.compile(r"([+\-]?)0[xX]([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[+\-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+\-]?[0-9]+)?")
_DIGITS = re.compile(r"[0-9]+")
_PAIRS = re.compile(r"(?:[0-9a-fA-F]{2})*")

_BITS = {"int8": 8, "int16": 16, "int32": 32, "uint8": 8, "uint16": 16, "uint32": 32}
_MAX_DIGITS = 400

# Service names for machines without a service database.
_SERVICES = {
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "domain": 53,
    "tftp": 69,
    "http": 80,
    "kerberos": 88,
    "pop3": 110,
    "ntp": 123,
    "imap2": 143,
    "snmp": 161,
    "ldap": 389,
    "https": 443,
    "submission": 587,
    "ldaps": 636,
    "imaps": 993,
    "pop3s": 995,
    "ms-sql-s": 1433,
    "mysql": 3306,
    "rdp": 3389,
    "postgresql": 5432,
    "redis": 6379,
    "http-alt": 8080,
}


class ConstantError(ValueError):
    """A constant that is not of the wanted type. `code` is the fault it makes."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def constant(value: str, kind: str, exact: str) -> Ir | float:
    """Convert a constant. A `float` comes back where an integer was given a number between two integers."""
    match kind:
        case "text":
            return text(value)
        case "bytes":
            return {"bytes": raw(value).hex()}
        case "int" | "uint" | "reltime" | "abstime":
            number = _number(value, exact)
            if isinstance(number, float):
                return number
            return _int(number, exact) if kind == "int" else _uint(number, exact)
        case "double":
            return {"double": float(_number(value, kind))}
        case "port":
            return {"uint": port(value)}
        case "bool":
            return _bool(value)
        case "ip":
            return {"ip": _address(value)}
        case "net":
            return {"net": _network(value)}
    raise ConstantError("E202", f"no constant can be compared with type {kind}")


def text(value: str) -> Ir:
    """Convert a text constant."""
    size = len(value) if value.isascii() else len(raw(value))
    if size > MAX_TEXT:
        raise ConstantError("E203", f"constant of {size} bytes is longer than {MAX_TEXT}")
    if "\x00" in value:
        raise ConstantError("E204", "a text constant cannot hold a NUL byte")
    return literal(value)


def literal(value: str) -> Ir:
    """Write a text for the IR; bytes that are not UTF-8 go in hex."""
    if value.isascii():
        return {"text": value}
    encoded = raw(value)
    try:
        return {"text": encoded.decode("utf-8")}
    except UnicodeDecodeError:
        return {"bytes": encoded.hex()}


def raw(value: str) -> bytes:
    """Bytes of a constant."""
    return value.encode("utf-8", "surrogateescape")


def hex_bytes(value: str) -> Ir:
    """Convert the pairs of hex digits of `bcontains` and `bstartswith`."""
    if not _PAIRS.fullmatch(value):
        raise ConstantError("E202", f"expected pairs of hex digits, found '{_short(value)}'")
    if len(value) // 2 > MAX_TEXT:
        raise ConstantError("E203", f"constant of {len(value) // 2} bytes is longer than {MAX_TEXT}")
    return {"bytes": value.lower()}


@functools.lru_cache(maxsize=1024)
def port(value: str) -> int:
    """Convert a port number or service name."""
    if value == "":
        return 0
    if _DIGITS.fullmatch(value) and len(value) <= _MAX_DIGITS:
        return int(value) & 0xFFFF
    if match := _HEX.fullmatch(value):
        return int(match[2], 16) & 0xFFFF
    try:
        return socket.getservbyname(value)
    except (OSError, ValueError):
        if value in _SERVICES:
            return _SERVICES[value]
    raise ConstantError("E202", f"expected a port number or service name, found '{_short(value)}'")


def _number(value: str, exact: str) -> int | float:
    if len(value) > _MAX_DIGITS:
        raise ConstantError("E202", f"the number '{_short(value)}' is too long")
    if _DECIMAL.fullmatch(value):
        return int(value)
    if match := _HEX.fullmatch(value):
        number = int(match[2], 16)
        return -number if match[1] == "-" else number
    if _FLOAT.fullmatch(value):
        parsed = float(value)
        if math.isfinite(parsed):
            return int(parsed) if parsed.is_integer() else parsed
    raise ConstantError("E202", f"expected a number of type {exact}, found '{_short(value)}'")


def _int(number: int, exact: str) -> Ir:
    number = max(-(2**63), min(2**63 - 1, number))
    bits = _BITS.get(exact)
    if bits:
        number &= 2**bits - 1
        number -= 2**bits if number >= 2 ** (bits - 1) else 0
    return {"int": number}


def _uint(number: int, exact: str) -> Ir:
    number = 2**64 - 1 if abs(number) >= 2**64 else number % 2**64
    return {"uint": number & (2 ** _BITS.get(exact, 64) - 1)}


def _bool(value: str) -> Ir:
    if value not in ("true", "false"):
        raise ConstantError("E202", f"expected true or false, found '{_short(value)}'")
    return {"bool": value == "true"}


def _address(value: str) -> str:
    family = socket.AF_INET if "." in value else socket.AF_INET6
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, value))
    except (OSError, ValueError):
        hint = "compare networks with fd.net, fd.cnet, fd.snet, fd.lnet or fd.rnet" if "/" in value else ""
        raise ConstantError("E202", f"expected an IP address, found '{_short(value)}'", hint) from None


def _network(value: str) -> str:
    address, slash, prefix = value.partition("/")
    lowest = 0 if "." in address else 1
    if slash and _DIGITS.fullmatch(prefix) and len(prefix) < 5 and int(prefix) >= lowest:
        try:
            return str(ipaddress.ip_network(f"{_address(address)}/{int(prefix)}", strict=False))
        except (ValueError, ConstantError):
            pass
    raise ConstantError("E202", f"expected a network such as 10.0.0.0/8, found '{_short(value)}'")


def _short(value: str) -> str:
    shown = value if len(value) <= 40 else value[:37] + "…"
    return shown.encode("utf-8", "replace").decode("utf-8")

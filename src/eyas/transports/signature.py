"""Signed requests: an HMAC over the body, and over the time where the service signs that too."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a service signs. `signed` names what the HMAC covers, with `{time}` and `{body}`."""

    header: str
    prefix: str = ""
    signed: str = "{body}"
    time_header: str = ""
    tolerance: float = 300.0


def fault(scheme: Scheme, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
    """What is wrong with a request's signature; None when it is good. Header names are in lower case."""
    given = headers.get(scheme.header.lower(), "")
    if not given.startswith(scheme.prefix) or len(given) == len(scheme.prefix):
        return "no signature"
    time = headers.get(scheme.time_header.lower(), "") if scheme.time_header else ""
    if not hmac.compare_digest(sign(scheme, secret, body, time).encode(), given.encode()):
        return "wrong signature"
    if scheme.time_header and not (time.isascii() and time.isdecimal() and len(time) < 15):
        return "wrong signature"
    if scheme.time_header and abs(now - int(time)) > scheme.tolerance:
        return "replayed"
    return None


def sign(scheme: Scheme, secret: str, body: bytes, time: str = "") -> str:
    """Value of the signature header for a body."""
    before, _, after = scheme.signed.replace("{time}", time).partition("{body}")
    covered = before.encode() + body + after.encode()
    return scheme.prefix + hmac.new(secret.encode(), covered, hashlib.sha256).hexdigest()

"""Values of settings: priorities, maps, lists, addresses, headers and templates, as people write them."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from eyas.errors import UsageError
from eyas.outputs.body.headline import compiled

PRIORITIES = ("debug", "informational", "notice", "warning", "error", "critical", "alert", "emergency")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _pairs(value: Any) -> Any:
    """A map, or its text `k:v,k:v`; only the first colon divides, so a value may hold an address."""
    if not isinstance(value, str):
        return {} if value is None else value
    pairs = [pair.partition(":") for pair in value.split(",") if pair.strip()]
    if bad := [key for key, colon, _ in pairs if not colon]:
        raise ValueError(f"expected key:value, found '{bad[0].strip()}'")
    return {key.strip(): entry.strip() for key, _, entry in pairs}


def items(value: Any) -> Any:
    """A list, or its text separated by commas."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return [] if value is None else value


def _priority(value: str) -> str:
    low = value.lower()
    low = "informational" if low in ("info", "information") else low
    if low and low not in PRIORITIES:
        raise ValueError(f"expected one of {', '.join(PRIORITIES)}, found '{value}'")
    return low


def _url(value: str) -> str:
    """An address over HTTP; a host alone is not enough, since the scheme decides about TLS."""
    try:
        where = urlsplit(value)
        fine = where.scheme in ("http", "https") and bool(where.hostname) and (where.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not all("!" <= c <= "~" for c in value):
        raise ValueError("expected an address such as https://host:port/path")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    _url(value.get_secret_value())
    return value


def _template(value: str) -> str:
    """A template that compiles."""
    if value:
        try:
            compiled(value)
        except UsageError as error:
            raise ValueError(f"{error}; {error.hint}" if error.hint else str(error)) from None
    return value


def _headers(value: dict[str, str]) -> dict[str, str]:
    """Names and values that can stand in the head of a request, RFC 9110, 5.1 and 5.5."""
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header, found {name!r}")
        if not all(" " <= c <= "~" for c in text):
            raise ValueError(f"header '{name}': expected one line of ASCII")
    return value


# Words of a closed list, however they are written.
LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
UPPER = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Url = Annotated[str, AfterValidator(_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Template = Annotated[str, AfterValidator(_template)]
Map = Annotated[dict[str, str], BeforeValidator(_pairs)]
Headers = Annotated[dict[str, str], BeforeValidator(_pairs), AfterValidator(_headers)]
Items = Annotated[list[str], BeforeValidator(items)]
Priority = Annotated[str, AfterValidator(_priority)]


def rank(priority: str) -> int:
    """Weight of a priority, debug is 0. What is unknown weighs most, so that it is not held back."""
    low = priority.lower()
    low = "informational" if low in ("info", "information") else low
    return PRIORITIES.index(low) if low in PRIORITIES else len(PRIORITIES) - 1

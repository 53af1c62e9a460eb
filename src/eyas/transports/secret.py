"""Secrets of the configuration: from the environment, a file or the keyring, and never shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from eyas.errors import UsageError

PLACES = ("env", "file", "keyring")


class Secret:
    """A secret value; its text forms show nothing."""

    __slots__ = ("_value", "place")

    def __init__(self, value: str, place: str = "configuration") -> None:
        self._value = value
        self.place = place

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret(from {self.place})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def read(cls, given: Any) -> Secret:
        """Read `{env: NAME}`, `{file: PATH}`, `{keyring: SERVICE/USER}` or the text itself."""
        if isinstance(given, Secret):
            return given
        if isinstance(given, str) and given:
            return cls(given)
        if isinstance(given, dict) and len(given) == 1:
            place, name = next(iter(given.items()))
            if place in PLACES and isinstance(name, str):
                return cls(_READERS[place](name), f"{place} {name}")
        raise UsageError("a secret is expected", "write {env: NAME}, {file: PATH} or {keyring: SERVICE/USER}")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(cls.read)


def _env(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value


def _file(name: str) -> str:
    try:
        return Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: the secret cannot be read: {error.__class__.__name__}") from None


def _keyring(name: str) -> str:
    service, _, user = name.partition("/")
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise UsageError("keyring is not installed", "pip install 'eyas[keyring]'") from None
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise UsageError(f"the keyring gives nothing for {name}: {error}") from None
    if not value:
        raise UsageError(f"the keyring has no entry {name}")
    return value


_READERS = {"env": _env, "file": _file, "keyring": _keyring}

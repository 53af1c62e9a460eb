"""Falcosidekick's configuration: its file with the place of each key, and where it says to listen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from eyas.errors import UsageError
from eyas.outputs.settings import variable
from eyas.outputs.values import Items

EVERYWHERE = "0.0.0.0"
_EMPTY = BeforeValidator(lambda value: [] if value is None else value)


class Tls(BaseModel):
    """`tlsserver`."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    deploy: bool = False
    certfile: str = "/etc/certs/server/server.crt"
    keyfile: str = "/etc/certs/server/server.key"
    mutualtls: bool = False
    cacertfile: str = "/etc/certs/server/ca.crt"
    notlsport: int = Field(2810, ge=0, le=65535)
    notlspaths: Annotated[Items, _EMPTY] = []


class Door(BaseModel):
    """Where alerts come in, as far as it is said."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    listenaddress: str | None = None
    listenport: int | None = Field(None, ge=0, le=65535)
    tlsserver: Tls = Tls()


@dataclass(frozen=True, slots=True)
class File:
    """What a file says, and where."""

    values: dict[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)  # `slack.icon` → `config.yaml:12`

    def place(self, *steps: str) -> str:
        """File and line of a key, or of the nearest one above it."""
        names = (".".join(steps[:length]).lower() for length in range(len(steps), 0, -1))
        return next((self.places[name] for name in names if name in self.places), "environment")


def read(path: Path) -> File:
    """Read a file; raises UsageError with what is wrong with it."""
    try:
        text = path.read_text()
        found = yaml.safe_load(text)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{path}: expected a mapping of settings")
    return File(found or {}, dict(_places(yaml.compose(text, yaml.SafeLoader), str(path))))


def _places(node: Any, path: str, above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = f"{above}{key.value}".lower()
        yield name, f"{path}:{key.start_mark.line + 1}"
        yield from _places(value, path, f"{name}.")


def door(file: File, environ: Mapping[str, str] | None = None) -> Door:
    """Where to listen, by the file and by variables such as `LISTENPORT` and `TLSSERVER_DEPLOY`, which win."""
    env = os.environ if environ is None else environ
    low = {str(key).lower(): value for key, value in file.values.items() if value not in (None, "")}
    tls = low.get("tlsserver")
    tls = (
        {str(k).lower(): v for k, v in tls.items() if v not in (None, "")} if isinstance(tls, Mapping) else {}
    )
    low |= {key: text for key in ("listenaddress", "listenport") if (text := env.get(key.upper()))}
    tls |= {key: text for key in Tls.model_fields if (text := env.get(variable("tlsserver", key)))}
    try:
        return Door.model_validate(low | {"tlsserver": tls})
    except ValidationError as error:
        raise UsageError(
            "\n".join(_words(fault, file) for fault in error.errors(include_url=False))
        ) from None


def _words(fault: Any, file: File) -> str:
    key = ".".join(str(step) for step in fault["loc"])
    place = file.places.get(key, "environment")
    return f"{place}: {key}: {fault['msg'][:1].lower()}{fault['msg'][1:]}, found {fault['input']!r:.60}"

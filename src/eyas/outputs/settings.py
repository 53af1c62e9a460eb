"""From a configuration and the environment to the settings of every receiver that is switched on.

Falcosidekick's file and variables load unchanged: `slack.webhookurl`, or `SLACK_WEBHOOKURL`, which wins. A receiver
is on when the first key that it needs is filled. Upper and lower case of keys do not matter.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from eyas.config import Place
from eyas.delivery import Trust
from eyas.errors import UsageError
from eyas.outputs import OUTPUTS
from eyas.outputs.card import Output, Settings, find, installed
from eyas.outputs.values import Items, Map


def _section_only(*_: str) -> str:
    """The place of keys that came from no file."""
    return "outputs"


# Keys of Falcosidekick that say where it listens; `eyas hub` reads them.
SERVER = ("listenaddress", "listenport", "tlsserver")


class Files(BaseModel):
    """Certificates of a client."""

    certfile: str = ""
    keyfile: str = ""
    cacertfile: str = ""


class Shared(BaseModel):
    """Keys that stand above all receivers."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    debug: bool = False
    customfields: Map = {}
    templatedfields: Map = {}
    customtags: Items = []
    bracketreplacer: str = ""
    outputfieldformat: str = ""
    mutualtlsfilespath: str = "/etc/certs"
    mutualtlsclient: Files = Files()
    tlsclient: Files = Files()


@dataclass(frozen=True, slots=True)
class Enabled:
    """A receiver that is switched on."""

    output: Output
    settings: Settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """All of them, with what stands above them and what a person should know."""

    enabled: tuple[Enabled, ...]
    shared: Shared
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Notes:
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def load(
    values: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    place: Place = _section_only,
    theirs: Collection[str] = (),
) -> Loaded:
    """Settings of every receiver that is on. All faults are reported at once, with the place of their key.

    `theirs` names sections that stand in a file of Falcosidekick.
    """
    env = dict(os.environ if environ is None else environ)
    notes = _Notes()
    shared = _shared(values, env, notes)
    enabled = [found for name in OUTPUTS if (found := _enabled(name, values, env, shared, notes))]
    _strangers(values, theirs, notes)
    _asleep(values, {one.output.name for one in enabled}, theirs, notes)
    if notes.faults:
        raise UsageError("\n".join(_placed(fault, place, env) for fault in notes.faults))
    told = tuple(_placed(text, place, env) for text in dict.fromkeys(notes.warnings))
    return Loaded(tuple(enabled), shared, told)


def _placed(text: str, place: Place, env: Mapping[str, str]) -> str:
    """A fault behind the place of its key: a variable, or file and line."""
    key = text.partition(" ")[0].rstrip(":").lower()
    name = key.replace(".", "_").upper()
    return f"{f'environment variable {name}' if env.get(name) else place(*key.split('.'))}: {text}"


def _strangers(values: Mapping[str, Any], theirs: Collection[str], notes: _Notes) -> None:
    """Refuse sections that are no receiver's, such as `slak`.

    A file of Falcosidekick may name receivers that are newer: of those the reader is told.
    """
    groups = {name.partition(".")[0] for name in OUTPUTS if "." in name}
    known = {name.partition(".")[0] for name in OUTPUTS} | set(Shared.model_fields) | set(SERVER)
    for key, section in values.items():
        low = str(key).lower()
        if low not in known and "@" not in low:
            told = notes.warnings if low in theirs else notes.faults
            told.append(f"{key} is no output{_near(low, known)}")
        if low in groups and isinstance(section, Mapping):
            _inner_strangers(str(key), section, notes)


def _asleep(values: Mapping[str, Any], on: set[str], theirs: Collection[str], notes: _Notes) -> None:
    """Tell of receivers with settings but without the one that switches them on.

    Falcosidekick's file names every receiver, most of them without a credential: of those nobody wants to hear.
    """
    for name in OUTPUTS:
        section = _section(values, name.split("."))
        if name in on or name.partition(".")[0] in theirs or not section:
            continue
        kind = find(name).settings
        low = {str(key).lower(): value for key, value in section.items()}
        key = kind.needs[0]
        if low.get(key) in (None, "") and not any(fault.startswith(f"{name}.") for fault in notes.faults):
            notes.warnings.append(f"{name}.{key} is {'empty' if key in low else 'missing'}, so {name} is off")


def _inner_strangers(name: str, section: Mapping[str, Any], notes: _Notes) -> None:
    kinds = {one.partition(".")[2] for one in OUTPUTS if one.startswith(f"{name.lower()}.")}
    cards = [find(one).settings for one in OUTPUTS if one.startswith(f"{name.lower()}.")]
    shared = {key for kind in cards for key in kind.shared}
    for key in section:
        if str(key).lower() not in kinds | shared:
            notes.warnings.append(f"{name}.{key} is not a setting{_near(str(key).lower(), kinds | shared)}")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean '{near[0]}'?" if near else ""


def settings_of(
    output: Output,
    section: Mapping[str, Any],
    shared: Shared | None = None,
    name: str = "",
    place: Place = _section_only,
) -> Settings:
    """Settings of one receiver from its own section; a fault names the key, behind `name` if it has one of its own."""
    notes = _Notes()
    known = _known(output.settings, section, output.name, notes)
    made = _validated(output, known, shared or Shared(), notes)
    if made is None:
        own = name or output.name
        faults = (f"{own}{fault.removeprefix(output.name)}" for fault in notes.faults)
        raise UsageError("\n".join(_placed(fault, place, {}) for fault in faults))
    return made


def variable(name: str, key: str) -> str:
    """Environment variable of a key: `aws.s3`, `bucket` → `AWS_S3_BUCKET`."""
    return f"{name}.{key}".removeprefix(".").replace(".", "_").upper()


def _enabled(
    name: str, values: Mapping[str, Any], env: Mapping[str, str], shared: Shared, notes: _Notes
) -> Enabled | None:
    section = _section(values, name.split("."))
    prefix = variable(name, "")
    if not section and not any(key.startswith(prefix) for key in env):
        return None
    output = find(name)
    kind = output.settings
    above = _section(values, name.split(".")[:-1]) if kind.shared else {}
    own = _with_environment(kind, _known(kind, section, name, notes), name, env)
    theirs = _with_environment(kind, _known(kind, above, "", None), name.rpartition(".")[0], env, kind.shared)
    known = {key: value for key, value in theirs.items() if key in kind.shared} | own
    if not known.get(kind.needs[0]):
        return None
    settings = _validated(output, known, shared, notes)
    notes.faults += [
        f"{name}: the library '{module}' is not installed; pip install 'eyas[{extra}]'"
        for module, extra in output.libraries.items()
        if not installed(module)
    ]
    if settings and output.note:
        notes.warnings.append(f"{name}: {output.note}")
    return Enabled(output, settings) if settings else None


def _section(values: Mapping[str, Any], path: Iterable[str]) -> Mapping[str, Any]:
    """A section by its path, whatever the case of its letters."""
    at: Any = values
    for step in path:
        at = (
            next((v for k, v in at.items() if str(k).lower() == step), None)
            if isinstance(at, Mapping)
            else None
        )
    return at if isinstance(at, Mapping) else {}


def _known(
    kind: type[Settings], section: Mapping[str, Any], name: str, notes: _Notes | None
) -> dict[str, Any]:
    """Keys of a section that the receiver knows and that are filled; of the rest the reader is told."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        low = str(key).lower()
        if low in kind.named():
            if value is not None and value != "":
                found[low] = _small(value) if _nested(kind, low) else value
        elif notes is not None and low not in kind.ignored and not isinstance(value, Mapping):
            notes.warnings.append(f"{name}.{key} is not a setting{_near(low, kind.named())}")
    return found


def _with_environment(
    kind: type[Settings], known: dict[str, Any], name: str, env: Mapping[str, str], keys: Iterable[str] = ()
) -> dict[str, Any]:
    """The same with what the environment says; a map there adds to the map of the file."""
    for key in keys or kind.named():
        if inner := _nested(kind, key):
            told = {one: env[n] for one in inner.model_fields if env.get(n := variable(f"{name}.{key}", one))}
            known |= {key: {**known.get(key, {}), **told}} if told else {}
            continue
        text = env.get(variable(name, key), "")
        if not text:
            continue
        before = known.get(key)
        known[key] = {**before, **_pairs(text)} if isinstance(before, Mapping) else text
    return known


def _nested(kind: type[Settings], key: str) -> type[BaseModel] | None:
    """The model of a section within the section of a receiver."""
    found = kind.named()[key].annotation
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _small(value: Any) -> Any:
    return {str(key).lower(): entry for key, entry in value.items()} if isinstance(value, Mapping) else value


def _pairs(text: str) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in text.split(",") if pair.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _validated(output: Output, known: dict[str, Any], shared: Shared, notes: _Notes) -> Settings | None:
    kind = output.settings
    lacking = [key for key in kind.needs if known.get(key) in (None, "") and kind.named()[key].is_required()]
    if lacking:
        notes.faults += [f"{output.name}.{key} is missing" for key in lacking]
        return None
    try:
        made = kind.model_validate(known)
        return made.model_copy(update={"trust": trust(made, shared)})
    except ValidationError as error:
        notes.faults += _words(error, kind, output.name)
        return None


def _words(error: ValidationError, kind: type[BaseModel], name: str) -> list[str]:
    """What pydantic found, in our words and without secrets."""
    found = []
    for fault in error.errors(include_url=False):
        key = str(fault["loc"][0]) if fault["loc"] else ""
        about = kind.model_fields.get(key)
        hidden = key == "customheaders" or (about is not None and about.annotation is SecretStr)
        value = "a secret" if hidden else repr(fault["input"])
        text = fault["msg"].removeprefix("Value error, ")
        text = text[:1].lower() + text[1:]
        found.append(f"{name}.{key}: {text}" if "found" in text else f"{name}.{key}: {text}, found {value}")
    return found


def trust(settings: Settings, shared: Shared) -> Trust:
    """Whom a receiver's connections believe: its own files, else those that stand above, else the system's."""
    own = Files(**{key: str(getattr(settings, key, "") or "") for key in Files.model_fields})
    if not getattr(settings, "mutualtls", False):
        check = bool(getattr(settings, "checkcert", True))
        ca = own.cacertfile or shared.tlsclient.cacertfile
        return Trust(check, ca_file=ca or None, cert_file=own.certfile or None, key_file=own.keyfile or None)
    folder, client = Path(shared.mutualtlsfilespath), shared.mutualtlsclient
    return Trust(
        ca_file=own.cacertfile or client.cacertfile or str(folder / "ca.crt"),
        cert_file=own.certfile or client.certfile or str(folder / "client.crt"),
        key_file=own.keyfile or client.keyfile or str(folder / "client.key"),
    )


def _shared(values: Mapping[str, Any], env: Mapping[str, str], notes: _Notes) -> Shared:
    found: dict[str, Any] = {}
    for key in Shared.model_fields:
        entry = next((v for k, v in values.items() if str(k).lower() == key), None)
        text = env.get(key.upper(), "")
        if key in ("mutualtlsclient", "tlsclient"):
            inner = {str(k).lower(): v for k, v in entry.items() if v} if isinstance(entry, Mapping) else {}
            found[key] = inner | {f: env[n] for f in Files.model_fields if env.get(n := variable(key, f))}
        elif text and key != "debug":
            found[key] = {**entry, **_pairs(text)} if isinstance(entry, Mapping) else text
        elif entry not in (None, ""):
            found[key] = entry
    try:
        return Shared.model_validate(found)
    except ValidationError as error:
        notes.faults += [fault.lstrip(".") for fault in _words(error, Shared, "")]
        return Shared()

"""The section `alerts` of the configuration: where alerts are kept, how grouped, and who gets which."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from eyas.config import Place
from eyas.delivery import stored
from eyas.delivery.discard import Policy
from eyas.errors import UsageError
from eyas.hub.filter import Filter, parse
from eyas.hub.grouping import Defaults
from eyas.rules.grouping import seconds

INTERNAL = "internal"  # source of alerts about ourselves
SECTION = "alerts"


def _span(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


def _condition(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except UsageError as error:
        raise ValueError(str(error).partition(": ")[2]) from None


def _names(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Span = Annotated[float, BeforeValidator(_span), Field(ge=0)]
Names = Annotated[list[str], BeforeValidator(_names)]
Condition = Annotated[Filter, BeforeValidator(_condition)]
Priority = Annotated[str, BeforeValidator(lambda value: str(value).lower())]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Route(_Section):
    """An entry of `alerts.routes`: what reaches which receivers. A receiver that no route names gets everything."""

    to: Names = Field(description="Names of receivers.")
    when: Condition | None = Field(None, description="Condition over the alert, in the language of rules.")
    priority: Priority = Field("debug", description="Least priority.")
    template: str = Field("", description="Jinja template that replaces the text for these receivers.")
    rate: float = Field(0.0, ge=0, description="Most requests a second; 0 is no limit.")

    def severity(self) -> int:
        """Number of the least priority."""
        return stored.severity(self.priority)


class Listener(_Section):
    """`alerts.listen`: accept alerts of other detectors over HTTP."""

    enabled: bool = Field(False, description="Listen.")
    address: str = Field("127.0.0.1", description="Address; loopback unless told.")
    port: int = Field(2801, ge=0, le=65535, description="Port; 2801 is that of Falcosidekick.")
    token: SecretStr = Field(
        SecretStr(""), description="What senders show as `Authorization: Bearer`; none if empty."
    )
    certificate: str = Field("", description="File with the certificate of the server; TLS if it is given.")
    key: str = Field("", description="File with its key; the certificate's own file if empty.")
    client_ca: str = Field(
        "", description="File with the authorities whose clients are let in; any if empty."
    )
    plain_port: int = Field(2810, ge=0, le=65535, description="Port without TLS, for `plain_paths`.")
    plain_paths: Names = Field(
        default_factory=list, description="Paths served without TLS: /healthz, /metrics."
    )
    format: Literal["auto", "falco", "tetragon", "sigma", "ocsf"] = Field(
        "auto", description="What comes in."
    )


class Settings(_Section):
    """The whole section."""

    _passing: bool = PrivateAttr(False)

    enabled: bool = Field(True, description="Keep alerts in the store.")
    store: str = Field("", description="Folder of the store.")
    max_mb: int = Field(1024, gt=0, description="Most megabytes of the store.")
    max_age: Span = Field(30 * 86400.0, description="How long delivered alerts are kept.")
    max_wait: Span = Field(0.0, description="How long an alert waits for a receiver; 0 is for ever.")
    window: Span = Field(60.0, description="Repeats within it become one alert; 0 keeps each.")
    quiet: Span = Field(0.0, description="How long after an alert its repeats stay quiet.")
    threshold: int = Field(1, ge=1, description="How often it has to happen within the window.")
    limit: float = Field(600.0, gt=0, description="Most alerts a minute of one rule and workload.")
    rule_limit: float = Field(6000.0, gt=0, description="Most alerts a minute of one rule.")
    updates: bool = Field(
        True, description="Tell receivers how often it happened, at 10, 100, … and when the window is over."
    )
    trail: bool = Field(True, description="Note processes, files and connections for `eyas trail`.")
    dead_after: Span = Field(30.0, description="How long a receiver fails until the others are told.")
    falcosidekick: str = Field(
        "", description="A configuration of Falcosidekick whose receivers are used too."
    )
    routes: list[Route] = Field(default_factory=list, description="What reaches which receivers.")
    listen: Listener = Field(default_factory=Listener, description="Alerts of other detectors.")

    def folder(self) -> Path:
        """Where the store is."""
        return Path(self.store) if self.store else default_folder()

    def passing(self) -> Settings:
        """The same with a store that is only there until all is delivered, and keeps nothing for trails."""
        made = self.model_copy(update={"store": tempfile.mkdtemp(prefix="eyas-replay-"), "trail": False})
        made._passing = True
        return made

    def leave(self) -> None:
        """All is delivered: a store that was only there for it goes."""
        if self._passing:
            shutil.rmtree(self.folder(), ignore_errors=True)

    def policy(self) -> Policy:
        """Bounds of the store."""
        return Policy(self.max_mb << 20, int(self.max_age), int(self.max_wait))

    def defaults(self) -> Defaults:
        """How alerts are grouped where a rule says nothing."""
        return Defaults(self.window, self.quiet, self.threshold, self.limit, self.rule_limit)


def load(values: Mapping[str, Any], place: Place | None = None) -> Settings:
    """Check the section; every fault is reported with its key, and with its place if that is known."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        lines = []
        for item in error.errors():
            steps = [str(step) for step in (SECTION, *item["loc"])]
            key = f"{place(*steps)}: {'.'.join(steps)}" if place else ".".join(steps)
            found = "" if item["type"] == "extra_forbidden" else f", found {item['input']!r:.80}"
            text = (
                "unknown key"
                if item["type"] == "extra_forbidden"
                else item["msg"].removeprefix("Value error, ")
            )
            lines.append(f"{key}: {text[:1].lower()}{text[1:]}{found}")
        raise UsageError("\n".join(lines)) from None


def default_folder() -> Path:
    """`EYAS_STORE`, or the place for such data: of the machine for root, of the user for others."""
    if told := os.environ.get("EYAS_STORE"):
        return Path(told)
    if os.geteuid() == 0:
        return Path("/var/lib/eyas")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base) / "eyas"

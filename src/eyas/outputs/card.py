"""What a receiver says about itself: its name, its settings, and how an alert becomes a request to it."""

from __future__ import annotations

import base64
import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, Trust
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


Url = Annotated[str, AfterValidator(_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Template = Annotated[str, AfterValidator(_template)]
Map = Annotated[dict[str, str], BeforeValidator(_pairs)]
Headers = Annotated[dict[str, str], BeforeValidator(_pairs), AfterValidator(_headers)]
Items = Annotated[list[str], BeforeValidator(items)]
Priority = Annotated[str, AfterValidator(_priority)]


class Settings(BaseModel):
    """Settings that every receiver has."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)
    # Receivers are enabled by giving these.
    needs: ClassVar[tuple[str, ...]] = ()
    # Keys of the section above that the receiver reads too: `aws.region` for `aws.s3`, `customfields` for `loki`.
    shared: ClassVar[tuple[str, ...]] = ()
    # Keys of Falcosidekick that mean nothing here; they are read over in silence.
    ignored: ClassVar[tuple[str, ...]] = ()

    minimumpriority: Priority = ""
    trust: Trust = Field(default=Trust(), exclude=True)

    @classmethod
    def named(cls) -> dict[str, FieldInfo]:
        """Settings by the name that people write."""
        return {about.alias or name: about for name, about in cls.model_fields.items() if name != "trust"}


class HttpSettings(Settings):
    """Settings of every receiver that is reached over HTTP."""

    checkcert: bool = True
    mutualtls: bool = False
    maxconcurrentrequests: int = 1


class ChatSettings(HttpSettings):
    """Settings of receivers that people read."""

    outputformat: str = "all"
    messageformat: Template = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A receiver. `request` turns one alert into one request; over HTTP that is all.

    `requests` serves up to `batch` alerts at once. They are delivered when every request is; a batch that is
    refused is sent again alert by alert, so that one bad alert costs no other.
    `open` gives the sender of a receiver that holds a connection, or None where plain HTTP does.
    `takes` says which alerts it takes at all, `linger` how many seconds an alert may wait for others.
    `prepare` gives requests that are sent once before the first alert; that they fail is told, no more.
    `judge` reads answers whose status does not tell: Elasticsearch answers 200 for a batch in which a document failed.
    `mend` may turn a refused request into one that the receiver takes.
    `libraries` are the modules it imports when it is opened, each with the extra that brings it.
    `note` tells whoever switches it on what has changed since they chose it.
    `resolve` takes an alert back where the receiver keeps it open, once it is closed here.
    """

    name: str
    about: str
    settings: type[Settings]
    request: Callable[[Alert, Any], Request]
    requests: Callable[[Sequence[Alert], Any], list[Request]] | None = None
    batch: int = 1
    open: Callable[[Any], Sender | None] | None = None
    takes: Callable[[Alert], bool] | None = None
    linger: Callable[[Any], float] | None = None
    prepare: Callable[[Any], list[Request]] | None = None
    judge: Callable[[int, Mapping[str, str], bytes], Answer] | None = None
    mend: Callable[[Request, bytes], Request | None] | None = None
    resolve: Callable[[Alert, Any], Request] | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def module_of(name: str) -> str:
    """File of a card: `aws.s3` lives in `aws_s3.py`."""
    return name.replace(".", "_")


def find(name: str) -> Output:
    """The card of a receiver, by name."""
    from eyas.outputs import OUTPUTS

    if name not in OUTPUTS:
        import difflib

        near = difflib.get_close_matches(name, OUTPUTS, 1)
        raise UsageError(f"unknown output '{name}'", f"did you mean '{near[0]}'?" if near else "")
    card: Output = importlib.import_module(f"eyas.outputs.{module_of(name)}").OUTPUT
    return card


def plan(output: Output, alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Requests for some alerts, few where the receiver takes several at once."""
    if output.requests is None:
        return [output.request(alert, settings) for alert in alerts]
    return output.requests(alerts, settings)


def passes(alert: Alert, settings: Settings) -> bool:
    """Whether the priority is high enough for this receiver."""
    if not settings.minimumpriority:
        return True
    return rank(alert.priority) >= PRIORITIES.index(settings.minimumpriority)


def rank(priority: str) -> int:
    """Weight of a priority, debug is 0. What is unknown weighs most, so that it is not held back."""
    low = priority.lower()
    low = "informational" if low in ("info", "information") else low
    return PRIORITIES.index(low) if low in PRIORITIES else len(PRIORITIES) - 1


def secrets(settings: BaseModel) -> list[str]:
    """Texts among the settings that are never shown, however they are written; the longest first."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and (text := value.get_secret_value()):
            found |= {text, quote(text, safe=""), json.dumps(text)[1:-1]} | _logins(text, settings)
        elif name == "customheaders":
            found |= {text for text in value.values() if text}
    return sorted(found, key=len, reverse=True)


def _logins(password: str, settings: BaseModel) -> set[str]:
    """A password as HTTP Basic writes it."""
    users = (getattr(settings, name, "") for name in ("user", "username"))
    return {base64.b64encode(f"{user}:{password}".encode()).decode() for user in users if user}


def shown(text: str, settings: BaseModel) -> str:
    """Text without secrets, for a preview, a log line or an error."""
    for secret in secrets(settings):
        text = text.replace(secret, "…")
    return text


def installed(module: str) -> bool:
    """Whether a library is there, without loading it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def library(module: str, extra: str) -> Any:
    """A client library, loaded when the first request needs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise
        raise UsageError(f"the library '{module}' is not installed", f"pip install 'eyas[{extra}]'") from None

"""What a receiver says about itself: its name, its settings, and how an alert becomes a request to it."""

from __future__ import annotations

import base64
import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, Trust
from eyas.errors import UsageError
from eyas.outputs.body import size
from eyas.outputs.values import PRIORITIES, Priority, Template, rank

LARGEST = (
    1_000_000  # bytes of one alert where a receiver tells no limit of its own: queues and proxies stop there
)
WORD = 8  # a shorter secret may be a piece of a word, `key` of `routing_key`
WHOLE = 1 << 40  # for receivers that keep files or rows of any length


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
    `largest` is how many bytes it takes of one alert at most: in a longer one the longest values are cut.
    `counts` says that it counts alerts, so that news of one that it has counted are not for it.
    `note` tells whoever switches it on what has changed since they chose it.
    `resolve` takes an alert back where the receiver keeps it open, once it is closed here: at every address it has.
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
    resolve: Callable[[Alert, Any], Sequence[Request]] | None = None
    largest: int = LARGEST
    counts: bool = False
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
        return [_fitting(output, alert, settings)[1] for alert in alerts]
    made = output.requests(alerts, settings)
    if _longest(made) <= output.largest:
        return made
    return output.requests([_fitting(output, alert, settings)[0] for alert in alerts], settings)


def _fitting(output: Output, alert: Alert, settings: Settings) -> tuple[Alert, Request]:
    """The alert, short enough for this receiver, and its request."""
    made = output.request(alert, settings)
    if len(made.body) <= output.largest:
        return alert, made
    shown = alert
    for shown in size.shorter(alert):
        made = output.request(shown, settings)
        if len(made.body) <= output.largest:
            break
    return shown, made


def _longest(requests: Sequence[Request]) -> int:
    return max((len(request.body) for request in requests), default=0)


def passes(alert: Alert, settings: Settings) -> bool:
    """Whether the priority is high enough for this receiver."""
    if not settings.minimumpriority:
        return True
    return rank(alert.priority) >= PRIORITIES.index(settings.minimumpriority)


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
    """Text without secrets, for a preview, a log line or an error. One as short as a word goes only where it stands
    alone; of an address that is a secret the host stays, lest nobody can tell where things go."""
    for secret in secrets(settings):
        if len(secret) < WORD:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
        else:
            text = text.replace(secret, _host(secret) + "…")
    return text


def _host(secret: str) -> str:
    """Scheme, host and port of an address."""
    where = urlsplit(secret)
    if where.scheme not in ("http", "https") or not where.hostname:
        return ""
    return f"{where.scheme}://{where.netloc.rpartition('@')[2]}/"


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

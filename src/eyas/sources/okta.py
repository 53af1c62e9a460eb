"""Okta System Log: who signed in to what, what failed how often, and what administrators changed.

https://developer.okta.com/docs/reference/api/system-log/ names the keys.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from eyas.sources.card import (
    Derived,
    Field,
    Record,
    Source,
    Time,
    concat,
    first,
    has,
    join,
    last,
    part,
    recent,
    text,
    when,
)
from eyas.sources.card import starts_with as begins

FAILED, DENIED = "user.authentication.auth_via_mfa", "user.mfa.okta_verify.deny_push"
# What is counted, and for how long and for how many users at most it is remembered.
COUNTED = (FAILED, DENIED)
WINDOW = 86_400 * 1_000_000_000
USERS, TIMES = 20_000, 1_000

_BLANK = re.compile(r"\s*")
_URI = "/debugContext/debugData/requestUri"
_GEO = "/client/geographicalContext"


def _target(kind: str, key: str) -> Derived:
    return last(f"/target/*[type={kind}]/{key}")


FIELDS = (
    Field(
        "okta.app",
        "text",
        when(begins(_URI, text("/app/")), part(_URI, "/", 2)),
        "Application that was asked for.",
    ),
    Field("okta.behaviors", "text", "/debugContext/debugData/behaviors", "Unusual behaviours that Okta saw."),
    Field("okta.org", "text", "/eyas/org", "Organisation, as configured."),
    Field("okta.evt.type", "text", "/eventType", "Kind of event, such as user.session.start."),
    Field("okta.evt.legacytype", "text", "/legacyEventType", "Kind of event, older name."),
    Field("okta.severity", "text", "/severity", "Severity: DEBUG, INFO, WARN, ERROR."),
    Field("okta.message", "text", "/displayMessage", "What happened, for people."),
    Field("okta.published", "text", "/published", "When it was published, as written."),
    Field(
        "okta.logonlysecuritydata",
        "text",
        "/debugContext/debugData/logOnlySecurityData",
        "Risk and behaviours, as JSON.",
    ),
    Field("okta.actor.id", "text", "/actor/id", "Id of whoever acted."),
    Field("okta.actor.Type", "text", "/actor/type", "Kind of actor: User, SystemPrincipal …"),
    Field("okta.actor.alternateid", "text", "/actor/alternateId", "E-mail of whoever acted."),
    Field("okta.actor.name", "text", "/actor/displayName", "Name of whoever acted."),
    Field("okta.client.zone", "text", "/client/zone", "Network zone of the client."),
    Field("okta.client.ip", "text", "/client/ipAddress", "Address of the client."),
    Field("okta.client.device", "text", "/client/device", "Kind of device."),
    Field("okta.client.id", "text", "/client/id", "Id of the client application."),
    Field("okta.client.geo.city", "text", f"{_GEO}/city", "City of the client."),
    Field("okta.client.geo.state", "text", f"{_GEO}/state", "State of the client."),
    Field("okta.client.geo.country", "text", f"{_GEO}/country", "Country of the client."),
    Field("okta.client.geo.postalcode", "text", f"{_GEO}/postalCode", "Postal code of the client."),
    Field(
        "okta.client.geo.lat", "text", first(f"{_GEO}/geolocation/lat", text("0")), "Latitude of the client."
    ),
    Field(
        "okta.client.geo.lon", "text", first(f"{_GEO}/geolocation/lon", text("0")), "Longitude of the client."
    ),
    Field("okta.useragent.os", "text", "/client/userAgent/os", "Operating system of the client."),
    Field("okta.useragent.browser", "text", "/client/userAgent/browser", "Browser of the client."),
    Field("okta.useragent.raw", "text", "/client/userAgent/rawUserAgent", "The client's own words."),
    Field("okta.result", "text", "/outcome/result", "Outcome: SUCCESS, FAILURE, ALLOW, DENY …"),
    Field("okta.reason", "text", "/outcome/reason", "Reason of the outcome."),
    Field("okta.transaction.id", "text", "/transaction/id", "Id of the transaction."),
    Field("okta.transaction.type", "text", "/transaction/type", "Kind of transaction: WEB, JOB."),
    Field("okta.requesturi", "text", _URI, "Address that was asked for."),
    Field(
        "okta.principal.id",
        "text",
        "/debugContext/debugData/originalPrincipal/id",
        "Id of who stands behind.",
    ),
    Field(
        "okta.principal.alternateid",
        "text",
        "/debugContext/debugData/originalPrincipal/alternateId",
        "E-mail of who stands behind.",
    ),
    Field(
        "okta.principal.type",
        "text",
        "/debugContext/debugData/originalPrincipal/type",
        "Kind of who stands behind.",
    ),
    Field(
        "okta.principal.name",
        "text",
        "/debugContext/debugData/originalPrincipal/displayName",
        "Name of who stands behind.",
    ),
    Field(
        "okta.authentication.step",
        "text",
        "/authenticationContext/authenticationStep",
        "Step of the sign-in.",
    ),
    Field(
        "okta.authentication.sessionid",
        "text",
        "/authenticationContext/externalSessionId",
        "Id of the session.",
    ),
    Field(
        "okta.authentication.provider",
        "text",
        "/authenticationContext/authenticationProvider",
        "Who checked the user.",
    ),
    Field(
        "okta.authentication.credentialprovider",
        "text",
        "/authenticationContext/credentialProvider",
        "Who checked the credential.",
    ),
    Field("okta.security.asnumber", "uint", "/securityContext/asNumber", "Number of the client's network."),
    Field("okta.security.asorg", "text", "/securityContext/asOrg", "Owner of the client's network."),
    Field("okta.security.isp", "text", "/securityContext/isp", "Provider of the client."),
    Field("okta.security.domain", "text", "/securityContext/domain", "Domain of the client."),
    Field(
        "okta.security.isproxy", "text", "/securityContext/isProxy", "Whether a proxy is known: true, false."
    ),
    Field("okta.target.user.id", "text", _target("User", "id"), "Id of the user it is about."),
    Field(
        "okta.target.user.alternateid",
        "text",
        _target("User", "alternateId"),
        "E-mail of the user it is about.",
    ),
    Field("okta.target.user.name", "text", _target("User", "displayName"), "Name of the user it is about."),
    Field("okta.target.group.id", "text", _target("UserGroup", "id"), "Id of the group it is about."),
    Field(
        "okta.target.group.alternateid",
        "text",
        _target("UserGroup", "alternateId"),
        "Other id of the group it is about.",
    ),
    Field(
        "okta.target.group.name",
        "text",
        _target("UserGroup", "displayName"),
        "Name of the group it is about.",
    ),
    Field(
        "okta.target.app.alternateid",
        "text",
        _target("AppInstance", "alternateId"),
        "Name of the application it is about.",
    ),
    Field(
        "okta.targets.displayName",
        "text",
        concat(text("("), join(",", "/target/*/displayName"), text(")")),
        "Names of all that it is about; with a number, of one.",
        arg="index",
        indexed="/target/*/displayName",
    ),
    Field(
        "okta.mfa.failure.countlast",
        "uint",
        when(has("/eyas/failures/0"), recent("/eyas/failures/*")),
        "Failed second factors of the user in so many seconds, on such an event.",
        arg="index",
        required=True,
    ),
    Field(
        "okta.mfa.deny.countlast",
        "uint",
        when(has("/eyas/denials/0"), recent("/eyas/denials/*")),
        "Denied pushes of the user in so many seconds, on such an event.",
        arg="index",
        required=True,
    ),
)


class Memory:
    """Times at which a user's second factor failed; the oldest user is forgotten when there are too many."""

    def __init__(self, times: Mapping[str, list[int]] | None = None) -> None:
        self._times: OrderedDict[str, list[int]] = OrderedDict(times or {})

    @classmethod
    def of(cls, state: Mapping[str, list[int]]) -> Memory:
        """Go on with what `state` gave."""
        return cls({str(key): [int(time) for time in times] for key, times in state.items()})

    def state(self) -> dict[str, list[int]]:
        """Everything, to be stored."""
        return dict(self._times)

    def add(self, kind: str, user: str, now: int) -> list[int]:
        """Remember one more; all times of the window."""
        key = f"{kind} {user}"
        times = [time for time in self._times.pop(key, []) if time > now - WINDOW]
        times = [*times, now][-TIMES:]
        self._times[key] = times
        if len(self._times) > USERS:
            self._times.popitem(last=False)
        return times


def counted(body: bytes, memory: Memory, organisation: str, now: int) -> bytes:
    """A page of events, each with the organisation and the times of failures like it. One that says no time is counted
    at `now`, in nanoseconds."""
    events = json.loads(body)
    made = [
        _counted(event, memory, organisation, now)
        for event in (events if isinstance(events, list) else [events])
    ]
    return json.dumps(made, separators=(",", ":")).encode()


def _counted(event: Any, memory: Memory, organisation: str, now: int) -> Any:
    if not isinstance(event, dict):
        return event  # whoever judges says what is wrong with it
    ours: dict[str, Any] = {"org": organisation} if organisation else {}
    kind = event.get("eventType")
    if kind in COUNTED and (kind == DENIED or _inside(event, "outcome", "result") == "FAILURE"):
        times = memory.add(kind, str(_inside(event, "actor", "id")), _published(event) or now)
        # Rules of the field ask for either name on either kind of event.
        ours |= {"failures": times, "denials": times}
    return {**event, "eyas": ours} if ours else event


def _inside(event: Mapping[str, Any], key: str, name: str) -> Any:
    found = event.get(key)
    return found.get(name) if isinstance(found, dict) else None


def _published(event: Any) -> int | None:
    """When an event was published, in nanoseconds; None where it says no time with a zone."""
    try:
        when = datetime.fromisoformat(event["published"])
    except (KeyError, TypeError, ValueError):
        return None
    return int(when.timestamp() * 1000) * 1_000_000 if when.tzinfo else None


def decode(body: bytes) -> Iterable[Record]:
    """Records of a log file; failures are counted within it, those without a time at that of the event before."""
    memory, now = Memory(), 0
    for document in _documents(body):
        if isinstance(document, bytes):
            yield Record(document)
            continue
        for event in document if isinstance(document, list) else [document]:
            now = _published(event) or now
            known = isinstance(event, dict) and "eyas" in event
            yield Record(event if known else _counted(event, memory, "", now))


def _documents(body: bytes) -> Iterable[Any]:
    """Documents one after another; a line that is none is left as it is, so that whoever judges refuses it."""
    decoder = json.JSONDecoder()
    text, at = body.decode("utf-8", "replace"), 0
    while (at := _begin(text, at)) < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find("\n", at)
            document, at = text[at : end if end >= 0 else None].encode(), end if end >= 0 else len(text)
        yield document


def _begin(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


SOURCE = Source(
    "okta",
    "Okta System Log",
    FIELDS,
    Time("/published"),
    decode=decode,
    identity="/uuid",
    info=concat("/actor/alternateId", text(" "), "/eventType"),
    plugin="okta",
    version=(0, 12, 0),
    silent=86_400,
)

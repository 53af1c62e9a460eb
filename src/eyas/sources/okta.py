"""Okta System Log: who signed in to what, what failed how often, and what administrators changed.

https://developer.okta.com/docs/reference/api/system-log/ names the keys.
"""

from __future__ import annotations

import json
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


def counted(body: bytes, memory: Memory, organisation: str = "") -> bytes:
    """A page of events, each with the organisation and the times of failures like it."""
    events = json.loads(body)
    made = [
        _counted(event, memory, organisation) for event in (events if isinstance(events, list) else [events])
    ]
    return json.dumps(made, separators=(",", ":")).encode()


def _counted(event: dict[str, Any], memory: Memory, organisation: str) -> dict[str, Any]:
    ours: dict[str, Any] = {"org": organisation} if organisation else {}
    kind = event.get("eventType")
    if kind in COUNTED and (kind == DENIED or (event.get("outcome") or {}).get("result") == "FAILURE"):
        now = int(datetime.fromisoformat(event["published"]).timestamp() * 1000) * 1_000_000
        times = memory.add(kind, str((event.get("actor") or {}).get("id")), now)
        # Rules of the field ask for either name on either kind of event.
        ours |= {"failures": times, "denials": times}
    return {**event, "eyas": ours} if ours else event


def decode(body: bytes) -> Iterable[Record]:
    """Records of a log file; failures are counted within it."""
    memory = Memory()
    for line in _documents(body):
        for event in line if isinstance(line, list) else [line]:
            yield Record(event if "eyas" in event else _counted(event, memory, ""))


def _documents(body: bytes) -> Iterable[Any]:
    decoder = json.JSONDecoder()
    text = body.decode("utf-8", "replace").lstrip()
    while text:
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:].lstrip()


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

"""Calls to clouds and services as a story: who, from where, what was listed, read and changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eyas.alert import Alert
from eyas.delivery import stored
from eyas.hub import entities


@dataclass(frozen=True, slots=True)
class Names:
    """Fields of one source by their role."""

    who: tuple[str, ...]
    session: tuple[str, ...]
    address: str
    call: str
    service: str = ""
    outcome: str = ""
    agent: str = ""
    resources: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()  # credentials that a call makes


KEY = "json.value[/userIdentity/accessKeyId]"  # the credential itself

SOURCES_NAMES: dict[str, Names] = {
    "aws_cloudtrail": Names(
        ("ct.user.arn", "ct.user"), ("ct.user.principalid", KEY), "ct.srcip", "ct.name", "ct.src", "ct.error",
        "ct.useragent",
        ("s3.uri", "s3.bucket", "ct.request.functionname", "ct.request.username", "ct.request.groupname",
         "ct.request.name", "json.value[/requestParameters/roleArn]"),
        ("json.value[/responseElements/credentials/accessKeyId]", "json.value[/responseElements/accessKey/accessKeyId]"),
    ),
    "okta": Names(
        ("okta.actor.alternateid", "okta.actor.id"), ("okta.authentication.sessionid",), "okta.client.ip",
        "okta.evt.type", "", "okta.result", "okta.useragent.raw",
        ("okta.target.app.alternateid", "okta.target.user.alternateid", "okta.target.group.alternateid"),
    ),
    # Webhooks name a repository by its address and no client; the audit log tells both.
    "github": Names(
        ("github.user",), (), "json.value[/actor_ip]", "github.type", "", "", "json.value[/user_agent]",
        ("github.repo", "json.value[/repo]", "github.org"),
    ),
    "gcp_auditlog": Names(
        ("gcp.user",), (), "gcp.callerIP", "gcp.methodName", "gcp.serviceName", "", "gcp.userAgent", ("gcp.resourceName",)
    ),
    "k8s_audit": Names(
        ("ka.user.name",), (), "ka.sourceips", "ka.verb", "", "ka.response.code", "ka.useragent",
        ("ka.target.resource", "ka.target.name"),
    ),
}  # fmt: skip
MOST_LINES = 200  # of a chapter
REQUEST = 160  # characters of a request that stand for what it was about
SOURCES = frozenset(SOURCES_NAMES)

_LISTS = ("list", "describe", "head", "search", "query", "scan")
_READS = (
    "get",
    "lookup",
    "download",
    "decrypt",
    "batchget",
    "read",
    "view",
    "export",
    "assume",
    "clone",
    "watch",
)
_SIGNS = (
    "user.session.start",
    "user.authentication",
    "consolelogin",
    "assumerole",
    "getsessiontoken",
    "getcalleridentity",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with the facts its record gave."""

    ts: int
    source: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Chapter:
    """One part of the story: what was listed, read, changed, and from where it was first used."""

    title: str
    lines: list[str] = field(default_factory=list)
    count: int = 0


def severity(alert: Alert) -> int:
    """Number of its priority."""
    return stored.severity(alert.priority)


def principals(alert: Alert) -> set[str]:
    """Everything by which an alert names who acted: principal, session, and the person behind both."""
    names = SOURCES_NAMES.get(alert.source)
    if names is None:
        return set()
    facts = {name: entities.said(alert, name) for name in (*names.who, *names.session)}
    sure = {name: facts[name] for name in (names.who[0], *names.session) if facts[name]}
    # The name of a role is that of everybody who acts in it: it counts where nothing says more.
    return set(_aliases(list((sure or facts).values()))) | _logins(alert.source, facts)


def named(alert: Alert) -> str:
    """The first name by which an alert says who acted."""
    names = SOURCES_NAMES.get(alert.source)
    found = [entities.said(alert, name) for name in names.who] if names else []
    return next((str(value) for value in found if value not in (None, "", "<NA>")), "")


def _aliases(values: Sequence[Any]) -> Iterator[str]:
    """A session of a role, `AROA…:ann@example.com`, also stands for the person in it."""
    for value in values:
        text = str(value or "")
        if not text or text == "<NA>":
            continue
        yield text
        tail = text.rpartition(":")[2].rpartition("/")[2]
        if ":user/" in text:
            yield f"login:{tail.partition('@')[0].lower()}"
        if "@" not in tail:
            continue
        if tail != text:
            yield tail
        # GitHub knows people by a login; that of a company is the first part of the address as a rule.
        yield f"login:{tail.partition('@')[0].lower()}"


def _logins(source: str, facts: Mapping[str, Any]) -> set[str]:
    """Under which logins a record may be known elsewhere."""
    user = str(facts.get("github.user") or "").lower()
    return {f"login:{user}"} if source == "github" and user else set()


def names_of(call: Call) -> set[str]:
    """Everything by which a record names who acted."""
    names = SOURCES_NAMES[call.source]
    found = [call.facts.get(name) for name in (*names.who, *names.session)]
    return set(_aliases(found)) | _logins(call.source, call.facts)


def made(call: Call) -> set[str]:
    """Credentials that came of a call."""
    return {str(call.facts[name]) for name in SOURCES_NAMES[call.source].makes if call.facts.get(name)}


def who(call: Call) -> str:
    """Who acted."""
    return _first(call, SOURCES_NAMES[call.source].who)


def _first(call: Call, names: Sequence[str]) -> str:
    return next((str(call.facts[name]) for name in names if call.facts.get(name)), "")


def verb(call: Call) -> str:
    """What kind of act it was: signed in, listed, read, changed."""
    name = str(call.facts.get(SOURCES_NAMES[call.source].call) or "")
    action = str(call.facts.get("github.action") or "")
    low = (action or name).rpartition(".")[2].lower()
    if any(sign in name.lower() for sign in _SIGNS):
        return "signed in"
    if low.startswith(_LISTS):
        return "listed"
    if low.startswith(_READS):
        return "read"
    return "changed"


def addresses(call: Call) -> list[str]:
    """Addresses it came from."""
    value = call.facts.get(SOURCES_NAMES[call.source].address)
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value)] if value else []


def identities(call: Call) -> Iterator[tuple[str, str]]:
    """Who is named, by role."""
    names = SOURCES_NAMES[call.source]
    for label, fields in (("principal", names.who), ("session", names.session), ("program", (names.agent,))):
        for name in fields:
            if name and call.facts.get(name):
                yield label, str(call.facts[name])


def resources(call: Call) -> list[str]:
    """What the call was about."""
    names = SOURCES_NAMES[call.source].resources
    found = [str(call.facts[name]) for name in names if call.facts.get(name)]
    # A path says its bucket too.
    return [one for one in found if not any(f"://{one}/" in other for other in found)]


def sentence(call: Call) -> str:
    """The call in words."""
    names = SOURCES_NAMES[call.source]
    parts = [str(call.facts.get(names.call) or "")]
    if call.facts.get("github.action"):
        parts.append(str(call.facts["github.action"]))
    if names.service and call.facts.get(names.service):
        parts.append(f"at {call.facts[names.service]}")
    if found := resources(call):
        parts.append("on " + ", ".join(found))
    elif call.facts.get("ct.request") not in (None, "", "null", "{}"):
        parts.append(f"with {str(call.facts['ct.request'])[:REQUEST]}")
    if found := addresses(call):
        parts.append("from " + ", ".join(found))
    if names.outcome and call.facts.get(names.outcome) not in (None, "", "SUCCESS", 200, "200"):
        parts.append(f"({call.facts[names.outcome]})")
    return " ".join(part for part in parts if part)


def story(calls: Sequence[Call]) -> list[Chapter]:
    """The calls, in order of time, as chapters."""
    first = Chapter("First use from each address")
    seen: set[str] = set()
    kinds = {kind: Chapter(kind.capitalize()) for kind in ("signed in", "listed", "read", "changed")}
    for call in calls:
        for address in addresses(call):
            if address not in seen:
                seen.add(address)
                first.count += 1
                first.lines.append(f"{stored.local(call.ts)}  {address}  {who(call)}  {sentence(call)}")
        chapter = kinds[verb(call)]
        chapter.count += 1
        line = sentence(call)
        if line not in chapter.lines and len(chapter.lines) < MOST_LINES:
            chapter.lines.append(line)
    parts = (first, _sessions(calls), *kinds.values())
    return [chapter for chapter in parts if chapter.count]


def _sessions(calls: Sequence[Call]) -> Chapter:
    """Who acted under which session or key, how often, from when to when, and from where."""
    found: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        session = _first(call, SOURCES_NAMES[call.source].session[::-1])
        found.setdefault((who(call), session), []).append(call)
    lines = [_span(*key, own) for key, own in found.items()]
    return Chapter("By principal and session", lines[:MOST_LINES], len(found))


def _span(name: str, session: str, calls: Sequence[Call]) -> str:
    begin, end = stored.local(calls[0].ts), stored.local(calls[-1].ts)
    often = "1 call" if len(calls) == 1 else f"{len(calls)} calls"
    places = ", ".join(dict.fromkeys(place for call in calls for place in addresses(call)))
    when = begin if begin == end else f"{begin} to {end}"
    return "  ".join(
        part for part in (name, session, often, when, f"from {places}" if places else "") if part
    )

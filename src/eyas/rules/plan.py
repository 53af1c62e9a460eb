"""What rules make the kernel collect: calls, tests that it makes itself, and the opens for reading that may matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eyas import lang
from eyas.catalog import GENERIC_IDS, KERNEL, Catalog
from eyas.rules import facts
from eyas.rules.compiled import Compiled
from eyas.rules.facts import Fact, Needs, Test
from eyas.rules.suppose import Guard, Supposed, can_hold, guard, together

# What the kernel side can hold (`bpf/record.h`).
MOST_PREFIXES = 32
MOST_SUFFIXES = 32
MOST_NAMES = 8
PART = 8
DATA = 80

_OPENS = frozenset(("open", "openat", "openat2"))
# Calls that are told apart by the family of the socket in their first argument.
_ON_SOCKETS = frozenset((
    "sendto", "sendmsg", "sendmmsg", "send", "recvfrom", "recvmsg", "recvmmsg", "recv", "connect", "accept", "accept4",
    "bind", "listen", "shutdown", "setsockopt", "getsockopt",
))  # fmt: skip
_IP = Fact("family", "", 1 << 2 | 1 << 10)
_TYPES = (lang.FieldRef("evt.type"), lang.FieldRef("syscall.type"))
_DATA_FIELDS = ("evt.buffer", "evt.args", "evt.info", "evt.arg.data", "evt.arg[", "evt.rawarg.data")
_PATH_FIELDS = ("eyas.path",)
# A session is known by the connection that its server accepted.
_LOGIN_FIELDS = ("eyas.login.address", "eyas.login.port")
_ACCEPTS = ("accept", "accept4")
# Calls whose events say themselves what their socket is, and fields that other events need connections for.
_CONNECTIONS = frozenset(("connect", "accept", "accept4"))
_DESCRIPTOR_FIELDS = ("fd.", "fdlist.", "evt.arg", "evt.info")
# Calls whose descriptors may be files that were opened for reading, and whose events do not carry the paths of these.
_ON_FILES = frozenset((
    "dup", "dup2", "dup3", "fcntl", "sendfile", "splice", "copy_file_range", "mmap", "mmap2", "poll", "ppoll",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sieve:
    """Opens for reading that may matter; a failed open of another path only with `failures`."""

    prefixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    failures: bool = False
    suffixes: tuple[str, ...] = ()
    found: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """The form that the probe reads."""
        return {
            "prefixes": list(self.prefixes),
            "suffixes": list(self.suffixes),
            "found": list(self.found),
            "names": list(self.names),
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls with the tests that must hold, bytes of buffers, and the sieve; births, execs and deaths always come."""

    calls: dict[str, tuple[Test, ...]] = field(default_factory=dict)
    data: int = 0
    paths: bool = False
    sieve: Sieve | None = None
    # Whether the state may go without connections that no rule asks for.
    brief: bool = False

    def json(self) -> dict[str, Any]:
        """The form that the probe reads."""
        return {
            "calls": {name: list(tests) for name, tests in self.calls.items()},
            "data": self.data,
            "paths": self.paths,
            "sieve": self.sieve and self.sieve.json(),
            "brief": self.brief,
        }


def plan(rules: Iterable[Compiled], catalog: Catalog) -> Plan:
    """The plan for all rules together."""
    rules = [rule for rule in rules if rule.source == KERNEL]
    params = {row.name: dict(row.params) for row in catalog.events if row.id % 2 and row.status == "current"}
    needed: dict[str, Needs] = {}
    for rule in rules:
        for name in calls_of(rule, catalog):
            need = _need(rule.tree, name, params.get(name))
            if need != facts.NEVER:
                needed[name] = facts.either((needed.get(name, facts.NEVER), need))
    login = any(_uses(rule, _LOGIN_FIELDS) for rule in rules)
    if login:
        for name in _ACCEPTS:
            need = facts.one_of(facts.SUCCEEDED)
            needed[name] = facts.either((needed.get(name, facts.NEVER), need))
    return Plan(
        calls={name: facts.tests(need) for name, need in sorted(needed.items())},
        data=DATA if any(_uses(rule, _DATA_FIELDS) for rule in rules) else 0,
        paths=any(_uses(rule, _PATH_FIELDS) for rule in rules),
        sieve=_sieve(rules, catalog),
        brief=not login and not any(_looks_back(rule, catalog) for rule in rules),
    )


def adjusted(one: Plan, words: Iterable[str]) -> Plan:
    """The plan with further calls, and without those that are named with a `!`."""
    calls = dict(one.calls)
    more = [word for word in words if not word.startswith("!")]
    calls |= dict.fromkeys(more, ())
    for word in words:
        calls.pop(word.removeprefix("!") if word.startswith("!") else "", None)
    return replace(one, calls=dict(sorted(calls.items())), sieve=None if _OPENS & {*more} else one.sieve)


def calls_of(rule: Compiled, catalog: Catalog) -> list[str]:
    """Names of the system calls that a rule can hold on."""
    rows = (
        catalog.events[number]
        for number in (range(len(catalog.events)) if rule.events is None else rule.events)
    )
    current = {row.name for row in rows if row.status == "current" and row.id % 2 and row.id > 1}
    current -= {"execve", "execveat", "pluginevent", "asyncevent", "container", "drop"}
    return sorted(current | _failed(rule) | _generic(rule, catalog))


def _generic(rule: Compiled, catalog: Catalog) -> set[str]:
    """Calls without an event of their own that a rule names."""
    typed = [check for check in lang.checks_of(rule.tree) if check.left in _TYPES]
    named = {value for check in typed for value in _constants(check.right)}
    return {name for name in named if catalog.ids.get(name) == frozenset(GENERIC_IDS)}


def _constants(right: object) -> tuple[str, ...]:
    match right:
        case lang.Text(value):
            return (value,)
        case lang.Values(values):
            return values
    return ()


def _failed(rule: Compiled) -> set[str]:
    """Execs whose failures a rule can hold on; successes always come."""
    execs = ("execve", "execveat")
    return {name for name in execs if can_hold(rule.tree, Supposed(name, worked=False))}


def _need(node: lang.Node, name: str, params: Mapping[str, str] | None) -> Needs:
    """What must be true of a call for the condition to hold."""
    found = []
    for worked, sign in ((True, facts.SUCCEEDED), (False, facts.FAILED)):
        supposed = Supposed(name, worked, params=params)
        need = facts.needs(node, supposed)
        if name in _ON_SOCKETS and not can_hold(node, replace(supposed, ip=False)):
            need = facts.both((need, facts.one_of(_IP)))
        found.append(facts.both((need, facts.one_of(sign))))
    return facts.either(found)


def _looks_back(rule: Compiled, catalog: Catalog) -> bool:
    """Whether the rule looks at descriptors that an earlier event may have connected."""
    if not _uses(rule, _DESCRIPTOR_FIELDS):
        return False
    calls = {*calls_of(rule, catalog)} - _CONNECTIONS
    return any(row.name in calls and "uses_fd" in row.flags for row in catalog.events)


def _uses(rule: Compiled, fields: tuple[str, ...]) -> bool:
    named = [*map(lang.canonical, lang.checks_of(rule.tree)), *rule.template.names, *rule.extras.names]
    return any(name.startswith(field) for name in named for field in fields)


def _sieve(rules: list[Compiled], catalog: Catalog) -> Sieve | None:
    """The sieve for all rules; None when some rule needs every open for reading, or what it needs is too much."""
    needed = Guard()
    failures = False
    for rule in rules:
        for name in _OPENS.intersection(calls_of(rule, catalog)):
            read = guard(rule.tree, Supposed(name, worked=True, reading=True))
            failed = guard(rule.tree, Supposed(name, worked=False, reading=True))
            if read is None:
                return None
            failures |= failed is None or bool(failed.names)
            needed = together((needed, read, failed or Guard())) or needed
        later = _later(rule, catalog)
        if later is None:
            return None
        needed = together((needed, later)) or needed
    prefixes = _shortest(needed.prefixes)
    suffixes, found = _ends(needed.suffixes), _ends(needed.found)
    most = max(len(suffixes), len(found))
    if len(prefixes) > MOST_PREFIXES or most > MOST_SUFFIXES or len(needed.names) > MOST_NAMES:
        return None
    return Sieve(prefixes, tuple(sorted(needed.names)), failures, suffixes, found)


def _later(rule: Compiled, catalog: Catalog) -> Guard | None:
    """What the opens must have whose files a rule meets again at later calls; None when nothing is known."""
    if not _uses(rule, _DESCRIPTOR_FIELDS):
        return Guard()
    calls = _ON_FILES.intersection(calls_of(rule, catalog))
    outcomes = [Supposed(call, worked, file=True) for call in calls for worked in (True, False)]
    return together(guard(rule.tree, one) for one in outcomes if can_hold(rule.tree, one))


def _ends(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(one[::-1] for one in _shortest(part[::-1] for part in parts)))


def _shortest(parts: Iterable[str]) -> tuple[str, ...]:
    """The beginnings as the kernel compares them: cut, and without those that another covers."""
    kept: list[str] = []
    for part in sorted({part.encode()[:PART].decode(errors="ignore") for part in parts}, key=len):
        if not any(part.startswith(other) for other in kept):
            kept.append(part)
    return tuple(sorted(kept))

"""Whether a condition can hold on a call of some kind, and what a path must look like for it: always on the safe side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from eyas.lang import And, Check, FieldRef, Name, Node, Not, Text, Values, fold

# What a comparison says about a call that is supposed: it holds, it does not, or (None) only the event can tell.
Answer = bool | None

_TYPES = ("evt.type", "syscall.type")
_WRITES = ("evt.is_open_write", "evt.is_open_create", "evt.is_open_exec")
_IP_ONLY = (
    "fd.cip", "fd.sip", "fd.lip", "fd.rip", "fd.ip", "fd.cport", "fd.sport", "fd.lport", "fd.rport", "fd.port",
    "fd.net", "fd.cnet", "fd.snet", "fd.lnet", "fd.rnet", "fd.sip.name", "fd.cip.name", "fd.rip.name", "fd.lip.name",
    "fd.proto", "fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto",
)  # fmt: skip
_IP_CHARS = frozenset("46")
_FILES = {"fd.type": frozenset(("file", "directory")), "fd.typechar": frozenset("fd")}
_PATHS = ("fd.name",)
_PARTS = ("contains", "endswith")
_BEGINNINGS = ("=", "==", "in", "startswith")
_RESOLVED: Final = "eyas.path.resolved"
_NAMED: Final = "proc.name"
# Comparisons that need a value.
_COMPARED = ("=", "==", "in", "startswith", "contains", "endswith", "glob", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Supposed:
    """A call that is supposed: its name, whether it worked, and what else is known of it."""

    call: str
    worked: bool
    reading: bool = False
    ip: bool = True
    # Whether its descriptor is a file that was opened before.
    file: bool = False
    # Parameters of its event with their types; None when they are not known.
    params: Mapping[str, str] | None = None

    def param(self, left: FieldRef) -> tuple[str, str] | None:
        """The parameter of the event that a field is, with its type."""
        name = _parameter(left)
        kind = (self.params or {}).get(name or "")
        return (name, kind) if name and kind else None

    def lacks(self, left: FieldRef) -> bool:
        """Whether a field is a parameter that the event does not have."""
        name = _parameter(left)
        return self.params is not None and name is not None and name not in self.params


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be true of an open for a condition to hold.

    A beginning or an end of the path, the program's name, or an end of the name of the file that was found.
    """

    prefixes: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    found: frozenset[str] = frozenset()

    @property
    def cost(self) -> tuple[int, int, int, int]:
        """How little it leaves out: names are dearer than parts of paths, beginnings than ends, short than long ones."""
        parts = self.prefixes | self.suffixes | self.found
        return len(self.names), len(parts), len(self.prefixes), -min(map(len, parts), default=0)


def can_hold(node: Node, supposed: Supposed) -> bool:
    """Whether the condition may hold on such a call."""
    return fold(node, lambda leaf: answer(leaf, supposed), _join) is not False


def guard(node: Node, supposed: Supposed) -> Guard | None:
    """What an open must have for the condition to hold; None when nothing is known.

    Paths that do not say where they lead (relative ones, and those with dots) are never left out, so a condition
    that holds for such paths only needs no guard at all.
    """
    return fold(node, lambda leaf: _leaf_guards(leaf, supposed), _join_guards)[0]


# The guard under which a part holds, and the guard under which its negation does.
_Both = tuple[Guard | None, Guard | None]
_NEVER = Guard()


def _leaf_guards(item: Check | Name, supposed: Supposed) -> _Both:
    said = answer(item, supposed)
    if said is not None:
        return (None, _NEVER) if said else (_NEVER, None)
    return (_of_check(item, supposed) if isinstance(item, Check) else None), None


def _join_guards(node: Node, children: list[_Both]) -> _Both:
    if isinstance(node, Not):
        return children[0][1], children[0][0]
    holds, fails = [child[0] for child in children], [child[1] for child in children]
    if isinstance(node, And):
        return _narrowest(holds), together(fails)
    return together(holds), _narrowest(fails)


def _narrowest(guards: Iterable[Guard | None]) -> Guard | None:
    return min((one for one in guards if one is not None), key=lambda one: one.cost, default=None)


def together(guards: Iterable[Guard | None]) -> Guard | None:
    """What must be true for any of several to hold; None when nothing is known of one."""
    prefixes: set[str] = set()
    suffixes: set[str] = set()
    names: set[str] = set()
    found: set[str] = set()
    for one in guards:
        if one is None:
            return None
        prefixes |= one.prefixes
        suffixes |= one.suffixes
        names |= one.names
        found |= one.found
    return Guard(frozenset(prefixes), frozenset(suffixes), frozenset(names), frozenset(found))


def _of_check(check: Check, supposed: Supposed) -> Guard | None:
    if not isinstance(check.left, FieldRef):
        return None
    name, values = check.left.name, values_of(check)
    if supposed.file and name in (_RESOLVED, _NAMED):
        # What is true of this call need not have been true of the open.
        return None
    if name == _RESOLVED:
        # Where the kernel did not find a file it is the path that was asked for.
        asked = _of_check(replace(check, left=replace(check.left, name=_PATHS[0])), supposed)
        return together((asked, _findings(check.op, values))) if supposed.worked else asked
    if name == "fd.nameraw" and check.op == "contains" and values and all("../" in value for value in values):
        return _NEVER
    if values is None:
        return None
    # What stands after a slash and a dot belongs to a path with dots.
    if name in ("fd.name", "fd.nameraw") and check.op in _PARTS and all("/." in value for value in values):
        return _NEVER
    if name == "fd.filename" and check.op in _BEGINNINGS and all(value.startswith(".") for value in values):
        return _NEVER
    if name in _PATHS and check.op == "endswith":
        return _endings(values)
    if name == "fd.filename" and check.op in ("=", "==", "in"):
        return _endings(["/" + value for value in values])
    if name in _PATHS and check.op in ("=", "==", "in", "startswith", "pmatch"):
        return _paths(values)
    if name in _PATHS and check.op == "glob":
        return _paths([_literal(value) for value in values])
    if name == "fd.directory" and check.op in ("=", "==", "in"):
        return _paths([value.rstrip("/") + "/" for value in values])
    if name == _NAMED and check.op in ("=", "==", "in"):
        return Guard(names=frozenset(values))
    return None


def _paths(values: Iterable[str]) -> Guard | None:
    # A name that does not begin with a slash belongs to a path that is never left out.
    prefixes = frozenset(value for value in values if value.startswith("/") or not value)
    return None if prefixes & {"", "/"} else Guard(prefixes)


def _endings(values: Iterable[str]) -> Guard | None:
    # What stands after a slash and a dot belongs to a path with dots, which is never left out.
    suffixes = frozenset(value for value in values if "/." not in value)
    return None if any(not value.strip("/") for value in suffixes) else Guard(suffixes=suffixes)


def _findings(op: str, values: Iterable[str] | None) -> Guard | None:
    """Files by their own names, with the slash before where a path has one."""
    if values is None or op not in ("=", "==", "in", "endswith"):
        return None
    ends = frozenset(value[max(value.rfind("/"), 0) :] for value in values)
    return None if any(not end.strip("/") for end in ends) else Guard(found=ends)


def _literal(pattern: str) -> str:
    """Beginning of a glob up to its first special character."""
    special = [at for at, char in enumerate(pattern) if char in "*?[\\"]
    return pattern[: special[0]] if special else pattern


def values_of(check: Check) -> tuple[str, ...] | None:
    """The constants of which one must compare so; None when they are no constants."""
    match check.right:
        case Text(value):
            return (value,)
        case Values(values) if check.modifier in (None, "anyof", "oneof"):
            return values
    return None


def _join(node: Node, children: list[Answer]) -> Answer:
    if isinstance(node, Not):
        return None if children[0] is None else not children[0]
    decisive = not isinstance(node, And)
    if decisive in children:
        return decisive
    return None if None in children else not decisive


def answer(item: Check | Name, supposed: Supposed) -> Answer:
    """What a comparison says about a call that is supposed."""
    if not isinstance(item, Check) or not isinstance(item.left, FieldRef):
        return None
    values = values_of(item)
    if values is None:
        return None
    name, op, one = item.left.name, item.op, values[0] if len(values) == 1 else None
    if supposed.lacks(item.left) and op in _COMPARED:
        return False
    if name in _TYPES and op in ("=", "==", "in"):
        return supposed.call in values
    if name in _TYPES and op == "!=":
        return supposed.call not in values
    if supposed.reading and name in _WRITES and op in ("=", "=="):
        return one == "false"
    if supposed.reading and _is_flags(item.left) and op == "contains" and one in _WRITE_FLAGS:
        return False
    if name in ("fd.num", "evt.rawres") and (name == "fd.num") <= (supposed.call in _OPENS):
        return _sign(op, one, supposed)
    if name == "evt.failed" and op in ("=", "=="):
        return (one == "true") is not supposed.worked
    if name == "evt.res":
        return _result(op, values, supposed)
    if supposed.file and op in ("=", "==", "in") and name in _FILES and not _FILES[name].intersection(values):
        return False
    return None if supposed.ip and not supposed.file else _without_ip(name, op, values)


_OPENS = ("open", "openat", "openat2", "creat")
_WRITE_FLAGS = frozenset(("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"))


def _is_flags(left: FieldRef) -> bool:
    return _parameter(left) == "flags" and left.name.startswith("evt.arg")


def _parameter(left: FieldRef) -> str | None:
    """Name of the parameter that a field is."""
    for head in ("evt.arg", "evt.rawarg"):
        if left.name == head:
            return None if left.arg is None or left.arg.isdecimal() else left.arg
        if left.name.startswith(head + "."):
            return left.name.removeprefix(head + ".")
    return None


def _sign(op: str, value: str | None, supposed: Supposed) -> Answer:
    """Comparisons of a result with zero or minus one."""
    if (op, value) in ((">=", "0"), (">", "-1")):
        return supposed.worked
    if (op, value) == ("<", "0"):
        return not supposed.worked
    return False if (op, value) in (("=", "-1"), ("==", "-1")) and supposed.worked else None


def _result(op: str, values: tuple[str, ...], supposed: Supposed) -> Answer:
    if op not in ("=", "==", "in"):
        return False if op == "startswith" and values == ("E",) and supposed.worked else None
    if supposed.worked:
        return "SUCCESS" in values
    # Only connect can be in progress.
    return (
        False
        if set(values) <= {"SUCCESS"} | ({"EINPROGRESS"} if supposed.call != "connect" else set())
        else None
    )


def _without_ip(name: str, op: str, values: tuple[str, ...]) -> Answer:
    """Comparisons with what only IP sockets have: they do not hold."""
    if name in _IP_ONLY and op != "!=":
        return False
    if name == "fd.typechar" and op in ("=", "==", "in") and set(values) <= _IP_CHARS:
        return False
    if name == "fd.type" and op in ("=", "==", "in") and set(values) <= {"ipv4", "ipv6"}:
        return False
    if name == "fd.l4proto" and op in ("=", "==", "in") and set(values) <= {"tcp", "udp", "icmp", "raw"}:
        return False
    return False if name == "fd.sockfamily" and op in ("=", "==") and values == ("ip",) else None

"""What happened around an alert, from the store alone: who did it, from where, on what, before and after.

For a process: the tree from init down to every child, the files and addresses it touched, the users it was.
For a cloud: the calls of the principal and its session, in the order "first used, listed, read, changed".
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from eyas.alert import SECOND, Alert, iso8601
from eyas.hub import chain, cloud, entities, reading
from eyas.hub.reading import Kept, Query

WINDOW = 3600 * SECOND
DAY = 24 * WINDOW  # a stolen credential is tried out long before it is used
MOST = 5000  # moments of a timeline
NOTES = 4 * MOST
FILES = ("write", "read", "change")


@dataclass(slots=True)
class Process:
    """One process. `why` says how it belongs: ancestor, subject, child or bystander."""

    pid: int
    parent: int | None = None
    name: str = ""
    command: str = ""
    user: str = ""
    started: int | None = None
    ended: int | None = None
    why: str = "child"

    def lived(self, ts: int) -> bool:
        """Whether it lived at a moment; its number may have been another's before and after."""
        return (self.started is None or ts >= self.started) and (self.ended is None or ts <= self.ended)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    ts: int
    kind: str
    who: str
    text: str
    subject: bool = False
    id: str = ""
    severity: int | None = None


@dataclass(slots=True)
class Trail:
    """Everything about one alert."""

    kept: Kept
    processes: list[Process] = field(default_factory=list)
    files: dict[str, set[str]] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)
    identities: dict[str, set[str]] = field(default_factory=dict)
    timeline: list[Moment] = field(default_factory=list)
    related: list[Kept] = field(default_factory=list)
    story: list[cloud.Chapter] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # under which the calls of a cloud were made
    footage: str = ""
    cut: bool = False  # there was more than could be taken

    def json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "alert": self.kept.id,
            "rule": self.kept.alert.rule,
            "ts": self.kept.alert.ts,
            "processes": [vars_of(process) for process in self.processes],
            "files": {name: sorted(how) for name, how in sorted(self.files.items())},
            "addresses": {name: sorted(how) for name, how in sorted(self.addresses.items())},
            "identities": {name: sorted(found) for name, found in sorted(self.identities.items())},
            "timeline": [vars_of(moment) for moment in self.timeline],
            "related": [
                {"id": k.id, "rule": k.alert.rule, "ts": k.alert.ts, "count": k.count} for k in self.related
            ],
            "story": [vars_of(chapter) for chapter in self.story],
            "footage": self.footage,
            "cut": self.cut,
        }


def vars_of(value: Any) -> dict[str, Any]:
    """A value with slots as a mapping."""
    return {name: getattr(value, name) for name in value.__slots__}


@dataclass(frozen=True, slots=True)
class Note:
    """A noted activity, as it stands in the store."""

    ts: int
    kind: str
    actor: str
    facts: Mapping[str, Any]


def trail(db: sqlite3.Connection, kept: Kept, window: int = 0) -> Trail:
    """Draw the trail of an alert; without a window, an hour around it, for a cloud a day."""
    window = window or (DAY if kept.alert.source in cloud.SOURCES else WINDOW)
    made = Trail(kept, footage=_footage(kept.alert))
    notes: list[Note] = []
    if kept.alert.source in cloud.SOURCES:
        _cloud(made, db, window)
    else:
        notes = _notes(db, kept.alert, window)
        made.cut = len(notes) >= NOTES
        _machine(made, notes)
    made.related = _related(db, kept, made, window)
    _timeline(made, notes)
    return made


def _notes(db: sqlite3.Connection, alert: Alert, window: int) -> list[Note]:
    """Notes of the machine or service around the alert, those nearest to it if there are too many."""
    rows = db.execute(
        "SELECT ts, kind, actor, body FROM activity WHERE source = ? AND host = ? AND ts BETWEEN ? AND ?"
        " ORDER BY abs(ts - ?) LIMIT ?",
        (alert.source, alert.hostname, alert.ts - window, alert.ts + window, alert.ts, NOTES),
    ).fetchall()
    return [
        Note(ts, kind, actor, json.loads(body))
        for ts, kind, actor, body in sorted(rows, key=lambda row: row[0])
    ]


def _footage(alert: Alert) -> str:
    for name in ("footage", "capture"):
        value = alert.eyas.get(name)
        if value:
            return str(value.get("file", value) if isinstance(value, dict) else value)
    return ""


def number(value: Any) -> int | None:
    """A process number, or None."""
    try:
        found = int(value)
    except (TypeError, ValueError):
        return None
    return found if found > 0 else None


# Processes


def _machine(made: Trail, notes: Iterable[Note]) -> None:
    known = _tree(made.kept.alert, notes)
    subject = number(entities.said(made.kept.alert, "proc.pid"))
    wanted = _family(known, subject)
    made.processes = [known[pid] for pid in wanted if pid in known]
    _touched(made, notes, {p.pid: p for p in made.processes if p.why in ("subject", "child")})


def _tree(alert: Alert, notes: Iterable[Note]) -> dict[int, Process]:
    """Every process that notes and alert name; of several with one number, the last that began before the alert."""
    known: dict[int, Process] = {}
    later: set[int] = set()
    for note in notes:
        pid = number(note.facts.get("proc.pid"))
        if pid is None or pid in later:
            continue
        process = known.setdefault(pid, Process(pid))
        if process.ended is not None and note.ts > process.ended and note.kind in ("fork", "exec"):
            if note.ts > alert.ts:
                later.add(pid)
                continue
            process = known[pid] = Process(pid)
        _learn(process, note.facts)
        if note.kind in ("exec", "fork"):
            process.started = min(process.started or note.ts, note.ts)
        elif note.kind == "exit":
            process.ended = note.ts
    subject = number(entities.said(alert, "proc.pid"))
    if subject is not None:
        facts = {
            name: entities.said(alert, name)
            for name in ("proc.ppid", "proc.name", "proc.cmdline", "user.name")
        }
        _learn(known.setdefault(subject, Process(subject)), facts)
        known[subject].why = "subject"
        _ancestors(known, alert, subject)
    return known


def _learn(process: Process, facts: Mapping[str, Any]) -> None:
    process.parent = number(facts.get("proc.ppid")) or process.parent
    process.name = str(facts.get("proc.name") or process.name)
    process.command = str(facts.get("proc.cmdline") or process.command)
    process.user = str(facts.get("user.name") or process.user)


def _ancestors(known: dict[int, Process], alert: Alert, subject: int) -> None:
    """The line up to init, as the alert carries it."""
    child = subject
    for level in range(1, entities.ANCESTORS + 1):
        pid = number(entities.said(alert, f"proc.apid[{level}]"))
        if pid is None or pid == child:
            return
        process = known.setdefault(pid, Process(pid))
        process.why = "ancestor"
        process.name = str(entities.said(alert, f"proc.aname[{level}]") or process.name)
        process.command = str(entities.said(alert, f"proc.acmdline[{level}]") or process.command)
        known[child].parent = known[child].parent or pid
        child = pid


def _family(known: dict[int, Process], subject: int | None) -> list[int]:
    """Ancestors from init down, the subject, then its descendants, depth first."""
    if subject is None:
        return []
    line, at, seen = [], known[subject].parent, {subject}
    while at is not None and at in known and at not in seen:
        known[at].why = "ancestor"
        seen.add(at)
        line.append(at)
        at = known[at].parent
    children: dict[int, list[int]] = {}
    for process in known.values():
        if process.parent is not None:
            children.setdefault(process.parent, []).append(process.pid)
    found, stack = line[::-1], [subject]
    while stack:
        pid = stack.pop()
        found.append(pid)
        fresh = [c for c in children.get(pid, ()) if c not in seen]
        seen.update(fresh)
        stack.extend(sorted(fresh, key=lambda c: known[c].started or 0, reverse=True))
    return found


def _touched(made: Trail, notes: Iterable[Note], own: Mapping[int, Process]) -> None:
    """Files, addresses and users of the subject and its children."""
    facts = {**(made.kept.alert.eyas.get("carried") or {}), **made.kept.alert.fields}
    _touch(made, Note(made.kept.alert.ts, "alert", "", facts))
    for note in notes:
        process = own.get(number(note.facts.get("proc.pid")) or 0)
        if process is not None and process.lived(note.ts):
            _touch(made, note)


def _touch(made: Trail, note: Note) -> None:
    facts = note.facts
    name = str(facts.get("fd.name") or "")
    if note.kind in FILES or (note.kind == "alert" and name.startswith("/")):
        for key in ("fd.name", "fs.path.name", "fs.path.source", "fs.path.target"):
            if facts.get(key):
                how = str(facts.get("evt.type") or note.kind) if note.kind == "change" else note.kind
                made.files.setdefault(str(facts[key]), set()).add(how)
    elif "->" in name or note.kind == "connection":
        how = "accepted" if str(facts.get("evt.type", "")).startswith("accept") else "connected"
        made.addresses.setdefault(name.partition("->")[2] or name, set()).add(how)
    for key, label in (("user.name", "user"), ("user.loginname", "login"), ("container.name", "container")):
        if facts.get(key) not in (None, "", "<NA>", "host"):
            made.identities.setdefault(label, set()).add(str(facts[key]))


# Clouds


def _cloud(made: Trail, db: sqlite3.Connection, window: int) -> None:
    alert = made.kept.alert
    noted = list(_calls(made, db, window))
    found = chain.follow(noted, cloud.principals(alert))
    facts = {**(alert.eyas.get("carried") or {}), **alert.fields}
    calls = found.calls or [cloud.Call(alert.ts, alert.source, facts)]
    made.names = found.names
    made.story = [*cloud.story(calls), *filter(lambda part: part.count, [chain.others(noted, found)])]
    made.addresses = _used(calls)
    for call in calls:
        for label, value in cloud.identities(call):
            made.identities.setdefault(label, set()).add(value)
        for name in cloud.resources(call):
            made.files.setdefault(name, set()).add(cloud.verb(call))
    made.timeline = [
        Moment(c.ts, cloud.verb(c), cloud.who(c), cloud.sentence(c), subject=True) for c in calls
    ]


def _used(calls: Iterable[cloud.Call]) -> dict[str, set[str]]:
    """Addresses, each with its first use (UTC) and how often it was used."""
    first: dict[str, int] = {}
    times: Counter[str] = Counter()
    for call in calls:
        for address in cloud.addresses(call):
            first.setdefault(address, call.ts)
            times[address] += 1
    return {
        address: {
            f"first {iso8601(ts, 'Z')[11:19]}",
            "once" if times[address] == 1 else f"{times[address]} times",
        }
        for address, ts in first.items()
    }


def _calls(made: Trail, db: sqlite3.Connection, window: int) -> Iterator[cloud.Call]:
    """What the records of all services say of the time around the alert; of too many, what is nearest to it."""
    ts = made.kept.alert.ts
    for source in sorted(cloud.SOURCES):
        rows = db.execute(
            "SELECT ts, body FROM activity WHERE source = ? AND ts BETWEEN ? AND ? ORDER BY abs(ts - ?) LIMIT ?",
            (source, ts - window, ts + window, ts, NOTES),
        ).fetchall()
        made.cut |= len(rows) >= NOTES
        for at, body in sorted(rows):
            yield cloud.Call(at, source, json.loads(body))


# Alerts and timeline


def _related(db: sqlite3.Connection, kept: Kept, made: Trail, window: int) -> list[Kept]:
    """Earlier and later alerts about the same entities."""
    pids = {process.pid for process in made.processes if process.why != "ancestor"}
    query = Query(since=kept.alert.ts - window, until=kept.alert.ts + window, oldest_first=True, limit=2000)
    return [other for other in reading.select(db, query) if other.id != kept.id and _same(made, other, pids)]


def _same(made: Trail, other: Kept, pids: set[int]) -> bool:
    kept, mine, theirs = made.kept, made.kept.alert, other.alert
    if mine.source in cloud.SOURCES or theirs.source in cloud.SOURCES:
        return bool((made.names or cloud.principals(mine)) & cloud.principals(theirs))
    if mine.hostname != theirs.hostname:
        return False
    if other.identity and other.identity == kept.identity:
        return True
    pid = number(entities.said(theirs, "proc.pid"))
    container = entities.said(mine, "container.id")
    return pid in pids or (
        container not in (None, "", "host") and container == entities.said(theirs, "container.id")
    )


def _timeline(made: Trail, notes: Iterable[Note]) -> None:
    pids = {process.pid: process for process in made.processes}
    moments = list(made.timeline)
    for note in notes if made.kept.alert.source not in cloud.SOURCES else ():
        process = pids.get(number(note.facts.get("proc.pid")) or 0)
        if process is None or process.why == "ancestor" or not process.lived(note.ts):
            continue
        moments.append(Moment(note.ts, note.kind, f"{process.name} ({process.pid})", wording(note)))
    for kept in (*made.related, made.kept):
        own = kept is made.kept
        moments.append(
            Moment(
                kept.alert.ts,
                "alert",
                kept.alert.rule,
                kept.alert.message,
                subject=own,
                id=kept.id,
                severity=cloud.severity(kept.alert),
            )
        )
    made.cut |= len(moments) > MOST
    made.timeline = nearest(moments, made.kept.alert.ts, MOST)


def nearest(moments: Iterable[Moment], ts: int, most: int) -> list[Moment]:
    """The moments around `ts` in their order; of too many, those that are furthest from it are left out."""
    close = sorted(moments, key=lambda moment: (not moment.subject, abs(moment.ts - ts)))[:most]
    return sorted(close, key=lambda moment: (moment.ts, moment.kind == "alert"))


def wording(note: Note) -> str:
    """An activity in words."""
    facts = note.facts
    failed = "" if facts.get("evt.res") in (None, "", "SUCCESS") else f" ({facts['evt.res']})"
    match note.kind:
        case "exec":
            return f"ran {facts.get('proc.cmdline') or facts.get('proc.name', '')}"
        case "fork":
            return "was made"
        case "exit":
            return "ended"
        case "read" | "write":
            return f"{'opened' if note.kind == 'read' else 'wrote'} {facts.get('fd.name', '')}{failed}"
        case "change":
            paths = [facts.get(key) for key in ("fs.path.source", "fs.path.target", "fs.path.name")]
            named = " to ".join(str(path) for path in dict.fromkeys(paths) if path)
            return f"{facts.get('evt.type', 'changed')} {named}{failed}"
        case "connection":
            return f"{facts.get('evt.type', 'connect')} {facts.get('fd.name', '')}{failed}"
        case "identity":
            return f"became {facts.get('user.name', '')}"
    return note.kind

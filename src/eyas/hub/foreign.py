"""Alerts of other detectors as ours: Falco, Tetragon, Sigma-like JSON, OCSF findings."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from eyas import alert as alerts
from eyas.alert import SECOND, Alert
from eyas.delivery import stored
from eyas.errors import UsageError

MOST_FIELDS = 1000
MOST_NESTING = 12

Body = Mapping[str, Any]

# What only we ourselves say of an alert: a sender that said it could change what is kept or go around the limits.
_OURS = ("amended", "carried", "group", "output", "status", "test", "update")

_LEVELS = {
    "critical": "Critical",
    "high": "Error",
    "medium": "Warning",
    "low": "Notice",
    "informational": "Informational",
}
# OCSF severity_id, schema.ocsf.io: 1 informational … 5 critical, 6 fatal.
_OCSF = {1: "Informational", 2: "Notice", 3: "Warning", 4: "Error", 5: "Critical", 6: "Alert"}
_EVENTS = (
    "event",
    "document",
    "matched_event",
    "matches",
    "details",
    "fields",
    "data",
)  # of a match of Sigma
_TETRAGON = (
    "process_exec",
    "process_exit",
    "process_kprobe",
    "process_tracepoint",
    "process_uprobe",
    "process_lsm",
)


def read(body: Any, form: str = "auto") -> Alert:
    """The alert of a JSON object; raises UsageError with what is missing."""
    if not isinstance(body, Mapping):
        raise UsageError(f"expected a JSON object, found {type(body).__name__}")
    kind = _kind(body) if form == "auto" else form
    try:
        return _READERS[kind](body)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise UsageError(f"not an alert of {kind}: {error}") from None


def _kind(body: Body) -> str:
    if any(name in body for name in _TETRAGON):
        return "tetragon"
    if "class_uid" in body or "finding_info" in body:
        return "ocsf"
    if "output_fields" in body or ("rule" in body and "priority" in body):
        return "falco"
    return "sigma"


def falco(body: Body) -> Alert:
    """What Falco posts; the same conditions as Falcosidekick's."""
    for name in ("priority", "rule", "time"):
        if not body.get(name):
            raise UsageError(f"'{name}' is missing")
    if not isinstance(body.get("output_fields"), Mapping) or not body["output_fields"]:
        raise UsageError("'output_fields' is empty")
    if str(body["priority"]).lower() not in (*stored.SEVERITIES, "info"):
        raise UsageError(
            f"'priority' is '{body['priority']}', expected one of {', '.join(stored.SEVERITIES)}"
        )
    made = stored.alert_of(
        {**body, "source": body.get("source") or "syscalls", "tags": _texts(body.get("tags"))}
    )
    return _known(made, body, str(body.get("uuid") or ""))


def tetragon(body: Body) -> Alert:
    """An event of Tetragon's JSON export; the policy is the rule."""
    kind = next(name for name in _TETRAGON if name in body)
    event = body[kind]
    process, parent = event.get("process") or {}, event.get("parent") or {}
    policy = event.get("policy_name") or event.get("function_name") or kind
    command = f"{process.get('binary', '')} {process.get('arguments', '')}".strip()
    pod = process.get("pod") or {}
    fields = {
        "evt.type": kind,
        "proc.pid": process.get("pid"),
        "proc.ppid": parent.get("pid"),
        "proc.name": str(process.get("binary", "")).rpartition("/")[2],
        "proc.exepath": process.get("binary"),
        "proc.cmdline": command,
        "proc.cwd": process.get("cwd"),
        "user.uid": process.get("uid"),
        "proc.aname[1]": str(parent.get("binary", "")).rpartition("/")[2],
        "proc.apid[1]": parent.get("pid"),
        "container.id": str((pod.get("container") or {}).get("id", "")).rpartition("/")[2][:12]
        or process.get("docker"),
        "container.name": (pod.get("container") or {}).get("name"),
        "k8s.pod.name": pod.get("name"),
        "k8s.ns.name": pod.get("namespace"),
        "tetragon.function": event.get("function_name"),
        "tetragon.action": event.get("action"),
        "tetragon.args": json.dumps(event["args"], sort_keys=True) if event.get("args") else None,
    }
    for arg in event.get("args") or ():
        fields |= _argument(arg)
    made = Alert(
        rule=str(policy),
        priority=_LEVELS.get(str(event.get("severity", "")).lower(), "Notice"),
        source="tetragon",
        tags=tuple(_texts(event.get("tags"))),
        ts=stored.nanoseconds(str(body["time"])) if body.get("time") else time.time_ns(),
        message=str(event.get("message") or f"{policy}: {command}"),
        fields={key: value for key, value in fields.items() if value not in (None, "")},
        hostname=str(body.get("node_name") or alerts.hostname()),
    )
    return _known(made, body)


def _argument(arg: Body) -> dict[str, Any]:
    """The file or connection that a call of the kernel was about."""
    file, link = arg.get("file_arg") or arg.get("path_arg") or {}, arg.get("sock_arg") or {}
    found = {"fd.name": file.get("path"), "fd.cip": link.get("saddr"), "fd.cport": link.get("sport")}
    found |= {"fd.sip": link.get("daddr"), "fd.sport": link.get("dport")}
    return {key: value for key, value in found.items() if value}


def sigma(body: Body) -> Alert:
    """A match of a Sigma rule, as the programs of the field write it; they agree on neither names nor their case."""
    rule = body.get("rule")
    said = {str(key).lower(): value for key, value in (rule if isinstance(rule, Mapping) else {}).items()}
    said |= {str(key).lower(): value for key, value in body.items() if value not in (None, "", [])}
    title = _first(said, "title", "rule_title", "ruletitle", "name", "rule_name")
    if not title:
        raise UsageError("neither 'title' nor 'rule.title' says which rule it was")
    event = next((it for name in _EVENTS if (it := _object(said.get(name)))), {})
    made = Alert(
        rule=str(title),
        priority=_LEVELS.get(str(_first(said, "level", "rule_level", "severity") or "").lower(), "Warning"),
        source=str(_first(said, "source", "logsource_product") or "sigma"),
        tags=tuple(_technique(tag) for tag in _texts(_first(said, "tags", "mitretags"))),
        ts=_when(_first(said, "timestamp", "@timestamp", "time")),
        message=str(_first(said, "message", "description") or title),
        fields=flat(event),
        hostname=str(_first(said, "hostname", "computer") or alerts.hostname()),
    )
    return _known(made, body, str(body.get("uuid") or ""))


def _first(said: Body, *names: str) -> Any:
    """The first of some values that is there."""
    return next((said[name] for name in names if name in said), None)


def _object(value: Any) -> Body:
    """An object, or the first of a list of them."""
    one = value[0] if isinstance(value, list) and value else value
    return one if isinstance(one, Mapping) else {}


def ocsf(body: Body) -> Alert:
    """A finding of the Open Cybersecurity Schema Framework."""
    info = body.get("finding_info") or body.get("finding") or {}
    title = info.get("title") or body.get("message") or body.get("class_name")
    if not title:
        raise UsageError("'finding_info.title' is missing")
    techniques = [
        str(((attack.get("sub_technique") or attack.get("technique")) or {}).get("uid", ""))
        for attack in (info.get("attacks") or body.get("attacks") or ())
    ]
    skipped = ("finding_info", "finding", "metadata", "raw_data", "observables")
    made = Alert(
        rule=str((info.get("analytic") or {}).get("name") or title),
        priority=_OCSF.get(int(body.get("severity_id") or 0), "Warning"),
        source=str(((body.get("metadata") or {}).get("product") or {}).get("name") or "ocsf"),
        tags=tuple(tag for tag in techniques if tag),
        ts=int(body["time"]) * 1_000_000
        if isinstance(body.get("time"), int | float)
        else _when(body.get("time_dt")),
        message=str(body.get("message") or title),
        fields=flat({key: value for key, value in body.items() if key not in skipped})
        | ({"finding_info.uid": str(info["uid"])} if info.get("uid") else {}),
        hostname=str((body.get("device") or {}).get("hostname") or alerts.hostname()),
    )
    # The uid of a finding stays the same when the finding is updated or closed: it is no name of this message.
    return _known(made, body)


_READERS: dict[str, Callable[[Body], Alert]] = {
    "falco": falco,
    "tetragon": tetragon,
    "sigma": sigma,
    "ocsf": ocsf,
}


def _known(made: Alert, body: Body, name: str = "") -> Alert:
    """The alert with its id: the sender's, or one that the same body gives again."""
    said = body.get("eyas")
    given = {k: v for k, v in said.items() if k not in _OURS} if isinstance(said, Mapping) else {}
    raw = json.dumps(body, sort_keys=True, default=str).encode("utf-8", "replace")
    name = str(given.get("id") or name or hashlib.blake2b(raw, digest_size=12).hexdigest())
    return replace(made, eyas={**given, "id": name[:200], "attack": alerts.techniques(made.tags)})


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _technique(tag: str) -> str:
    """`attack.t1059.004` is what others call T1059.004."""
    low = tag.lower()
    return low.removeprefix("attack.").upper() if low.startswith("attack.t") and low[8:9].isdigit() else tag


def _when(value: Any) -> int:
    if isinstance(value, int | float) and value > 0:
        scale = next(
            s
            for s, top in ((SECOND, 1e11), (1_000_000, 1e14), (1000, 1e17), (1, float("inf")))
            if value < top
        )
        return int(value * scale)
    return stored.nanoseconds(str(value)) if value else time.time_ns()


def flat(value: Body) -> dict[str, Any]:
    """Nested objects as fields with dotted names; lists stay lists of texts."""
    found: dict[str, Any] = {}
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    while stack and len(found) < MOST_FIELDS:
        name, at, depth = stack.pop()
        if isinstance(at, Mapping) and depth < MOST_NESTING:
            stack += [(f"{name}.{key}" if name else str(key), inner, depth + 1) for key, inner in at.items()]
        elif isinstance(at, list | Mapping):
            found[name] = json.dumps(at, sort_keys=True, default=str)[:4000]
        elif at is not None:
            found[name] = at
    return found

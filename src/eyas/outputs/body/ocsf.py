"""The alert in the Open Cybersecurity Schema Framework: a detection finding (2004), or a security finding (2001)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eyas.alert import Alert
from eyas.outputs.body import event

SEVERITIES = {
    "debug": (1, "Informational"),
    "informational": (1, "Informational"),
    "notice": (2, "Low"),
    "warning": (3, "Medium"),
    "error": (4, "High"),
    "critical": (5, "Critical"),
    "alert": (6, "Fatal"),
    "emergency": (6, "Fatal"),
}
VERSION = "1.4.0"  # of 2004
OLD_VERSION = "0.1.0"  # of 2001, which Security Lake tables of Falcosidekick have
# Kinds of observables, https://schema.ocsf.io/1.4.0/objects/observable
OBSERVABLES = {
    "container.id": (10, "Resource UID"),
    "fd.name": (45, "File Path"),
    "fd.sip": (2, "IP Address"),
    "fd.cip": (2, "IP Address"),
    "fd.rip": (2, "IP Address"),
    "proc.cmdline": (13, "Command Line"),
    "proc.exepath": (45, "File Path"),
    "proc.name": (9, "Process Name"),
    "proc.pid": (15, "Process ID"),
    "user.name": (4, "User Name"),
}


def detection(alert: Alert) -> dict[str, Any]:
    """A detection finding, class 2004."""
    number, name = severity(alert)
    found = event.texts(alert)
    made: dict[str, Any] = {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": milliseconds(alert),
        "severity_id": number,
        "severity": name,
        "status_id": 1,
        "status": "New",
        "message": event.output(alert),
        "finding_info": _info(alert),
        "metadata": _metadata(alert, VERSION, "Eyas", "Eyas")
        | {"uid": event.identity(alert), "log_name": event.source(alert)},
        "observables": _typed(alert),
        "raw_data": event.event_json(alert).decode(),
        "unmapped": event.fields(alert),
    }
    optional = {
        "device": _device(alert),
        "evidences": _evidences(found),
        "resources": _resources(found),
    }
    return made | {key: value for key, value in optional.items() if value} | _growth(alert)


def _growth(alert: Alert) -> dict[str, Any]:
    """How often it happened; news of an alert are an update of its finding."""
    group = alert.eyas.get("group")
    if not alert.eyas.get("update") or not isinstance(group, Mapping):
        return {}
    first, last = int(group["first"]) // 10**6, int(group["last"]) // 10**6
    lead = str(alert.eyas["id"]).rpartition(":")[0]
    info = _info(alert) | {"uid": event.identity(replace(alert, eyas={"id": lead}))}
    return {
        "activity_id": 2,
        "activity_name": "Update",
        "type_uid": 200402,
        "type_name": "Detection Finding: Update",
        "count": int(group["count"]),
        "start_time": first,
        "end_time": last,
        "finding_info": info | {"first_seen_time": first, "last_seen_time": last},
    }


def finding(alert: Alert) -> dict[str, Any]:
    """A security finding, class 2001, as Falcosidekick writes it to Security Lake."""
    number, name = severity(alert)
    return {
        "activity_id": 1,
        "activity_name": "Generate",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Security Finding",
        "class_uid": 2001,
        "finding": {
            "created_time": milliseconds(alert),
            "desc": event.output(alert),
            "title": event.plain(alert.rule),
            "types": [event.source(alert)],
            "uid": event.identity(alert),
        },
        "message": event.plain(alert.rule),
        "metadata": _metadata(alert, OLD_VERSION, "Falco", "Falcosecurity"),
        "observables": _plain(alert),
        "raw_data": event.event_json(alert).decode(),
        "severity": name,
        "severity_id": number,
        "state": "New",
        "state_id": 1,
        "status": event.priority(alert),
        "time": milliseconds(alert),
        "type_name": "Security Finding: Generate",
        "type_uid": 200101,
    }


def severity(alert: Alert) -> tuple[int, str]:
    """Number and name of a priority."""
    return SEVERITIES.get(alert.priority.lower(), (0, "Unknown"))


def milliseconds(alert: Alert) -> int:
    """Time as the schema counts it."""
    return alert.ts // 10**6


def _metadata(alert: Alert, version: str, product: str, vendor: str) -> dict[str, Any]:
    return {
        "labels": event.tags(alert),
        "product": {"name": product, "vendor_name": vendor},
        "version": version,
    }


def _info(alert: Alert) -> dict[str, Any]:
    info: dict[str, Any] = {
        "uid": event.identity(alert),
        "title": event.plain(alert.rule),
        "desc": event.output(alert),
        "types": [event.source(alert)],
        "created_time": milliseconds(alert),
        "analytic": {"name": event.plain(alert.rule), "type_id": 1, "type": "Rule"},
    }
    tactics = [tag.removeprefix("mitre_") for tag in event.tags(alert) if tag.startswith("mitre_")]
    attacks = [{"technique": {"uid": uid}} for uid in alert.eyas.get("attack", ())]
    attacks += [{"tactic": {"name": name.replace("_", " ").title()}} for name in tactics]
    return info | {"attacks": attacks} if attacks else info


def _device(alert: Alert) -> dict[str, Any]:
    return {"hostname": event.plain(alert.hostname), "type_id": 0} if alert.hostname else {}


def _evidences(found: dict[str, str]) -> list[dict[str, Any]]:
    """The process and the file, as far as they are known; a process without a number is none to the schema."""
    made: dict[str, Any] = {}
    pid = found.get("proc.pid", "")
    if pid.isascii() and pid.isdigit() and len(pid) < 10:
        made["process"] = _process(int(pid), found)
    if found.get("fd.name", "").startswith("/"):
        made["file"] = _file(found["fd.name"])
    return [made] if made else []


def _process(pid: int, found: dict[str, str]) -> dict[str, Any]:
    made = {
        "pid": pid,
        "name": found.get("proc.name"),
        "cmd_line": found.get("proc.cmdline"),
        "file": _file(found["proc.exepath"]) if found.get("proc.exepath") else None,
        "user": {"name": found["user.name"]} if found.get("user.name") else None,
    }
    return {key: value for key, value in made.items() if value is not None}


def _file(path: str) -> dict[str, Any]:
    return {"name": path.rpartition("/")[2] or path, "path": path, "type_id": 0}


def _resources(found: dict[str, str]) -> list[dict[str, Any]]:
    made = []
    if "container.id" in found and found["container.id"] != "host":
        name = {"name": found["container.name"]} if "container.name" in found else {}
        made.append({"type": "container", "uid": found["container.id"], **name})
    if "k8s.pod.name" in found:
        space = {"namespace": found["k8s.ns.name"]} if "k8s.ns.name" in found else {}
        made.append({"type": "pod", "name": found["k8s.pod.name"], **space})
    return made


def _typed(alert: Alert) -> list[dict[str, Any]]:
    own = [{"name": "hostname", "type_id": 1, "type": "Hostname", "value": event.plain(alert.hostname)}]
    found = [
        {"name": name, "type_id": OBSERVABLES[name][0], "type": OBSERVABLES[name][1], "value": value}
        for name, value in event.texts(alert).items()
        if name in OBSERVABLES and value
    ]
    return (own if alert.hostname else []) + found


def _plain(alert: Alert) -> list[dict[str, Any]]:
    values = {"hostname": event.plain(alert.hostname)} if alert.hostname else {}
    values |= event.texts(alert)
    return [{"name": name, "type": "Other", "type_id": 0, "value": value} for name, value in values.items()]

"""What an alert is about: the fields that tell "the same thing again", and those that a trail follows."""

from __future__ import annotations

from typing import Any

from eyas.alert import Alert

ANCESTORS = 12

# Fields that together name one thing, for each source. What an alert lacks is left out of its identity.
KEYS: dict[str, tuple[str, ...]] = {
    "syscall": ("container.id", "proc.exepath", "proc.name", "user.uid", "fd.name"),
    "tetragon": ("container.id", "proc.exepath", "user.uid", "tetragon.function", "tetragon.args"),
    "aws_cloudtrail": ("ct.user.arn", "ct.user", "ct.srcip", "ct.name", "ct.region", "ct.error"),
    "k8s_audit": ("ka.user.name", "ka.verb", "ka.target.namespace", "ka.target.resource", "ka.target.name"),
    "okta": ("okta.actor.alternateid", "okta.client.ip", "okta.evt.type", "okta.target.user.id"),
    "github": ("github.user", "github.repo", "github.type", "github.action"),
    "gcp_auditlog": ("gcp.user", "gcp.callerIP", "gcp.methodName", "gcp.resourceName"),
}

# Where something happened; this alone does not tell what.
_PLACES = ("container.id", "ct.region")
# Another name for the same thing, asked when an alert does not say the first: those of other detectors say little.
_ELSE = {
    "container.id": ("container.name", "k8s.pod.name"),
    "proc.exepath": ("proc.exe", "proc.cmdline"),
    "proc.name": ("proc.cmdline",),
    "user.uid": ("user.name",),
    "ct.user.arn": ("ct.user.principalid",),
}
_ALIASES = {"syscalls": "syscall"}

# What a match brings along beside its output, so that a trail needs nothing but the store.
CARRIED: tuple[str, ...] = (
    *(
        "evt.type",
        "proc.pid",
        "proc.ppid",
        "proc.pid.ts",
        "proc.name",
        "proc.exepath",
        "proc.cmdline",
        "proc.cwd",
    ),
    *("proc.tty", "proc.sid", "user.name", "user.uid", "user.loginname", "user.loginuid"),
    *("eyas.login.address", "eyas.login.terminal"),
    *("container.id", "container.name", "container.image.repository", "k8s.pod.name", "k8s.ns.name"),
    *("fd.name", "fd.typechar", "fd.rip", "fd.rport", "fd.cip", "fd.sip", "fd.sport"),
    *(f"proc.{what}[{n}]" for n in range(1, ANCESTORS + 1) for what in ("apid", "aname", "acmdline")),
    *(
        "ct.user.arn",
        "ct.user",
        "json.value[/userIdentity/accessKeyId]",
        "ct.user.principalid",
        "ct.srcip",
        "ct.name",
        "ct.region",
    ),
    *("ct.error", "ct.src", "ct.user.identitytype", "ct.useragent", "ct.readonly", "s3.bucket", "s3.key"),
    *(
        "ka.user.name",
        "ka.verb",
        "ka.target.namespace",
        "ka.target.resource",
        "ka.target.name",
        "ka.sourceips",
    ),
    *(
        "okta.actor.alternateid",
        "okta.client.ip",
        "okta.evt.type",
        "okta.authentication.sessionid",
    ),
    *("okta.target.user.id", "okta.client.geo.city", "okta.client.geo.country"),
    *("github.user", "github.repo", "github.type", "github.action", "github.org"),
    *("gcp.user", "gcp.callerIP", "gcp.methodName", "gcp.resourceName", "gcp.serviceName"),
)


def said(alert: Alert, name: str) -> Any:
    """What an alert says about a field, in its output or beside it."""
    value = alert.fields.get(name)
    if value is None:
        carried = alert.eyas.get("carried")
        value = carried.get(name) if isinstance(carried, dict) else None
    return value


def keys_of(alert: Alert, wanted: tuple[str, ...] | None) -> dict[str, str]:
    """Names and values that tell one thing from another."""
    if wanted is not None:
        return _texts({name: said(alert, name) for name in wanted})
    names = KEYS.get(_ALIASES.get(alert.source, alert.source), ())
    found = _texts({name: _known(alert, name) for name in names})
    if all(name in _PLACES for name in found):
        # All that is known is where it was, if that: the text itself is what repeats.
        return found | {"message": alert.message}
    return found


def _known(alert: Alert, name: str) -> Any:
    return next(
        (v for one in (name, *_ELSE.get(name, ())) if (v := said(alert, one)) not in (None, "")), None
    )


def _texts(found: dict[str, Any]) -> dict[str, str]:
    return {name: _text(name, value) for name, value in found.items() if value is not None}


def workload(alert: Alert) -> str:
    """Whose noise it is: pod, container, cloud principal or machine."""
    for name in (
        "k8s.pod.name",
        "container.id",
        "ct.user.arn",
        "ka.user.name",
        "okta.actor.alternateid",
        "github.user",
    ):
        value = said(alert, name)
        if value not in (None, "", "host"):
            return f"{name}={value}"
    return f"host={alert.hostname}"


def _text(name: str, value: Any) -> str:
    """A connection without the port of its client, which differs each time."""
    text = str(value)
    if name == "fd.name" and "->" in text and not text.startswith("/"):
        return text.partition("->")[2]
    return text

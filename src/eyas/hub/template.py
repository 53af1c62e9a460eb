"""Templates of people over an alert, in a sandbox: they read fields and format text, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from eyas.alert import Alert, iso8601
from eyas.errors import UsageError

# What a template can name.
NAMES = ("rule", "priority", "source", "tags", "time", "message", "hostname", "fields", "id", "count")
LONGEST = 20_000


@lru_cache(maxsize=128)
def compiled(text: str, where: str = "template") -> Any:
    """Compile a template; raises UsageError with its line, also for what the sandbox would refuse later."""
    from eyas.hub import sandbox  # loaded when somebody has a template

    return sandbox.compiled(text, where, NAMES)


def render(text: str, alert: Alert) -> str:
    """The text of a template over an alert."""
    from eyas.hub import sandbox

    made = compiled(text)
    try:
        parts: list[str] = []
        size = 0
        for part in made.generate(**words(alert), fields=sandbox.Fields(alert.fields)):
            size += len(part)
            if size > LONGEST:
                raise UsageError(f"template: more than {LONGEST} characters came out")
            parts.append(part)
        return "".join(parts)
    except sandbox.TemplateError as error:
        raise UsageError(f"template: {error}") from None
    except Exception as error:  # what a template does with values is its own
        raise UsageError(f"template: {type(error).__name__}: {error}") from None


def words(alert: Alert) -> dict[str, Any]:
    """What a template can name, apart from the fields."""
    return {
        "rule": alert.rule,
        "priority": alert.priority,
        "source": alert.source,
        "tags": list(alert.tags),
        "time": iso8601(alert.ts, "Z"),
        "message": alert.message,
        "hostname": alert.hostname,
        "id": alert.eyas.get("id", ""),
        "count": (alert.eyas.get("group") or {}).get("count", 1),
    }


def applied(text: str, alert: Alert) -> Alert:
    """The alert with the template's text as its message."""
    return replace(alert, message=render(text, alert)) if text else alert

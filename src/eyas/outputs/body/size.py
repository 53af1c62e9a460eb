"""An alert made shorter for a receiver that does not take long messages: it arrives, with its longest values cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from eyas.alert import Alert
from eyas.outputs.body import event
from eyas.outputs.body.markup import cut

# Characters of a value and number of fields, step by step until the message fits.
STEPS = ((16_384, 1000), (2048, 500), (512, 200), (128, 50), (32, 20))


def shorter(alert: Alert) -> Iterator[Alert]:
    """The alert, each time shorter; `eyas.cut` names what was cut or left out. The store keeps it whole."""
    for longest, most in STEPS:
        yield _cut(alert, longest, most)


def _cut(alert: Alert, longest: int, most: int) -> Alert:
    names = [name for name, value in alert.fields.items() if _length(value) > longest]
    kept = dict(sorted(alert.fields.items(), key=lambda item: _length(item[1]))[:most])
    fields = {name: _short(value, longest) for name, value in alert.fields.items() if name in kept}
    gone = sorted({*names, *(alert.fields.keys() - kept.keys())})
    told = [cut(str(name), longest) for name in gone[:most]] or ["output"]
    return replace(
        alert,
        rule=cut(alert.rule, longest),
        source=cut(alert.source, longest),
        hostname=cut(alert.hostname, longest),
        tags=tuple(cut(tag, longest) for tag in alert.tags[:most]),
        message=cut(alert.message, 2 * longest),
        fields={cut(str(name), longest): value for name, value in fields.items()},
        eyas={**_own(alert, longest), "cut": told},
    )


def _own(alert: Alert, longest: int) -> dict[str, Any]:
    return {name: value for name, value in alert.eyas.items() if _length(value) <= 2 * longest}


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return len(event.text(value)) if isinstance(value, bytes | dict | list | tuple) else 0


def _short(value: Any, longest: int) -> Any:
    return cut(event.text(event.plain(value)), longest) if _length(value) > longest else value

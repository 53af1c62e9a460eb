"""What is added to every alert on its way out: the fixed and computed fields, tags and text of Falcosidekick."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from eyas.alert import SECOND, Alert, iso8601
from eyas.outputs.body import headline
from eyas.outputs.settings import Shared


def enriched(alert: Alert, shared: Shared) -> Alert:
    """The alert with what the configuration adds."""
    custom = {key: _fixed(value) for key, value in shared.customfields.items()}
    computed = {key: headline.render(text, alert, str) for key, text in shared.templatedfields.items()}
    fields: dict[str, Any] = {**alert.fields, **custom, **computed}
    if shared.bracketreplacer:
        fields = {_unbracketed(key, shared.bracketreplacer): value for key, value in fields.items()}
    if not (custom or computed or shared.customtags or shared.bracketreplacer or shared.outputfieldformat):
        return alert
    return replace(
        alert,
        fields=fields,
        tags=tuple(sorted({*alert.tags, *shared.customtags})),
        message=_text(alert, shared, custom, computed),
    )


def _fixed(value: str) -> str:
    """A value that begins with `%` names a variable of the environment."""
    return os.environ.get(value[1:], "") if value.startswith("%") else value


def _unbracketed(key: str, instead: str) -> str:
    return key.replace("[", instead).replace("]", "")


def _text(alert: Alert, shared: Shared, custom: dict[str, str], computed: dict[str, str]) -> str:
    if not shared.outputfieldformat:
        return alert.message
    words = {
        "<timestamp>": iso8601(alert.ts // SECOND * SECOND, "Z"),
        "<priority>": alert.priority,
        "<output>": alert.message,
        "<custom_fields>": " ".join(f"{key}={value}" for key, value in sorted(custom.items())),
        "<templated_fields>": " ".join(f"{key}={value}" for key, value in sorted(computed.items())),
        "<tags>": ", ".join(sorted({*alert.tags, *shared.customtags})),
    }
    text = shared.outputfieldformat
    for word, value in words.items():
        text = text.replace(word, value)
    return text

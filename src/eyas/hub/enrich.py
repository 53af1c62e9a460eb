"""What is added to every alert on its way out: the fixed and computed fields, tags and text of Falcosidekick."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from eyas.alert import Alert
from eyas.outputs.body import event, headline
from eyas.outputs.settings import Shared

# One pass over the format, so that what an alert says is not filled in again.
_WORD = re.compile(r"<[a-z_]+>")


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
        eyas=_worded(alert, shared, custom, computed),
    )


def _fixed(value: str) -> str:
    """A value that begins with `%` names a variable of the environment."""
    return os.environ.get(value[1:], "") if value.startswith("%") else value


def _unbracketed(key: str, instead: str) -> str:
    return key.replace("[", instead).replace("]", "")


def _worded(alert: Alert, shared: Shared, custom: dict[str, str], computed: dict[str, str]) -> dict[str, Any]:
    """What is ours, with the whole text of the output if its format is set."""
    if not shared.outputfieldformat:
        return dict(alert.eyas)
    clock, priority, _ = event.output(alert).split(" ", 2)
    words = {
        "<timestamp>": clock.removesuffix(":"),
        "<priority>": priority,
        "<output>": alert.message,
        "<custom_fields>": " ".join(f"{key}={value}" for key, value in custom.items()),
        "<templated_fields>": " ".join(f"{key}={value}" for key, value in computed.items()),
        "<tags>": ",".join(sorted({*alert.tags, *shared.customtags})),
    }
    text = _WORD.sub(lambda word: words.get(word[0], word[0]), shared.outputfieldformat)
    for empty in (" ", "( )", "()", " "):
        text = text.removesuffix(empty)
    return {**alert.eyas, "output": text}

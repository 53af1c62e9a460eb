"""Events of the table as verbs: parameters by name, results, and verbs that are one event."""

from __future__ import annotations

import difflib
import functools

from eyas import catalog
from eyas.scene.cast import Process
from eyas.scene.script import Line, SceneError
from eyas.scene.stage import Params, Stage, Verb
from eyas.scene.wording import expect_settings_only, given


@functools.cache
def parameters(event: str) -> tuple[str, ...]:
    """Names of the parameters of the current form of an event."""
    rows = [one for one in catalog.load().events if one.name == event and one.status == "current"]
    return tuple(name for name, _ in max(rows, key=lambda one: len(one.params)).params) if rows else ()


def checked(event: str, line: Line, params: Params) -> Params:
    """The parameters, when the event has all that the line names."""
    names = parameters(event)
    for key, word in line.settings.items():
        if key not in names and key != "fails":
            near = difflib.get_close_matches(key, names, 1, 0.6)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(names) or 'none'}"
            raise SceneError(word.offset, f"`{event}` has no parameter `{key}`", hint)
    return params


def happen(stage: Stage, actor: Process, event: str, params: Params) -> None:
    """Emit an event; `fails=ENOENT` becomes its result, a call that opens something gets a number."""
    result = "fd" if parameters(event)[:1] == ("fd",) else "res"
    failure = params.pop("fails", None)
    if failure is not None:
        params[result] = failure
    elif result == "fd" and "fd" not in params:
        params["fd"] = actor.new_fd()
    stage.emit(actor, event, **params)


def one_event(usage: str, event: str, *names: str, **fixed: str) -> Verb:
    """A verb that is one event whose first parameters need no names; `usage` tells a person how it is written."""

    def act(stage: Stage, actor: Process, line: Line) -> None:
        if len(line.plain) > len(names):
            raise SceneError(line.plain[len(names)].offset, f"`{line.verb.text}` takes {' '.join(names)}")
        words = {name: word.text for name, word in zip(names, line.plain, strict=False)}
        happen(stage, actor, event, checked(event, line, {**fixed, **words, **given(line)}))

    act.__doc__ = f"`{usage}`: event `{event}`."
    return act


def raw(name: str) -> Verb | None:
    """The verb that is an event of the table with all parameters by name; None when there is no such event."""
    if all(one.name != name or one.status != "current" for one in catalog.load().events):
        return None

    def act(stage: Stage, actor: Process, line: Line) -> None:
        expect_settings_only(line)
        happen(stage, actor, name, checked(name, line, given(line)))

    return act

"""A scene on film: its lines are played and written as a capture, in memory or to a file."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from eyas import _core, catalog
from eyas.scene.cast import Container, Process
from eyas.scene.script import Line, SceneError, Word, read
from eyas.scene.stage import CONTAINER_PLUGIN, START, Happening, Params, Stage
from eyas.scene.verbs import VERBS, event

_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


def perform(text: str) -> Stage:
    """Play a scene; raises `SceneError`."""
    stage = Stage()
    for line in read(text):
        stage.offset = line.verb.offset
        _play(stage, line)
    return stage


def film(stage: Stage, path: Path | None = None) -> bytes:
    """Write what was played as a capture; without a path its bytes are returned. Raises `SceneError`."""
    writer = _core.CaptureWriter(str(path) if path else None)
    try:
        writer.snapshot(json.dumps(stage.cast.snapshot()).encode())
    except _core.CoreError as error:
        raise SceneError(0, str(error)) from None
    for container in stage.cast.containers.values():
        _introduce(writer, container, stage.cast.users)
    for happening in stage.happenings:
        _write(writer, happening)
    return writer.close() or b""


def _introduce(writer: _core.CaptureWriter, container: Container, users: dict[str, int]) -> None:
    """Tell what a runtime knows of a container, and who its users are."""
    data = json.dumps({"container": container.json()}) + "\0"
    writer.event(
        "asyncevent", START - 1, 1, {"plugin_id": CONTAINER_PLUGIN, "name": "container", "data": data}
    )
    for name, uid in users.items():
        user: Params = {"uid": uid, "gid": uid, "name": name, "home": "/", "shell": "/bin/sh"}
        writer.event("useradded", START - 1, 1, {**user, "container_id": container.full_id[:12]})


def _write(writer: _core.CaptureWriter, happening: Happening) -> None:
    try:
        writer.event(happening.name, happening.ts, happening.tid, happening.params)
    except (_core.CoreError, UnicodeEncodeError, OverflowError) as error:
        raise SceneError(happening.offset, str(error)) from None


def _play(stage: Stage, line: Line) -> None:
    if line.verb.text == "container":
        _container(stage, line)
        return
    verb = VERBS.get(line.verb.text) or event.raw(line.verb.text)
    if verb is None:
        raise _unknown(line.verb)
    actor = _actor(stage, line)
    verb(stage, actor, line)
    actor.acted = line.verb.text != "is"


def _unknown(verb: Word) -> SceneError:
    events = [one.name for one in catalog.load().events]
    near = difflib.get_close_matches(verb.text, [*VERBS, *events], 1, 0.6)
    verbs = f"one of {', '.join(VERBS)}, or an event of `eyas events`"
    return SceneError(
        verb.offset, f"nothing is called `{verb.text}`", f"did you mean `{near[0]}`?" if near else verbs
    )


def _container(stage: Stage, line: Line) -> None:
    """`NAME container image=REPOSITORY:TAG privileged=yes`."""
    container = stage.cast.container(line.who.text)
    for key, word in line.settings.items():
        if key == "image":
            container.image = word.text
        elif key == "privileged" and word.text in _TRUTH:
            container.privileged = _TRUTH[word.text]
        else:
            raise SceneError(
                word.offset, f"a container has no `{word.whole}`", "image=NAME:TAG, privileged=yes"
            )


def _actor(stage: Stage, line: Line) -> Process:
    """The process that a line speaks of; one that is named first here was there before the scene."""
    cast = stage.cast
    if line.number in cast.processes and line.number is not None:
        known = cast.processes[line.number]
        if known.comm != line.who.text:
            raise SceneError(line.who.offset, f"process {line.number} is called {known.comm} here")
        return known
    parent: Process | None = None
    *above, last = line.who.text.split(">")
    for name in above:
        parent = _found(stage, name, parent, line.who)
    known_last = cast.named(last, parent) if line.number is None else None
    return known_last or cast.enter(last, parent, line.number)


def _found(stage: Stage, name: str, parent: Process | None, word: Word) -> Process:
    if not name:
        raise SceneError(word.offset, f"`{word.text}` is not a process", "write PARENT>CHILD")
    return stage.cast.named(name, parent) or stage.cast.enter(name, parent)

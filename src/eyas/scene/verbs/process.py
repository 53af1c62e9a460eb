"""What processes do to themselves and their children."""

from __future__ import annotations

from eyas.scene.cast import Process, program_path, short_name
from eyas.scene.script import Line, SceneError, Word
from eyas.scene.stage import Stage
from eyas.scene.verbs.event import checked, happen
from eyas.scene.wording import expect_settings_only, flags, given, listed, needed, number

_LAYERS = {
    "writable": "EXE_WRITABLE",
    "upper": "EXE_UPPER_LAYER",
    "lower": "EXE_LOWER_LAYER",
    "memfd": "EXE_FROM_MEMFD",
}


def be(stage: Stage, actor: Process, line: Line) -> None:
    """`is KEY=VALUE…`: describes a process that was there before the scene."""
    if actor.acted:
        raise SceneError(line.verb.offset, f"{actor.comm} has acted already; `is` comes first")
    expect_settings_only(line)
    for key, word in line.settings.items():
        _describe(stage, actor, key, word)
    stage.cast.initial[actor.tid] = actor.record()


def _describe(stage: Stage, actor: Process, key: str, word: Word) -> None:
    match key:
        case "in":
            stage.cast.move(actor, stage.cast.container(word.text))
        case "user":
            actor.uid = actor.gid = _user(stage, word)
        case "login":
            actor.loginuid = _user(stage, word)
        case "exe" | "exepath":
            actor.exepath = word.text
        case "args" | "env":
            setattr(actor, key, listed(word))
        case "cwd":
            actor.cwd = word.text
        case "tty" | "sid" | "vpid":
            setattr(actor, key, number(word))
        case "parent":
            actor.parent = stage.cast.named(word.text) or stage.cast.enter(word.text, None)
        case _:
            known = "in, user, login, exe, args, env, cwd, tty, sid, vpid, parent"
            raise SceneError(word.offset, f"a process has no `{key}`", f"one of {known}")


def _user(stage: Stage, word: Word) -> int:
    """A user by name or number."""
    return number(word) if word.text.isdecimal() else stage.cast.uid(word.text)


def spawn(stage: Stage, actor: Process, line: Line) -> None:
    """`spawn KEY=VALUE… PROGRAM ARGUMENTS…`: a child that runs a program."""
    settings, command = _command(line)
    tid = number(settings.pop("child")) if "child" in settings else None
    _run(stage, stage.fork(actor, tid), settings, command)


def execute(stage: Stage, actor: Process, line: Line) -> None:
    """`exec KEY=VALUE… PROGRAM ARGUMENTS…`: the process runs another program."""
    settings, command = _command(line)
    _run(stage, actor, settings, command)


def _command(line: Line) -> tuple[dict[str, Word], list[Word]]:
    """Settings in front of a program, and the program with its arguments."""
    words = list(line.rest)
    settings: dict[str, Word] = {}
    while words and words[0].key:
        word = words.pop(0)
        settings[word.key] = word
    if not words:
        raise SceneError(
            line.verb.offset, f"`{line.verb.text}` needs a program", "for example `spawn /bin/sh -c id`"
        )
    return settings, words


def _run(stage: Stage, one: Process, settings: dict[str, Word], command: list[Word]) -> None:
    failure = settings.pop("fails", None)
    layers = settings.pop("layer", None)
    exepath, argv0 = settings.pop("exepath", None), settings.pop("argv0", command[0])
    for key, word in settings.items():
        _describe(stage, one, key, word)
    program = command[0].text
    if failure is None:
        one.exe, one.args = argv0.text, [word.whole for word in command[1:]]
        one.comm = short_name(program)
        one.exepath = exepath.text if exepath else program_path(program, one.cwd)
    stage.exec(one, program, flags(layers, _LAYERS) if layers else "", failure.text if failure else "")


def clone(stage: Stage, actor: Process, line: Line) -> None:
    """`clone child=TID [flags=…]`: another process, or another thread with `flags=CLONE_THREAD`."""
    settings = line.settings
    child = number(settings["child"]) if "child" in settings else None
    stage.fork(actor, child, settings["flags"].text if "flags" in settings else "")


def end(stage: Stage, actor: Process, line: Line) -> None:
    """`exit`: the process ends."""
    actor.alive = False
    happen(stage, actor, "procexit", checked("procexit", line, given(line)))


def become(stage: Stage, actor: Process, line: Line) -> None:
    """`become USER`: setuid."""
    word = needed(line, 0, "a user")
    uid = _user(stage, word)
    if "fails" not in line.settings:
        actor.uid = uid
    happen(stage, actor, "setuid", {"uid": uid, **given(line)})


def wait(stage: Stage, _actor: Process, line: Line) -> None:
    """`wait 5s`: time passes."""
    text = needed(line, 0, "a time such as 5s").text
    for unit, nanoseconds in (("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9), ("h", 3600 * 10**9)):
        if text.removesuffix(unit).isdecimal() and len(text) <= 9:
            stage.now += int(text.removesuffix(unit)) * nanoseconds
            return
    raise SceneError(line.rest[0].offset, f"`{text}` is not a time", "write 100ms, 5s, 2m or 1h")

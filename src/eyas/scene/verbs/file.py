"""What processes do with files."""

from __future__ import annotations

from eyas.scene.cast import Process
from eyas.scene.script import Line, SceneError, Word
from eyas.scene.stage import Stage
from eyas.scene.verbs.event import checked, happen
from eyas.scene.wording import flags, given, needed

_MODES = {
    "read": "O_RDONLY",
    "write": "O_WRONLY",
    "both": "O_RDWR",
    "create": "O_WRONLY|O_CREAT|O_F_CREATED",
    "append": "O_WRONLY|O_APPEND",
    "truncate": "O_WRONLY|O_TRUNC",
    "directory": "O_RDONLY|O_DIRECTORY",
}


def open_file(stage: Stage, actor: Process, line: Line) -> None:
    """`open PATH [read|write|both|create|append|truncate|directory]`."""
    path = needed(line, 0, "a path").text
    modes = line.plain[1:] or [Word("read", 0)]
    chosen = "|".join(flags(mode, _MODES) for mode in modes)
    mode = 0o644 if "O_CREAT" in chosen else 0
    params = {"dirfd": "AT_FDCWD", "name": path, "flags": chosen, "mode": mode, **given(line)}
    happen(stage, actor, "openat", checked("openat", line, params))


def chmod(stage: Stage, actor: Process, line: Line) -> None:
    """`chmod PATH MODE`: the mode is octal, such as 4755."""
    mode = needed(line, 1, "a mode such as 4755")
    if not mode.text or set(mode.text) - set("01234567"):
        raise SceneError(mode.offset, f"`{mode.text}` is not an octal mode", "write 644 or 4755")
    params = {"dirfd": "AT_FDCWD", "filename": line.plain[0].text, "mode": int(mode.text, 8), **given(line)}
    happen(stage, actor, "fchmodat", checked("fchmodat", line, params))

"""What a process can do in a scene, by verb. Any event of the table is a verb too: see `event.raw`."""

from eyas.scene.stage import Verb
from eyas.scene.verbs import event, file, network, process

VERBS: dict[str, Verb] = {
    "is": process.be,
    "spawn": process.spawn,
    "exec": process.execute,
    "clone": process.clone,
    "exit": process.end,
    "wait": process.wait,
    "open": file.open_file,
    "connect": network.connect,
    "listen": network.listen,
    "accept": network.accept,
    "send": network.send,
    "dup": network.duplicate,
    "become": process.become,
    "delete": event.one_event("delete PATH", "unlinkat", "name", dirfd="AT_FDCWD"),
    "rename": event.one_event(
        "rename OLD NEW", "renameat2", "oldpath", "newpath", olddirfd="AT_FDCWD", newdirfd="AT_FDCWD"
    ),
    "link": event.one_event(
        "link OLD NEW", "linkat", "oldpath", "newpath", olddir="AT_FDCWD", newdir="AT_FDCWD"
    ),
    "symlink": event.one_event(
        "symlink TARGET PATH", "symlinkat", "target", "linkpath", linkdirfd="AT_FDCWD"
    ),
    "chmod": file.chmod,
    "mkdir": event.one_event("mkdir PATH", "mkdirat", "path", dirfd="AT_FDCWD"),
    "mount": event.one_event("mount DEVICE FOLDER TYPE", "mount", "dev", "dir", "type"),
    "chdir": event.one_event("chdir PATH", "chdir", "path"),
}

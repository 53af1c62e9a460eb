"""Whatever a scene says, it is played or refused with its place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eyas import catalog, scene
from eyas.scene import SceneError
from eyas.scene.verbs import VERBS

WORDS = st.sampled_from(
    [
        *VERBS, "container", "execve", "ptrace", "clone3", "poll", "setsockopt", "mount", "init_module", "11", "bash", "a>b",
        "/x", "1.2.3.4:80", "[::1]:80", "last", "4755", "create", "read|write", "5s", "99999999999999999999h", "-1",
        "in=web", "user=root", "user=-5", "tty=0x1", "tty=99999999999999999999", "env=[A=b, c]", "args=[", "fd=3", "fd=x",
        "flags=O_RDWR", "flags=CLONE_THREAD", "child=0", "child=1", "child=5000000000", "fails=ENOENT", "fails=nope", "res=3",
        "layer=upper", "'", '"', '"a\\"', "#", "data=x", "privileged=yes", "image=:", "parent=bash", "vpid=0", "sid=-9",
        "fds=[3:1, 4]", "tuple=x->y", "addr=1", "exepath=", "argv0=", "=", "\x00", "é", "reaper_tid=1",
    ]
)  # fmt: skip
SCENES = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=6).map("\n".join)


@settings(max_examples=400, deadline=None)
@given(SCENES | st.text(max_size=80))
def test_a_scene_is_played_or_refused(text: str) -> None:
    try:
        assert scene.film(scene.perform(text))
    except SceneError as error:
        assert 0 <= error.offset <= len(text)
        assert str(error)


def test_every_event_of_the_table_is_a_verb() -> None:
    for event in catalog.load().events:
        if event.status == "current" and event.id % 2 and event.name not in VERBS:
            scene.film(scene.perform(f"bash {event.name}"))

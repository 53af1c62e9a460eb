"""Scenes: short text in, events out, faults with their place."""

import pytest

from eyas import catalog, rules, scene
from eyas.rules import document
from eyas.scene import SceneError

ANY = """
- rule: seen
  desc: d
  condition: evt.type != asyncevent and evt.type != useradded
  output: "%evt.type %proc.name %proc.pname %thread.tid %fd.name %evt.args"
  priority: DEBUG
  warn_evttypes: false
"""


def seen(text: str, output: str = "%evt.type %proc.name %proc.pname %fd.name") -> list[str]:
    source = ANY.replace("%evt.type %proc.name %proc.pname %thread.tid %fd.name %evt.args", output)
    loaded = rules.load_documents([document.parse("any.yaml", source)], catalog.load(), rules.Settings())
    return [alert.message for alert in scene.alerts(text, loaded.rules)]


def fault(text: str) -> tuple[int, str, str]:
    with pytest.raises(SceneError) as caught:
        scene.film(scene.perform(text))
    return caught.value.offset, str(caught.value), caught.value.hint


def test_a_process_that_is_named_first_was_there_before() -> None:
    assert seen("bash open /etc/passwd") == ["openat bash systemd /etc/passwd"]


def test_a_chain_of_names_is_a_tree() -> None:
    assert seen("sshd>bash>vi open /x", "%proc.name %proc.pname %proc.aname[2]") == ["vi bash sshd"]


def test_a_child_has_the_name_of_its_program() -> None:
    lines = seen("nginx spawn /bin/sh -c id\nsh open /x")
    assert lines[-2:] == ["execve sh nginx <NA>", "openat sh nginx /x"]


def test_arguments_keep_quotes_and_equal_signs() -> None:
    assert seen('a spawn dd if=/dev/zero "of=a b"', "%proc.cmdline")[-1] == "dd if=/dev/zero of=a b"


def test_a_number_names_a_thread() -> None:
    lines = seen(
        "10 httpd clone child=11\n11 httpd exec /bin/sh -c id", "%evt.type %thread.tid %proc.name %proc.ppid"
    )
    assert lines == ["clone 10 httpd 1", "clone 11 httpd 10", "execve 11 sh 10"]


def test_a_process_of_a_container_knows_its_image() -> None:
    text = "web container image=nginx:1.25\nnginx is in=web user=www-data\nnginx open /x"
    assert seen(text, "%container.name %container.image.repository %user.name") == ["web nginx www-data"]


def test_a_failed_call_has_its_error() -> None:
    assert seen("cat open /etc/shadow fails=EACCES", "%evt.res %fd.name") == ["EACCES /etc/shadow"]


def test_any_event_is_a_verb_with_parameters_by_name() -> None:
    assert seen("x ptrace request=PTRACE_ATTACH pid=7", "%evt.arg.request %evt.arg.pid")[0].startswith(
        "PTRACE_ATTACH"
    )


def test_comments_and_empty_lines_are_left_out() -> None:
    assert seen("\n# nothing\nbash open /x # here\n") == ["openat bash systemd /x"]


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("bash", 0, "a line says who does what", "for example"),
        ("bash oepn /x", 5, "nothing is called `oepn`", "did you mean `open`?"),
        ("bash open", 5, "`open` needs a path", ""),
        ("bash open /x wirte", 13, "`wirte` is not known here", "one of read, write"),
        ("bash ptrace reqest=1", 12, "`ptrace` has no parameter `reqest`", "did you mean `request`?"),
        ("bash ptrace request=NOPE", 5, "neither a number nor a name", ""),
        ('bash open "/x', 10, "the quote does not end", ""),
        ("bash is colour=red", 8, "a process has no `colour`", "one of in, user"),
        ("bash open /x\nbash is user=root", 18, "bash has acted already", ""),
        ("bash chmod /x rwx", 14, "`rwx` is not an octal mode", "write 644"),
        ("bash wait long", 10, "`long` is not a time", "write 100ms"),
        ("10 bash open /x\n10 sh open /y", 19, "process 10 is called bash here", ""),
        ("bash connect nowhere", 5, "", ""),
        ("bash spawn", 5, "`spawn` needs a program", ""),
        ("bash exec args=[-c, x", 15, "the list does not end", ""),
        (">x open /y", 0, "`>x` is not a process", ""),
    ],
)
def test_a_fault_has_place_words_and_hint(text: str, offset: int, message: str, hint: str) -> None:
    found = fault(text)
    assert found[0] == offset
    assert message in found[1]
    assert hint in found[2]

"""The rule language over alerts."""

import pytest

from eyas.delivery import stored
from eyas.errors import UsageError
from eyas.hub.filter import parse
from tests.hub.alerts import alert

ALERT = alert(
    rule="Shell in x",
    tags=("T1059", "host"),
    message='said "rule = z"',
    proc_name="sh",
    fd_sip="10.1.2.3",
    evt_n=5,
    fd_name="/etc/shadow",
    evt_res=True,
)


@pytest.mark.parametrize(
    "text",
    [
        "priority >= warning",
        "priority < error",
        "priority in (warning, error)",
        "rule = 'Shell in x'",
        "rule contains Shell and not rule contains Bash",
        "tags in (T1059, T9999)",
        "tags = host",
        "(tags = host or tags = other) and source = syscall",
        "alert.host startswith web",
        "output contains 'rule = z'",
        "proc.name = sh",
        "proc.name in (sh, bash)",
        "not container.id exists",
        "not container.id = host",
        "evt.n > 3 and evt.n <= 5",
        "fd.sip in (10.0.0.0/8)",
        "fd.name pmatch (/etc)",
        "fd.name glob /etc/*",
        "fd.name regex '/etc/(passwd|shadow)'",
        "evt.res = true",
        "status = open",
    ],
)
def test_a_condition_holds(text: str) -> None:
    assert parse(text).holds(ALERT)


@pytest.mark.parametrize(
    "text",
    [
        "priority > warning",
        "container.id != host",
        "proc.name != sh",
        "fd.sip in (11.0.0.0/8)",
        "fd.name pmatch (/et)",
        "tags in (T9999)",
    ],
)
def test_a_condition_does_not_hold(text: str) -> None:
    assert not parse(text).holds(ALERT)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("rule ~ x", "unexpected token"),
        ("priority", "'priority' alone compares nothing"),
        ("rul = x", "an alert has no 'rul'\n  | rul = x\n  | ^"),
        ("rule = x and (sourc = y)", "'sourc'\n  | rule = x and (sourc = y)\n  |               ^"),
        ("priority >= eror", "'eror' is no priority\n  | priority >= eror\n  |             ^"),
        ("priority >= ", "a priority is missing\n  | priority >= \n  |             ^"),
        ("rule = a and count >", "the end\n  | rule = a and count >\n  |                     ^"),
        ("'a b' = rule = x", "found '''"),
        ("alert.rul = x", "an alert has no 'alert.rul'"),
        ("rule regex '('", "regular expression"),
        ("len(proc.name) > 3", "transformers"),
    ],
)
def test_a_faulty_condition_is_explained(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert part in str(caught.value)


def test_a_hint_names_the_nearest_word() -> None:
    for text, hint in (
        ("rul = x", "'rule'"),
        ("priority > eror", "'error'"),
        ("cluster = x", "a field has a dot"),
    ):
        with pytest.raises(UsageError) as caught:
            parse(text)
        assert hint in caught.value.hint


def test_what_a_match_brought_along_is_found_too() -> None:
    one = alert(1, eyas={"carried": {"container.id": "abc", "proc.name": "sh"}})
    assert parse("container.id = abc and proc.name = sh").holds(one)
    assert stored.container(one) == "abc"

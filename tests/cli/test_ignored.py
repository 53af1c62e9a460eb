"""Options that would have no effect are refused with the code of usage."""

import pytest
from click.testing import CliRunner

from eyas.cli.entry import group
from eyas.errors import EyasError


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("replay x.scap --filter evt.num=1", "--filter says what --write keeps"),
        ("rules explain x --event 1", "--event is the number of an event in a capture"),
        ("replay x.scap -o rules[]={disable:{}}", "'rules.0.disable': expected rule: NAME or tag: TAG"),
        ("replay x.scap -o rules[]={}", "'rules.0': expected enable: or disable:"),
        ("replay x.scap -o rules[0].enable.rule=x", "the list has 0 entries, none with the number 0"),
        ("replay x.scap -o capture.mode=rules -o capture[0]=x", "[0] is asked of a mapping"),
        ("replay x.scap -o priority=info -o priority.low=1", "'low' is asked of the value 'info'"),
    ],
)
def test_an_option_without_effect_is_a_usage_error(line: str, words: str) -> None:
    error = CliRunner().invoke(group, line.split(), standalone_mode=False).exception
    assert isinstance(error, EyasError)
    assert error.code == 2
    assert words in str(error)


def test_a_benchmark_of_a_missing_capture_says_so() -> None:
    done = CliRunner().invoke(group, ["bench", "read", "none.scap"], standalone_mode=False)
    assert str(done.exception) == "none.scap: no such file or directory"

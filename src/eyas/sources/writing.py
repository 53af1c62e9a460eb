"""A new source as a Python package: its card, a sample, rules, a test, and the entry point that makes it known."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path

from eyas.errors import RunError, UsageError
from eyas.sources import MEMBERS

FILES: Mapping[str, str] = {
    "pyproject.toml": """\
[build-system]
requires = ["uv_build>=0.7,<1"]
build-backend = "uv_build"

[project]
name = "eyas-$dashed"
version = "0.1.0"
description = "$Title as a source of Eyas"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["eyas"]

[project.entry-points."eyas.sources"]
$name = "eyas_$name:SOURCE"

[dependency-groups]
dev = ["pytest"]
""",
    "README.md": """\
# $Title as a source of Eyas

    pip install .
    eyas fields $name
    eyas replay --source $name -r src/eyas_$name/rules.yaml tests/sample.jsonl
    pytest

`src/eyas_$name/__init__.py` says what the records mean. Every source arrives by file, HTTP, S3, SQS, Kafka and more:
`eyas sources list --all`. A service with an interface of its own gets `WAYS` in the same file; the guide
`docs/guides/add-a-source.md` of Eyas shows how.
""",
    "src/eyas_$name/__init__.py": '''\
"""$Title: who did what, from where."""

from eyas.sources.card import Field, Source, Time, concat, text

FIELDS = (
    Field("$name.action", "text", "/action", "What was done."),
    Field("$name.user", "text", ("/user/email", "/user/name"), "Who did it."),
    Field("$name.ip", "ip", "/client/ip", "Address it was done from."),
    Field("$name.result", "text", "/result", "How it ended: success, failure."),
    Field("$name.roles", "text", "/user/roles/*", "Roles of the user.", list=True, arg="index"),
)

SOURCE = Source(
    "$name",
    "$Title",
    FIELDS,
    Time("/time"),
    lists=("events",),
    identity="/id",
    info=concat("/user/name", text(" "), "/action"),
)
''',
    "src/eyas_$name/rules.yaml": """\
- rule: $Title role given
  desc: Somebody got the role of an administrator.
  condition: $name.action = role.grant and $name.result = success and $name.roles intersects (admin)
  output: somebody administers $name now (user=%$name.user address=%$name.ip)
  priority: WARNING
  source: $name
  tags: [T1098.003]
  tests:
    - catches: an administrator
      events: |
        {"id":"1","time":"2026-01-31T10:00:00Z","action":"role.grant","result":"success","user":{"name":"ann","roles":["admin"]}}
    - ignores: a reader
      events: |
        {"id":"2","time":"2026-01-31T10:00:00Z","action":"role.grant","result":"success","user":{"name":"ann","roles":["reader"]}}
""",
    "src/eyas_$name/py.typed": "",
    "tests/sample.jsonl": """\
{"id":"1","time":"2026-01-31T10:00:00Z","action":"role.grant","result":"success","client":{"ip":"198.51.100.7"},"user":{"name":"ann","roles":["admin"]}}
{"id":"2","time":"2026-01-31T10:00:01Z","action":"login","result":"failure","client":{"ip":"198.51.100.8"},"user":{"email":"bob@example.com","roles":[]}}
""",
    "tests/test_$name.py": '''\
"""The records of the sample, as rules see them."""

from pathlib import Path

from eyas import scene
from eyas import rules
from eyas.sources import members

HERE = Path(__file__).parent
RULES = HERE.parent / "src" / "eyas_$name" / "rules.yaml"


def loaded() -> rules.Loaded:
    found = rules.load([RULES], members.known())
    assert not found.problems, [problem.text() for problem in found.problems]
    return found


def test_the_source_is_known_by_its_entry_point() -> None:
    assert members.find("$name") is not None, "pip install . first"


def test_every_rule_does_what_its_tests_say() -> None:
    verdicts = [verdict for rule in loaded().rules for verdict in scene.judge(rule)]
    assert verdicts and all(verdict.passed for verdict in verdicts)


def test_the_sample_raises_one_alert() -> None:
    alerts = scene.records((HERE / "sample.jsonl").read_text(), loaded().rules)
    assert [alert.message for alert in alerts] == ["somebody administers $name now (user=ann address=198.51.100.7)"]
''',
}


def write(name: str, folder: Path) -> list[Path]:
    """Write the package of a new source; nothing that is there is touched."""
    if not name.isidentifier() or name != name.lower():
        raise UsageError(
            f"'{name}' is no name of a source", "small letters, digits and _, such as my_service"
        )
    if name in MEMBERS:
        raise UsageError(f"'{name}' is a source of Eyas already", "choose another name")
    words = {"name": name, "dashed": name.replace("_", "-"), "Title": name.replace("_", " ").capitalize()}
    made = []
    try:
        folder.mkdir(parents=True)
        for path, text in FILES.items():
            target = folder / string.Template(path).substitute(words)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(string.Template(text).substitute(words))
            made.append(target)
    except FileExistsError:
        raise UsageError(f"{folder} is there already", "choose another folder with --in") from None
    except OSError as error:
        raise RunError(f"{folder}: {(error.strerror or str(error)).lower()}") from None
    return made

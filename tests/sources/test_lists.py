"""Lists and folders agree: sources, how they are reached, policies, rules."""

import importlib
from pathlib import Path

from eyas import rules
from eyas.intake.configured import ways
from eyas.sources import MEMBERS, members, reach
from eyas.sources.reach import policy
from eyas.transports import TRANSPORTS

SOURCES = Path(reach.__file__).parents[1]
# Files of the folders that are no members of the family.
BESIDE = {"__init__", "added", "asked", "card", "checked", "documents", "members", "packages", "writing"}
BESIDE_REACHED = {
    "__init__",
    "diff",
    "falco",
    "eventhubs",
    "hooks",
    "moment",
    "oauth",
    "plain",
    "policy",
    "secrets",
    "way",
}


def stems(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")}


def test_the_lists_hold_every_file_of_their_folders() -> None:
    assert stems(SOURCES) - BESIDE == set(MEMBERS)
    assert stems(SOURCES / "reach") - BESIDE_REACHED == set(reach.REACHED)


def test_every_transport_carries_some_source() -> None:
    used = {
        way.open.func.__module__ if hasattr(way.open, "func") else way.open.__module__
        for n in MEMBERS
        for way in ways(n)
    }
    carried = {name for name in TRANSPORTS if f"eyas.transports.{name}" in used}
    assert carried | {"poll"} == set(TRANSPORTS)


def test_every_policy_and_rule_file_belongs_to_something() -> None:
    named = {f"{name}.{way.via}" for name in MEMBERS for way in ways(name)} | set(policy.SHARED.values())
    assert {path.stem for path in policy.FOLDER.iterdir()} <= named
    assert {path.stem for path in rules.SERVICES.glob("*.yaml")} <= set(MEMBERS)


def test_every_member_is_what_its_file_is_called() -> None:
    for name in MEMBERS:
        source = members.find(name)
        assert source is not None
        assert source.name == name
        assert importlib.import_module(f"eyas.sources.{name}").__doc__

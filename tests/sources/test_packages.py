"""Installed packages add sources, fields and facts about alerts; a broken one costs nothing but itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"
MODULE = """
from eyas.hub.enricher import Enricher
from eyas.sources.card import Addition, Field, Source, Time

SOURCE = Source("till", "Tills of a shop.", (Field("till.item", "text", "/item", "What was sold."),), Time("/at"))
POINTED = Addition("lift", "How far.", ("till",), (Field("till.floor", "int", "/floor", "Where it was sold."),))


def look(record):
    return {"upper": record["item"].upper()}


LOOKED = Addition("loud", "Aloud.", ("till",), (Field("till.loud", "text", "/eyas/loud/upper", "Aloud."),), look)
OWNER = Enricher("owner", "Who owns it.", lambda alert: {"shop.owner": "ann " + alert.fields["till.item"]})
SLOW = Enricher("broken", "Fails.", lambda alert: 1 / 0)
TAKEN = Source("okta", "Ours.", (), Time("/at"))
CLASH = Addition("clash", "Taken.", ("till", "nowhere"), (Field("till.item", "text", "/x", "Taken."),))
WRONG = Source("wrong", "No pointer.", (Field("wrong.x", "text", "nowhere", "x"),), Time("/at"))
"""
POINTS = """
[eyas.sources]
till = shop:SOURCE
okta = shop:TAKEN
wrong = shop:WRONG
missing = nowhere:SOURCE

[eyas.fields]
lift = shop:POINTED
loud = shop:LOOKED
clash = shop:CLASH

[eyas.enrichers]
owner = shop:OWNER
broken = shop:SLOW
number = shop:look
"""
RULE = """
- rule: sold
  desc: Something was sold on a floor.
  source: till
  condition: till.loud = "APPLE" and till.floor = 3
  output: sold %till.item
  priority: NOTICE
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with an installed package, a rule and a log."""
    (tmp_path / "shop.py").write_text(MODULE)
    info = tmp_path / "shop-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "rules.yaml").write_text(RULE)
    sold = [{"item": item, "floor": 3, "at": "2026-01-31T10:00:00Z"} for item in ("apple", "pear")]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, sold)))
    return tmp_path


def eyas(shop: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{shop}", "XDG_STATE_HOME": str(shop)}
    command = [sys.executable, "-m", "eyas", *args]
    return subprocess.run(command, env=env, cwd=shop, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("store", [(), ("--store", "kept")])
def test_a_package_adds_a_source_fields_and_facts_about_alerts(shop: Path, store: tuple[str, ...]) -> None:
    done = eyas(shop, "replay", "log.jsonl", "--source", "till", "-r", "rules.yaml", "--json", *store)
    assert done.returncode == 0, done.stderr
    (raised,) = map(json.loads, done.stdout.splitlines())
    assert raised["output_fields"]["till.item"] == "apple"
    assert raised["output_fields"]["shop.owner"] == "ann apple"
    assert "ZeroDivisionError" in done.stderr


def test_fields_of_packages_are_known_to_whoever_writes_rules(shop: Path) -> None:
    assert eyas(shop, "rules", "check", "rules.yaml").returncode == 0
    for name in ("till.item", "till.floor", "till.loud"):
        assert name in eyas(shop, "fields", "till").stdout


def test_what_is_broken_is_told_with_its_package_and_the_rest_goes_on(shop: Path) -> None:
    said = eyas(shop, "sources", "list", "--all")
    assert said.returncode == 0
    assert "till: Tills of a shop." in said.stdout
    place = "package shop 1.2"
    for fault in (
        f"{place}: source 'missing' (nowhere:SOURCE) is left out: ModuleNotFoundError",
        f"{place}: source 'okta' (shop:TAKEN) is left out: Eyas has a source of this name itself",
        f"{place}: source 'wrong' (shop:WRONG) is left out: field wrong.x: expected a JSON pointer",
        "fields 'clash' on source till are left out: it has a field till.item already",
        "fields 'clash' on source nowhere are left out: there is no such source",
        f"{place}: enricher 'number' (shop:look) is left out: expected an Enricher",
    ):
        assert fault in said.stderr

"""The guide builds what it says: its blocks are run."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from eyas import catalog, rules, scene
from eyas.intake.configured import Feed, configured
from eyas.rules import document
from eyas.sources import members
from eyas.sources.reach.way import read
from tests.service import Asked, Says, service
from tests.transports.conftest import running

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/add-a-source.md"
SERVICES = GUIDE.with_name("watch-services.md")
BLOCK = re.compile(r"```\w+\n# (\S+)\n(.*?)```", re.DOTALL)
BLOCKS = dict(BLOCK.findall(GUIDE.read_text()))


def test_the_configuration_in_the_guide_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYAS_OKTA_TOKEN", "t")
    (block,) = re.findall(r"```yaml\n(.*?)```", SERVICES.read_text(), re.DOTALL)
    feeds = configured(yaml.safe_load(block)["sources"])
    assert [(feed.name, feed.source.name, feed.way.via) for feed in feeds] == [
        ("okta", "okta", "poll"),
        ("trail", "aws_cloudtrail", "sqs"),
        ("cluster", "k8s_audit", "http"),
    ]
    assert feeds[0].silent == 7200


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType(f"guide_{name.removesuffix('.py')}")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(compile(BLOCKS[name], name, "exec"), made.__dict__)
    return made


def test_the_card_and_its_rules_work(monkeypatch: pytest.MonkeyPatch) -> None:
    card = module("gitlab.py", monkeypatch).SOURCE
    known = catalog.load().with_sources({"gitlab": lambda: members.ground(card)}, lambda _: None)
    monkeypatch.setattr(members, "find", lambda name: card)
    monkeypatch.setattr(members, "known", lambda: known)
    loaded = rules.load_documents(
        [document.parse("r.yaml", BLOCKS["gitlab-rules.yaml"])], known, rules.Settings()
    )
    assert not loaded.problems, [problem.text() for problem in loaded.problems]
    (rule,) = loaded.rules
    assert [verdict.passed for verdict in scene.judge(rule)] == [True, True]


def test_the_way_follows_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def gitlab(asked: Asked) -> Says:
        assert asked.headers["private-token"] == "t"
        if "cursor" in asked.query:
            return Says([{"id": 2, "created_at": "2026-01-31T10:00:01Z"}])
        url = f"http://{asked.headers['host']}/api/v4/audit_events?cursor=x"
        return Says(
            [{"id": 1, "created_at": "2026-01-31T10:00:00Z"}], headers={"Link": f'<{url}>; rel="next"'}
        )

    card, (way,) = module("gitlab.py", monkeypatch).SOURCE, module("reach.py", monkeypatch).WAYS
    with service(gitlab) as instance:
        settings = read(way, {"token": "t", "url": instance.url, "interval": 0.01}, "gitlab")
        one = Feed("gitlab", card, way, settings)
        with running(lambda link: one.way.open(one.settings, link)) as run:
            assert [json.loads(run.next().body)[0]["id"] for _ in range(2)] == [1, 2]
            assert run.mark == "2026-01-31T10:00:01Z"

"""Pages whose prose runs: a rule, events, and the alerts below them. `python -m tests.scene.pages` renews the alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from eyas import catalog, rules, scene
from eyas.rules import Compiled, document

SPEC = Path(__file__).parents[2] / "spec"
FOLDERS = ("state", "fields")
BLOCK = re.compile(r"^```(rule|events|alerts)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DEFAULTS = {"desc": "of a spec", "output": '""', "priority": "DEBUG", "warn_evttypes": False}


@dataclass(frozen=True)
class Case:
    """Events with the rule above and the alerts below them, and where those stand in the page."""

    heading: str
    rule: str
    events: str
    alerts: str
    span: tuple[int, int]


def pages() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (SPEC / folder).glob("*.md"))


def cases(text: str) -> Iterator[Case]:
    rule = events = ""
    for found in BLOCK.finditer(text):
        kind, body = found[1], found[2]
        if kind == "rule":
            rule = body
        elif kind == "events":
            events = body
        else:
            heading = text.rfind("\n## ", 0, found.start())
            title = text[heading + 4 : text.find("\n", heading + 4)] if heading >= 0 else ""
            yield Case(title, rule, events, body, found.span(2))


def compiled(rule: str) -> list[Compiled]:
    """The rules of a block; what every rule needs and no reader misses is filled in."""
    items = [{**DEFAULTS, **item} if "rule" in item else item for item in yaml.safe_load(rule)]
    loaded = rules.load_documents(
        [document.parse("page", yaml.safe_dump(items, width=10_000))], catalog.load(), rules.Settings()
    )
    assert not loaded.errors, loaded.errors[0].text()
    return loaded.rules


def said(case: Case) -> str:
    """Alerts as the page shows them: the rule, and what it says when it says something."""
    raised = scene.alerts(case.events, compiled(case.rule))
    return "".join(f"{alert.rule}  {alert.message.strip(chr(34))}".rstrip() + "\n" for alert in raised)


def renew(path: Path) -> None:
    text = path.read_text()
    for case in reversed(list(cases(text))):
        start, end = case.span
        text = text[:start] + said(case) + text[end:]
    path.write_text(text)


if __name__ == "__main__":
    for page in pages():
        renew(page)

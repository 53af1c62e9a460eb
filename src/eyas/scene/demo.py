"""An attack on film: a story, the capture of it, and what the built-in rules say."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eyas import alert, catalog, pipeline, rules
from eyas.alert import Alert
from eyas.scene.film import film, perform

STORY = Path(__file__).with_name("demo.scene")
COLOURS = {"Critical": "31;1", "Error": "31", "Warning": "33;1", "Notice": "36"}


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story: what is told, what happens meanwhile, and where it begins in the text."""

    title: str
    rows: tuple[str, ...]
    start: int


def chapters(text: str) -> list[Chapter]:
    """Parts of a story; a comment line opens one."""
    found: list[Chapter] = []
    for part in re.finditer(r"^# (.*)\n((?:[^#\n].*\n|\n)*)", text, re.MULTILINE):
        rows = tuple(row for row in part[2].splitlines() if row.strip())
        found.append(Chapter(part[1], rows, part.start()))
    return found


@dataclass(frozen=True, slots=True)
class Story:
    """Parts of a story, and the alerts it raises with their place in its text."""

    chapters: list[Chapter]
    alerts: list[tuple[int, Alert]]


def show(path: Path) -> Story:
    """Write the capture and play it through the built-in rules."""
    text = STORY.read_text()
    stage = perform(text)
    film(stage, path)
    places = {happening.ts: happening.offset for happening in stage.happenings}
    return Story(chapters(text), [(places[one.ts], one) for one in play(path)])


def play(path: Path) -> Iterator[Alert]:
    """Alerts of the built-in rules on a capture."""
    loaded = rules.load([rules.BUILTIN], catalog.load())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    return pipeline.replay(path, loaded.active, program, pipeline.Tally())


def told(story: Story, colour: bool) -> Iterator[str]:
    """The story as lines, the alerts of each part below it."""
    ends = [chapter.start for chapter in story.chapters[1:]] + [sys.maxsize]
    for number, (chapter, end) in enumerate(zip(story.chapters, ends, strict=True), 1):
        yield _paint(f"\n{number}. {chapter.title}", "1", colour)
        yield from (_paint(f"     {row}", "2", colour) for row in chapter.rows)
        for _, one in (pair for pair in story.alerts if chapter.start <= pair[0] < end):
            name = _paint(f"{one.priority:9}", COLOURS.get(one.priority, "0"), colour)
            yield f"  {name} {_paint(one.rule, '1', colour)} ({', '.join(alert.techniques(one.tags))})"
            yield f"            {alert.escaped(one.message)}"


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text

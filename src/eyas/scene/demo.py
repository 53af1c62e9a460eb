"""An attack in three minutes of film: writes a capture of its own and plays it through the built-in rules.

python -m eyas.scene.demo              tells the story
python -m eyas.scene.demo --json       the alerts alone, as JSON lines
python -m eyas.scene.demo --keep FILE  keeps the capture
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
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


def play(path: Path) -> Iterator[Alert]:
    """Alerts of the built-in rules on a capture."""
    loaded = rules.load([rules.BUILTIN], catalog.load())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    return pipeline.replay(path, loaded.active, program, pipeline.Tally())


def told(story: list[Chapter], alerts: list[tuple[int, Alert]], colour: bool) -> Iterator[str]:
    """The story with the alerts of each part below it; alerts come with their place in the text."""
    ends = [chapter.start for chapter in story[1:]] + [sys.maxsize]
    for number, (chapter, end) in enumerate(zip(story, ends, strict=True), 1):
        yield _paint(f"\n{number}. {chapter.title}", "1", colour)
        yield from (_paint(f"     {row}", "2", colour) for row in chapter.rows)
        for _, one in (pair for pair in alerts if chapter.start <= pair[0] < end):
            name = _paint(f"{one.priority:9}", COLOURS.get(one.priority, "0"), colour)
            yield f"  {name} {_paint(one.rule, '1', colour)} ({', '.join(alert.techniques(one.tags))})"
            yield f"            {alert.escaped(one.message)}"


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def main(arguments: list[str] | None = None) -> int:
    """Tell the story."""
    parser = argparse.ArgumentParser(
        prog="make demo", description="An attack on film, and what the rules say."
    )
    parser.add_argument("--json", action="store_true", help="the alerts alone, as JSON lines")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the capture")
    chosen = parser.parse_args(arguments)
    text = STORY.read_text()
    stage = perform(text)
    with tempfile.TemporaryDirectory(prefix="eyas-demo-") as folder:
        path = chosen.keep or Path(folder) / "demo.scap"
        film(stage, path)
        alerts = list(play(path))
    if chosen.json:
        print("\n".join(one.json(alert.Style(json_output=True)) for one in alerts))
        return 0
    places = {happening.ts: happening.offset for happening in stage.happenings}
    print("\n".join(told(chapters(text), [(places[one.ts], one) for one in alerts], sys.stdout.isatty())))
    print(f"\n{len(alerts)} alerts of {len({one.rule for one in alerts})} rules.")
    print(
        f"The capture: eyas replay {path}" if chosen.keep else "Watch this machine with `make run`, as root."
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()

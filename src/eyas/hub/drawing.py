"""The picture of a trail: where each box and line of graph and timeline stands. Plain numbers; the page draws them."""

from __future__ import annotations

from dataclasses import dataclass, field

from eyas.hub import cloud
from eyas.hub.trail import Moment, Trail

ROW, STEP, BOX, LEFT = 36, 22, 250, 8
WIDE = 1140
MOST = 60
THINGS = 14
LANES = (
    "alert",
    "exec",
    "fork",
    "exit",
    "identity",
    "read",
    "write",
    "change",
    "connection",
    "signed in",
    "listed",
    "changed",
)
# Kinds that only clouds know; a read there stands between the two, as the story goes.
CALLS = ("alert", "signed in", "listed", "read", "changed")


@dataclass(frozen=True, slots=True)
class Box:
    """A named box; `kind` gives its colour."""

    x: int
    y: int
    width: int
    title: str
    note: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve between two points."""

    x1: int
    y1: int
    x2: int
    y2: int
    kind: str

    @property
    def path(self) -> str:
        """As SVG says it."""
        if self.kind == "tree":
            return f"M{self.x1} {self.y1}V{self.y2}H{self.x2}"
        middle = (self.x1 + self.x2) // 2
        return f"M{self.x1} {self.y1}C{middle} {self.y1} {middle} {self.y2} {self.x2} {self.y2}"


@dataclass(slots=True)
class Graph:
    """The whole graph."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    width: int = WIDE
    height: int = 0
    left_out: int = 0


def graph(trail: Trail) -> Graph:
    """Processes as a tree on the left, what they touched on the right."""
    made = Graph()
    anchor = _tree(made, trail) if trail.processes else _principal(made, trail)
    right = max((box.x + box.width for box in made.boxes), default=0) + 70
    row = 0
    for kind, found in (("address", trail.addresses), ("file", trail.files)):
        shown = list(found.items())[:THINGS]
        made.left_out += len(found) - len(shown)
        for name, how in shown:
            width = max(200, min(WIDE - right - LEFT, 420))
            box = Box(right, LEFT + row * ROW, width, name, ", ".join(sorted(how)), kind)
            made.boxes.append(box)
            made.lines.append(Line(*anchor, right, box.y + 14, kind))
            row += 1
    made.width = max([WIDE, *(box.x + box.width + LEFT for box in made.boxes)])
    made.height = max((box.y for box in made.boxes), default=0) + ROW + LEFT
    return made


def _tree(made: Graph, trail: Trail) -> tuple[int, int]:
    depth: dict[int, int] = {}
    place: dict[int, Box] = {}
    anchor = (0, 0)
    shown = trail.processes[:MOST]
    made.left_out += len(trail.processes) - len(shown)
    for row, process in enumerate(shown):
        level = depth.get(process.parent or -1, -1) + 1
        depth[process.pid] = level
        text = process.command or process.name
        box = Box(
            LEFT + level * STEP,
            LEFT + row * ROW,
            BOX,
            process.name or "?",
            f"{process.pid}  {text}",
            process.why,
        )
        made.boxes.append(box)
        place[process.pid] = box
        above = place.get(process.parent or -1)
        if above is not None:
            made.lines.append(Line(above.x + 10, above.y + 28, box.x, box.y + 14, "tree"))
        if process.why == "subject":
            anchor = (box.x + box.width, box.y + 14)
    return anchor


def _principal(made: Graph, trail: Trail) -> tuple[int, int]:
    """Whoever the alert names, and below it every other name under which the same one acted."""
    named = [(label, value) for label, values in trail.identities.items() for value in sorted(values)[:5]]
    first = cloud.named(trail.kept.alert)
    named.sort(key=lambda one: one[1] != first)  # whom the alert names comes first, the rest stays in order
    for row, (label, value) in enumerate(named):
        indent = STEP if row else 0
        place = (LEFT + indent, LEFT + row * ROW)
        made.boxes.append(Box(*place, 380 - indent, value, label, "child" if row else "subject"))
        if row:
            made.lines.append(Line(LEFT + 10, LEFT + 28, place[0], place[1] + 14, "tree"))
    return (LEFT + 380, LEFT + 14) if made.boxes else (LEFT, LEFT + 14)


@dataclass(frozen=True, slots=True)
class Dot:
    """A moment on the strip."""

    x: float
    y: int
    kind: str
    text: str
    subject: bool


@dataclass(slots=True)
class Strip:
    """Moments along time, one lane for each kind."""

    lanes: list[tuple[str, int]] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    height: int = 0
    width: int = WIDE
    first: int = 0
    last: int = 0


def strip(moments: list[Moment]) -> Strip:
    """Where each moment stands."""
    held = {moment.kind for moment in moments}
    kinds = [kind for kind in (CALLS if held <= set(CALLS) else LANES) if kind in held]
    kinds += sorted({moment.kind for moment in moments} - set(kinds))
    made = Strip(lanes=[(kind, 14 + 20 * row) for row, kind in enumerate(kinds)])
    made.height = 20 * len(kinds) + 24
    if not moments:
        return made
    made.first, made.last = moments[0].ts, max(moment.ts for moment in moments)
    span = max(1, made.last - made.first)
    lane = dict(made.lanes)
    for moment in moments[:2000]:
        x = 96 + (WIDE - 116) * (moment.ts - made.first) / span
        made.dots.append(
            Dot(
                round(x, 1),
                lane[moment.kind],
                moment.kind,
                f"{moment.who}: {moment.text}"[:200],
                moment.subject,
            )
        )
    return made

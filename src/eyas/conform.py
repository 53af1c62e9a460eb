"""How far the core agrees with the recorded answers of Falco: fields of every event, conditions, alerts."""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas import _core, catalog, lang

SHARED = Path("../shared")
BATCH = 1 << 16

# Fields that differ on purpose; the reasons are in docs/differences.md.
DELIBERATE = frozenset(
    {
        "evt.hostname",
        "proc.exe_ino.ctime_duration_pidns_start",
        "proc.exe_ino.ctime_duration_proc_start",
        "proc.ppid.duration",
        "thread.cpu",
        "thread.cpu.system",
        "thread.cpu.user",
    }
)


@dataclass
class Score:
    """What agreed, what did not, and where."""

    name: str
    total: int = 0
    agreed: int = 0
    deliberate: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def count(self, what: str, same: bool, example: str, deliberate: bool = False) -> None:
        """Add one comparison."""
        self.total += 1
        self.agreed += same
        if not same:
            self.deliberate += deliberate
            self.differing[what] += 1
            self.examples.setdefault(what, example)

    def lines(self, most: int = 20) -> Iterator[str]:
        """Text for a person: the shares, then the worst."""
        judged = self.total - self.deliberate
        share = 100 * self.agreed / judged if judged else 100.0
        yield (
            f"{self.name}: {self.agreed} of {judged} agree ({share:.3f} %), "
            f"{self.deliberate} more differ on purpose"
        )
        for what, count in self.differing.most_common(most):
            yield f"  {count:6} {what}  {self.examples[what]}"


def fields(shared: Path) -> Score:
    """Compare the value of every field on every event."""
    score = Score("fields")
    for path in sorted((shared / "oracle/fields").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        with gzip.open(path, "rt") as lines:
            wanted = [json.loads(line) for line in lines]
        names = sorted({key for row in wanted for key in row})
        capture = str(shared / f"interop/captures/{name}.scap")
        rows = (json.loads(line) for line in _core.field_values(capture, names))
        found = {row["evt.num"]: row for row in rows}
        for row in wanted:
            got = found.get(row["evt.num"], {})
            for key, value in row.items():
                same = _same(value, got.get(key, "(no such event)"))
                text = f"{name} {row['evt.num']}: Falco {value!r:.60}, here {got.get(key)!r:.60}"
                score.count(key, same, text, key in DELIBERATE)
    return score


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, list) and isinstance(got, list):
        return sorted(map(repr, wanted)) == sorted(map(repr, got))
    return bool(wanted == got) and type(wanted) is type(got)


def conditions(shared: Path) -> Score:
    """Compare which events every condition matches, or that it is refused."""
    score = Score("conditions")
    known = catalog.load()
    for path in sorted((shared / "oracle/conditions").glob("*.json")):
        wanted = json.loads(path.read_text())
        rules = [_rule(number, item["condition"], known) for number, item in enumerate(wanted)]
        capture = str(shared / f"interop/captures/{path.stem}.scap")
        matches = _matches(capture, [rule for rule in rules if isinstance(rule, dict)])
        for number, item in enumerate(wanted):
            text = item["condition"]
            deliberate = any(name in text for name in DELIBERATE)
            rule = rules[number]
            if "error" in item or isinstance(rule, str):
                same = "error" in item and isinstance(rule, str)
                example = f"{path.stem}: Falco {item.get('error', 'accepts')}, here {rule if isinstance(rule, str) else 'accepts'}"
                score.count(text, same, example, deliberate)
                continue
            got = matches.get(number, [])
            same = len(got) == item["count"] and got[: len(item["events"])] == item["events"]
            example = f"{path.stem}: Falco {item['count']} {item['events'][:8]}, here {len(got)} {got[:8]}"
            score.count(text, same, example, deliberate)
    return score


def _rule(number: int, condition: str, known: catalog.Catalog) -> dict[str, Any] | str:
    """Compile a condition; its first fault when it is refused."""
    try:
        tree = lang.parse(condition)
        faults = [f for f in lang.check(tree, known) if f.severity == "error"]
        if faults:
            return faults[0].message
        lowered = lang.lower(tree, known)
    except lang.FaultError as error:
        return error.fault.message
    return {"name": str(number), "source": "syscall", "condition": lowered}


def _matches(capture: str, rules: list[dict[str, Any]]) -> dict[int, list[int]]:
    numbered = [{"id": number, **rule} for number, rule in enumerate(rules)]
    ir = json.dumps({"ir": 1, "matching": "all", "rules": numbered})
    replay = _core.Replay(capture, _core.Program(ir.encode()))
    found: dict[int, list[int]] = {}
    ended = False
    while not ended:
        matches, ended = replay.next(BATCH)
        for match in matches:
            found.setdefault(int(rules[match.rule]["name"]), []).append(match.num)
    return found


def main() -> int:
    """Print every score; 0 when each is at least 99.5 %."""
    if not (SHARED / "oracle").is_dir():
        print(f"nothing to compare with: {SHARED / 'oracle'} is missing", file=sys.stderr)
        return 2
    good = True
    for compare in (fields, conditions):
        score = compare(SHARED)
        print("\n".join(score.lines()))
        good &= score.agreed >= 0.995 * (score.total - score.deliberate)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""How far the core agrees with the recorded answers of Falco: fields of every event, conditions, alerts."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas import _core, alert, catalog, lang, pipeline, rules

SHARED = Path("../shared")
BATCH = 1 << 16

# Fields whose value there is not a fact of the capture; the reasons are in docs/differences.md.
DELIBERATE = frozenset({"proc.exe_ino.ctime_duration_pidns_start"})
# In a condition this depends on which events it was asked about before.
ENTANGLED = frozenset({"evt.deltatime"})

RULES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")


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
        yield (
            f"{self.name}: {self.agreed} of {self.total} agree ({_percent(self.agreed, self.total)}); "
            f"{self.deliberate} differ on purpose, without them {_percent(self.agreed, judged)}"
        )
        for what, count in self.differing.most_common(most):
            yield f"  {count:6} {what}  {self.examples[what]}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 100.0:.3f} %"


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
            deliberate = any(name in text for name in DELIBERATE | ENTANGLED)
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


def alerts(shared: Path) -> Score:
    """Compare the alerts of the three rule files, every rule enabled, in their order."""
    score = Score("alerts")
    files = [shared / "interop/rules" / name for name in RULES]
    loaded = rules.load(files, catalog.load(), rules.Settings(enable_all=True))
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    style = alert.Style(json_output=True, time_format_iso_8601=True)
    for path in sorted((shared / "oracle/alerts").glob("*.jsonl")):
        wanted = [json.loads(line) for line in path.read_text().splitlines()]
        capture = shared / f"interop/captures/{path.stem}.scap"
        raised = pipeline.replay(capture, loaded.active, program, pipeline.Tally())
        found = [json.loads(one.json(style)) for one in raised]
        for body in wanted + found:
            body.pop("hostname")
            body.pop("eyas", None)
        for want, got in itertools.zip_longest(wanted, found):
            rule = (want or got)["rule"]
            score.count(rule, want == got, f"{path.stem}: Falco {want!r:.200}, here {got!r:.200}")
        score.count("number of alerts", len(wanted) == len(found), f"{len(wanted)}, here {len(found)}")
    return score


def main() -> int:
    """Print every score; 0 when each is at least 99.5 %."""
    if not (SHARED / "oracle").is_dir():
        print(f"nothing to compare with: {SHARED / 'oracle'} is missing", file=sys.stderr)
        return 2
    good = True
    for compare in (fields, conditions, alerts):
        score = compare(SHARED)
        print("\n".join(score.lines()))
        good &= score.agreed >= 0.995 * score.total
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

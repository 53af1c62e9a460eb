"""Alerts by the controls that their tags name: PCI DSS, NIST 800-53, CIS."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from eyas.delivery import stored
from eyas.hub import controls
from eyas.hub import page as pages
from eyas.hub.reading import Kept

FRAMEWORKS = {
    "PCI DSS": re.compile(r"PCI(?:_DSS)?[_-](\d+(?:\.\d+)*)", re.IGNORECASE),
    "NIST 800-53": re.compile(r"NIST(?:_800-53)?[_-]([A-Z]{2}-\d+(?:[._(]\d+\)?)*)", re.IGNORECASE),
    "CIS": re.compile(r"CIS(?:[_-]([A-Za-z0-9.]+(?:[_-][A-Za-z0-9.]+)*))?", re.IGNORECASE),
}
# What the numbers are about, by requirement or family.
ABOUT = {
    "1": "network security controls", "2": "secure configurations", "3": "stored account data",
    "4": "cryptography in transmission", "5": "malicious software", "6": "secure systems and software",
    "7": "access by need to know", "8": "identification and authentication", "9": "physical access",
    "10": "logging and monitoring", "11": "testing of security", "12": "policies and programs",
    "AC": "access control", "AT": "awareness and training", "AU": "audit and accountability",
    "CA": "assessment and monitoring", "CM": "configuration management", "CP": "contingency planning",
    "IA": "identification and authentication", "IR": "incident response", "MA": "maintenance",
    "MP": "media protection", "PE": "physical protection", "PL": "planning", "PM": "program management",
    "PS": "personnel security", "PT": "processing of personal data", "RA": "risk assessment",
    "SA": "acquisition of systems", "SC": "protection of communications", "SI": "integrity of systems",
    "SR": "supply chain",
}  # fmt: skip


@dataclass(slots=True)
class Control:
    """Alerts of one control."""

    number: str
    about: str = ""
    alerts: int = 0
    occurrences: int = 0
    severity: int = 7
    open: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    hosts: set[str] = field(default_factory=set)
    by_tactic: int = 0  # alerts whose rule does not name the control itself

    def add(self, kept: Kept, named: bool) -> None:
        """Count an alert."""
        self.alerts += 1
        self.by_tactic += not named
        self.occurrences += kept.count
        self.severity = min(self.severity, stored.severity(kept.alert.priority))
        self.open += kept.status == "open"
        self.rules[kept.alert.rule] += 1
        self.hosts.add(kept.alert.hostname)


@dataclass(slots=True)
class Framework:
    """Controls of one framework, in order."""

    name: str
    controls: list[Control]


@dataclass(slots=True)
class Report:
    """What the page shows."""

    frameworks: list[Framework]
    alerts: int = 0
    occurrences: int = 0
    without: int = 0
    first: int = 0
    last: int = 0


def controls_of(tags: Iterable[str]) -> list[tuple[str, str]]:
    """Frameworks and controls that tags name."""
    found = []
    for tag in tags:
        for name, pattern in FRAMEWORKS.items():
            if match := pattern.fullmatch(tag):
                found.append((name, (match[1] or "all").upper()))
    return found


def gather(alerts: Iterable[Kept]) -> Report:
    """Sort alerts by control."""
    made: dict[tuple[str, str], Control] = {}
    report = Report([])
    for kept in alerts:
        report.alerts += 1
        report.occurrences += kept.count
        report.first = min(report.first or kept.alert.ts, kept.alert.ts)
        report.last = max(report.last, kept.alert.ts)
        named = controls_of(kept.alert.tags)
        silent = set(FRAMEWORKS) - {framework for framework, _ in named}
        follow = [key for key in controls.served(kept.alert.tags) if key[0] in silent]
        report.without += not (named or follow)
        for key in (*named, *follow):
            made.setdefault(key, Control(key[1], about(*key))).add(kept, key in named)
    for name in FRAMEWORKS:
        own = [control for (framework, _), control in made.items() if framework == name]
        report.frameworks.append(Framework(name, sorted(own, key=lambda one: _order(one.number))))
    return report


def about(framework: str, number: str) -> str:
    """What a control is about, in a few words; numbers of CIS with a dot differ from benchmark to benchmark."""
    if framework == "CIS":
        return controls.SUBJECTS.get(number, "")
    return ABOUT.get(re.split(r"[.\-]", number)[0], "")


def _order(number: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[.\-_()]", number)]


def page(report: Report, title: str) -> str:
    """The report as one page."""
    written = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return pages.render("report.html", found=report, title=title, written=written)

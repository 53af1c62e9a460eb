"""Controls that the detection of a tactic serves, for rules whose tags name none themselves.

PCI DSS 4.0, NIST 800-53 revision 5 and CIS Controls 8, by the tactics of ATT&CK. A rule that names a control of a
framework speaks for itself in that framework.
"""

from __future__ import annotations

from collections.abc import Iterable

PCI, NIST, CIS = "PCI DSS", "NIST 800-53", "CIS"

# Tactic → controls of PCI DSS, NIST 800-53, CIS.
SERVED: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "initial_access": (("1.4", "11.5.1"), ("AC-17", "SC-7", "SI-4"), ("13",)),
    "execution": (("5.2", "11.5.1"), ("CM-7", "SI-3", "SI-4"), ("2", "10")),
    "persistence": (("11.5.2", "2.2"), ("CM-3", "CM-6", "SI-7"), ("4", "5")),
    "privilege_escalation": (("7.2", "10.2.1"), ("AC-6", "CM-5", "SI-4"), ("5", "6")),
    "defense_evasion": (("10.3", "10.7"), ("AU-9", "AU-12", "SI-4"), ("8",)),
    "credential_access": (("8.3", "8.6"), ("AC-6", "IA-5", "SI-4"), ("5", "6")),
    "discovery": (("11.5.1",), ("SI-4",), ("13",)),
    "lateral_movement": (("1.3", "11.5.1"), ("AC-4", "SC-7", "SI-4"), ("12", "13")),
    "collection": (("3.5", "7.2"), ("AC-6", "SC-28", "SI-4"), ("3",)),
    "command_and_control": (("1.3", "11.5.1"), ("SC-7", "SI-3", "SI-4"), ("10", "13")),
    "exfiltration": (("1.3", "12.10"), ("AC-4", "SC-7", "SI-4"), ("3", "13")),
    "impact": (("5.2", "12.10"), ("CP-9", "IR-4", "SI-4"), ("11", "17")),
}

# CIS Controls 8 by number.
SUBJECTS = {
    "1": "inventory of assets", "2": "inventory of software", "3": "data protection", "4": "secure configuration",
    "5": "account management", "6": "access control", "7": "vulnerability management", "8": "audit logs",
    "9": "mail and browsers", "10": "malware defences", "11": "data recovery", "12": "network infrastructure",
    "13": "network monitoring", "14": "awareness", "15": "service providers", "16": "application security",
    "17": "incident response", "18": "penetration testing",
}  # fmt: skip


def served(tags: Iterable[str]) -> list[tuple[str, str]]:
    """Frameworks and controls that the tactics among tags serve."""
    found: list[tuple[str, str]] = []
    for tag in tags:
        rows = SERVED.get(tag.lower().removeprefix("mitre_"), ((), (), ()))
        for framework, numbers in zip((PCI, NIST, CIS), rows, strict=True):
            found += [(framework, number) for number in numbers]
    return list(dict.fromkeys(found))

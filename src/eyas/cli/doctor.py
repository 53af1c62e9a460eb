"""`eyas doctor`: what this kernel, its runtimes and the rules come to on this machine."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import click

from eyas import _core, catalog
from eyas.cli.options import choose, rule_options
from eyas.errors import FAILURE
from eyas.watch import machine
from eyas.watch.fidelity import Fidelity, Finding, findings


@click.command("doctor")
@rule_options
def command(as_json: bool, **options: Any) -> int:
    """Say what this machine allows, and which rules are complete, degraded or blind here.

    Exit code 3 when this machine cannot be watched.

    \b
    eyas doctor
    eyas doctor -r /etc/eyas/rules --json
    """
    facts: dict[str, Any] = json.loads(_core.doctor())
    loaded = choose(as_json=as_json, **options).loaded
    collected = [] if facts["refused"] else facts["events"]
    found = findings(loaded.active, catalog.load(), collected)
    body = {**facts, "runtimes": machine.sockets(), "rules": [_row(one) for one in found]}
    click.echo(json.dumps(body, indent=1) if as_json else "\n".join(_lines(facts, found)))
    return FAILURE if facts["refused"] else 0


def _row(one: Finding) -> dict[str, Any]:
    return {"rule": one.rule, "fidelity": one.fidelity, "reasons": list(one.reasons)}


def _lines(facts: dict[str, Any], found: list[Finding]) -> list[str]:
    yes = {True: "yes", False: "no"}
    sockets = [f"{name} ({path})" for name, path in machine.sockets().items() if path]
    counts = Counter(one.fidelity for one in found)
    lines = [
        f"kernel      {facts['release']}",
        f"BTF         {yes[facts['btf']]}",
        f"privileges  {'root' if facts['root'] else 'not root: watching needs CAP_BPF and CAP_PERFMON'}",
        f"bpf()       {facts['refused'] or 'allowed'}",
        f"hooks       {facts['rung'] or 'none'}",
        *(f"            {what}" for what in facts["lacks"]),
        *(f"            not {rung}: {why}" for rung, why in facts["refusals"].items()),
        f"state       {facts['state'] or 'none'}",
        f"events      {len(facts['calls'])} system calls can be collected",
        f"runtimes    {', '.join(sockets) or 'none listens here; containers are known by their cgroups'}",
        f"rules       {', '.join(f'{counts[kind]} {kind}' for kind in Fidelity)}",
    ]
    for one in found:
        if one.reasons:
            lines += [f"  {one.fidelity:9} {one.rule}", *(f"            {why}" for why in one.reasons)]
    return lines

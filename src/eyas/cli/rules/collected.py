"""What rules make the kernel collect, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from eyas.catalog import Catalog
from eyas.rules import Compiled, plan
from eyas.rules.facts import Test
from eyas.rules.plan import Plan

_PLAIN = {"contained": "processes that may be in a container"}
_LISTED = {"ports": "port", "named": "programs named", "user": "user"}


def show(rules: list[Compiled], known: Catalog, as_json: bool) -> None:
    """Print the plan of each rule and of all."""
    together = plan.plan(rules, known)
    if as_json:
        each = {rule.name: plan.plan([rule], known).json() for rule in rules}
        click.echo(json.dumps({"all": together.json(), "rules": each}, indent=1))
        return
    if len(rules) > 1:
        for rule in rules:
            click.echo(f"{rule.name}\n{_told(plan.plan([rule], known))}\n")
        click.echo("all rules together")
    click.echo(_told(together))


def _told(one: Plan) -> str:
    lines = [f"  {name:20} {', '.join(map(_test, tests)) or 'always'}" for name, tests in one.calls.items()]
    lines.append(f"  {'births, exits, execs':20} always")
    if one.sieve is not None and {"open", "openat", "openat2"} & one.calls.keys():
        lines.append(f"  opens for reading    {_sieve(one)}")
    if not one.brief:
        lines.append("  connections          all, for later events of their sockets")
    if one.data:
        lines.append(f"  data                 first {one.data} bytes of what is read and written")
    if one.paths:
        lines.append("  paths                as the kernel found them")
    return "\n".join(lines)


def _test(test: Test) -> str:
    if isinstance(test, str):
        return _PLAIN.get(test, test)
    [(kind, what)] = test.items()
    match kind, what:
        case "any", ways:
            return " or ".join(map(_test, ways))
        case (("number" | "text"), [param, values]):
            return f"{param} {_among(values)}"
        case "contains", [param, values]:
            return f"{param} with {' or '.join(values)}"
        case "other_user", user:
            return f"user other than {user}"
        case (("ports" | "named" | "user"), values):
            return f"{_LISTED[kind]} {_among(values)}"
    return "IP sockets"


def _among(values: list[Any]) -> str:
    return " or ".join(map(str, values))


def _sieve(one: Plan) -> str:
    sieve = one.sieve or plan.Sieve()
    parts = [
        _list("paths that begin with", sieve.prefixes),
        _list("paths that end with", sieve.suffixes),
        _list("programs named", sieve.names),
        _list("files whose own names end with", sieve.found),
        "failed ones" if sieve.failures else "",
        "relative paths and those with dots",
    ]
    return "only " + "; ".join(part for part in parts if part)


def _list(what: str, items: Iterable[str]) -> str:
    listed = ", ".join(items)
    return f"{what} {listed}" if listed else ""

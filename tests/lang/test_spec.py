"""Runs the pages of the language: every condition block gives the IR or the faults written below it."""

import re
from pathlib import Path

import pytest

from eyas.catalog import Catalog
from eyas.lang import CODES, FaultError, check, lower, parse, show, template_faults
from eyas.lang.diagnostics import Fault

SPEC = Path(__file__).parents[2] / "spec"
BLOCK = re.compile(r"```condition\n(.*?)\n?```\n\n```(ir|fault)\n(.*?)\n```", re.DOTALL)
EXAMPLE = re.compile(r"```(condition|output)\n(.*?)\n```", re.DOTALL)
CASES = [
    pytest.param(condition, expected, id=f"{page.stem}-{number}")
    for page in sorted((SPEC / "language").glob("*.md"))
    for number, (condition, _, expected) in enumerate(BLOCK.findall(page.read_text()))
]


def result(condition: str, catalog: Catalog) -> str:
    try:
        tree = parse(condition)
        faults = check(tree, catalog)
        return said(faults) if faults else show(lower(tree, catalog))
    except FaultError as error:
        return said([error.fault])


def said(faults: list[Fault]) -> str:
    return "\n".join(f"{f.code} {f.span[0]}-{f.span[1]} {f.message}" for f in faults)


@pytest.mark.parametrize(("condition", "expected"), CASES)
def test_the_manual_is_true(condition: str, expected: str, catalog: Catalog) -> None:
    assert result(condition, catalog) == expected


def test_every_block_of_the_manual_runs() -> None:
    pages = "".join(page.read_text() for page in (SPEC / "language").glob("*.md"))
    assert pages.count("```condition") == len(CASES) > 0


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in (SPEC / "errors").glob("[EW][0-9]*.md")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_code_has_that_fault(code: str, catalog: Catalog) -> None:
    page = (SPEC / "errors" / f"{code}.md").read_text()
    for kind, text in EXAMPLE.findall(page):
        if kind == "condition":
            assert result(text, catalog).startswith(code)
        else:
            assert [fault.code for fault in template_faults(text, catalog)] == [code]

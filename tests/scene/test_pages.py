"""The manual of state and fields is true."""

import pytest

from tests.scene.pages import Case, cases, pages, said

CASES = [
    pytest.param(case, id=f"{page.parent.name}/{page.stem}: {case.heading}")
    for page in pages()
    for case in cases(page.read_text())
]


@pytest.mark.parametrize("case", CASES)
def test_the_events_of_a_page_raise_its_alerts(case: Case) -> None:
    assert said(case) == case.alerts


def test_every_block_of_events_has_its_alerts() -> None:
    text = "".join(page.read_text() for page in pages())
    assert text.count("```events") == text.count("```alerts") == len(CASES) > 50

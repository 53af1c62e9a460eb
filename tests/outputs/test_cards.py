"""List and folder agree, and every card says what a card has to say."""

import importlib
from pathlib import Path

import pytest

import eyas.outputs
from eyas.errors import UsageError
from eyas.outputs import OUTPUTS
from eyas.outputs.card import find, module_of

FOLDER = Path(eyas.outputs.__file__).parent
SHARED = {"__init__", "card", "settings"}


def test_the_list_names_every_card_of_the_folder_once() -> None:
    assert len(set(OUTPUTS)) == len(OUTPUTS)
    assert {module_of(name) for name in OUTPUTS} == {path.stem for path in FOLDER.glob("*.py")} - SHARED


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_card_says_what_it_is(name: str) -> None:
    card = find(name)
    module = importlib.import_module(f"eyas.outputs.{module_of(name)}")
    assert card.name == name
    assert card.about and module.__doc__ and "\n" not in card.about
    assert card.settings.needs and set(card.settings.needs) <= set(card.settings.named())
    assert all(key == key.lower() for key in card.settings.named())


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_card_knows_no_other_card(name: str) -> None:
    text = (FOLDER / f"{module_of(name)}.py").read_text()
    others = {module_of(other) for other in OUTPUTS} - {module_of(name)}
    assert not [other for other in others if f"eyas.outputs.{other} import" in text]


def test_an_unknown_name_finds_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        find("slak")
    assert error.value.hint == "did you mean 'slack'?"

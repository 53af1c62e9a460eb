"""List and folder agree, and every card says what a card has to say."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import eyas.outputs
from eyas.errors import UsageError
from eyas.outputs import OUTPUTS
from eyas.outputs.card import find, library, module_of
from tests.outputs.cases import CASES

FOLDER = Path(eyas.outputs.__file__).parent
SHARED = {"__init__", "card", "settings", "values"}


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


HEAVY = (
    "aio_pika", "apprise", "azure", "boto3", "confluent_kafka", "google.auth", "grpc", "jinja2", "kubernetes", "nats",
    "opentelemetry", "paho", "prometheus_client", "psycopg", "pyarrow", "redis",
)  # fmt: skip


def test_cards_load_no_library_of_a_receiver() -> None:
    names = ", ".join(f"eyas.outputs.{module_of(name)}" for name in OUTPUTS)
    code = f"import sys, {names}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_library_that_is_not_there_is_a_fault_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from eyas.outputs.settings import load

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as error:
        load({"kafka": CASES["kafka"][""]}, {}, lambda *_: "eyas.yaml:3")
    hint = "pip install 'eyas[kafka]'"
    assert str(error.value) == f"eyas.yaml:3: kafka: the library 'confluent_kafka' is not installed; {hint}"


def test_a_library_that_is_not_there_when_it_is_needed_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UsageError) as error:
        library("redis", "redis")
    assert error.value.hint == "pip install 'eyas[redis]'"


def test_an_unknown_name_finds_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        find("slak")
    assert error.value.hint == "did you mean 'slack'?"

"""What Falcosidekick adds to every alert: fields, tags and the format of the text."""

import pytest

from eyas.alert import Alert
from eyas.hub.enrich import enriched
from eyas.outputs.body import event
from eyas.outputs.settings import Shared

ALERT = Alert(
    "R", "Critical", "syscall", ("b",), 0, "a <tags> happened", {"proc.aname[2]": "sh", "fd.name": "/x"}, "h"
)


def test_nothing_is_added_without_a_wish() -> None:
    assert enriched(ALERT, Shared()) is ALERT


def test_fields_and_tags_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "eu-1")
    shared = Shared(
        customfields="team:blue,cluster:%WHERE",
        templatedfields={"what": '{{ or (index . "no.such") (index . "fd.name") }}'},
        customtags="prod,a",
        bracketreplacer="_",
    )
    made = enriched(ALERT, shared)
    assert made.fields == {
        "proc.aname_2": "sh",
        "fd.name": "/x",
        "team": "blue",
        "cluster": "eu-1",
        "what": "/x",
    }
    assert made.tags == ("a", "b", "prod")


def test_the_text_follows_its_format_and_an_alert_fills_in_nothing() -> None:
    shared = Shared(
        outputfieldformat="<timestamp>: <priority> <output> <custom_fields> <tags>", customfields="k:v"
    )
    text = event.output(enriched(ALERT, shared))
    clock = event.output(ALERT).split(" ")[0]
    assert text == f"{clock} Critical a <tags> happened k=v b"
    assert "output" not in event.event(enriched(ALERT, shared)).get("eyas", {})


def test_an_empty_end_of_the_format_is_dropped() -> None:
    shared = Shared(outputfieldformat="<output> (<custom_fields> <templated_fields>)")
    assert event.output(enriched(ALERT, shared)) == "a <tags> happened"

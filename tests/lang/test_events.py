"""Which events a condition can match."""

from eyas.catalog import Catalog
from eyas.lang import events_of, parse


def names(text: str, catalog: Catalog) -> set[str] | None:
    ids = events_of(parse(text), catalog)
    return None if ids is None else {e.name for e in catalog.events if e.id in ids}


def test_names_give_sets_that_and_or_not_combine(catalog: Catalog) -> None:
    assert names("evt.type in (open, openat) and proc.name = a", catalog) == {"open", "openat"}
    assert names("evt.type = open or evt.type = close", catalog) == {"open", "close"}
    assert names("evt.type = open or proc.name = a", catalog) is None
    assert names("not (evt.type != open or evt.type = close)", catalog) == {"open"}


def test_every_event_of_a_name_is_meant(catalog: Catalog) -> None:
    ids = events_of(parse("evt.type = execve"), catalog)
    assert ids == catalog.ids["execve"]


def test_a_system_call_without_an_event_of_its_own_is_generic(catalog: Catalog) -> None:
    assert names("evt.type = setxattr", catalog) == {"syscall"}
    assert "syscall" in (names("evt.type != setxattr", catalog) or {"syscall"})


def test_a_condition_that_never_holds_has_no_events(catalog: Catalog) -> None:
    assert events_of(parse("evt.num = 0 and proc.name = a"), catalog) == frozenset()
    assert events_of(parse("not evt.num = 0"), catalog) is None

"""A way by which a source's bytes arrive: a transport, set up for the service."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from eyas.errors import RunError, UsageError
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.secret import Secret


@dataclass(frozen=True, slots=True)
class Way:
    """One way. `via` is its name in the configuration; `settings` is a dataclass whose fields say what they are."""

    via: str
    about: str
    settings: type[Any]
    open: Callable[[Any, Link], Iterator[Parcel]]
    probe: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know before a source can be reached."""

    name: str
    about: str
    required: bool
    secret: bool
    default: Any


def questions(way: Way) -> list[Question]:
    """What the settings of a way ask for; what is required comes first."""
    hints = get_type_hints(way.settings, include_extras=True)
    found = []
    for one in dataclasses.fields(way.settings):
        hint = hints[one.name]
        plain, about = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, "")
        required = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        secret = plain is Secret or Secret in get_args(plain)
        found.append(Question(one.name, about, required, secret, None if required else one.default))
    return sorted(found, key=lambda question: not question.required)


def read(way: Way, values: Mapping[str, Any], what: str) -> Any:
    """Settings of a way from plain values; UsageError names each that is wrong."""
    import pydantic

    known = {question.name for question in questions(way)}
    for name in values:
        if name not in known:
            raise UsageError(f"{what}: unknown key '{name}'", f"{way.via} knows {', '.join(sorted(known))}")
    try:
        return pydantic.TypeAdapter(way.settings).validate_python(dict(values))
    except pydantic.ValidationError as error:
        faults = [f"{what}: '{'.'.join(map(str, e['loc']))}': {e['msg'].lower()}" for e in error.errors()]
        raise UsageError("\n".join(faults)) from None


def mapped(
    parcels: Iterator[Parcel], change: Callable[[Parcel], bytes | None], link: Link
) -> Iterator[Parcel]:
    """Parcels with other bodies. None leaves a parcel out; what cannot be changed is refused."""
    for parcel in parcels:
        try:
            body = change(parcel)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, RunError) as error:
            link.status.refuse("not understood", parcel.origin, f"{type(error).__name__}: {error}"[:300])
            parcel.settle(Outcome.REFUSED)
            continue
        if body is None:
            parcel.settle(Outcome.SAFE)
        else:
            yield replace(parcel, body=body)

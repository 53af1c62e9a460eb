"""A catalogue for tests of the language: fields as data, events from the schema, no compiled core."""

import functools
import json
from pathlib import Path

import pytest

from eyas.catalog import Catalog

ROOT = Path(__file__).parents[2]


@functools.cache
def read_catalog() -> Catalog:
    schema = json.loads((ROOT / "schema/events.json").read_text())
    fields = json.loads(Path(__file__).with_name("fields.json").read_text())
    syscalls = [[name, code] for code, name in schema["syscall_codes"]]
    return Catalog.from_json(json.dumps({"fields": fields, "events": schema["events"], "syscalls": syscalls}))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_catalog()

"""IR of small conditions, kept as files. `EYAS_RENEW=1 pytest tests/lang` writes them anew."""

import json
import os
from pathlib import Path

import pytest

from eyas.catalog import Catalog
from eyas.lang import lower, parse

GOLDENS = Path(__file__).parents[1] / "goldens" / "ir"
CONDITIONS = {
    "groups-of-one-kind-become-one": "proc.name = a and (fd.num = 1 and (not not fd.name exists))",
    "a-set-of-names": "evt.type in (open, openat) and proc.name in (sh, 'my shell')",
    "an-ancestor-by-number": "proc.aname[2] = sshd and evt.arg.flags contains O_CREAT",
    "a-modifier-keeps-its-list": "fd.name startswith anyof (/etc, /usr) and fd.num = oneof (1, 2)",
    "a-field-on-the-right": "proc.name = val(proc.pname) and tolower(proc.exe) != basename(proc.exepath)",
    "transformers-nest": 'join(", ", (tolower(proc.name), proc.pid, "x", 3)) = "a, 1, x, 3"',
    "an-option-of-a-command": 'getopt((proc.name, "-a"), "a:")[a] exists',
    "typed-constants": 'fd.sport = ssh and fd.sip = "::1" and fd.snet = 10.1.2.3/8 and thread.cpu > 0.5',
    "bytes-and-host-names": r'evt.buffer bcontains DEAD and evt.buffer = "\x00\xff" and fd.sip.name = a.org',
    "between-two-integers": "evt.num < 10.5 and fd.num = 1.5",
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_ir_is_as_written(name: str, catalog: Catalog) -> None:
    made = {"condition": CONDITIONS[name], "ir": lower(parse(CONDITIONS[name]), catalog)}
    path = GOLDENS / f"{name}.json"
    if os.environ.get("EYAS_RENEW"):
        path.write_text(json.dumps(made, indent=1) + "\n")
    assert made == json.loads(path.read_text())


def test_every_golden_is_tested() -> None:
    assert {path.stem for path in GOLDENS.glob("*.json")} == set(CONDITIONS)

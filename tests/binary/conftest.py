"""Plugins compiled for the tests, and rules over what they give."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
Compile = Callable[..., Path]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compile a plugin of this folder, with definitions."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed: no plugin can be compiled here")
    folder = tmp_path_factory.mktemp("plugin")

    def compile_(name: str, *definitions: str) -> Path:
        made = folder / f"lib{name}{len(list(folder.iterdir()))}.so"
        flags = ["-shared", "-fPIC", "-w", *(f"-D{one}" for one in definitions)]
        subprocess.run([compiler, *flags, "-o", made, FOLDER / f"{name}.c"], check=True, timeout=60)
        return made

    return compile_


@pytest.fixture(scope="session")
def library(compiled: Compile) -> Path:
    """A plugin with events, fields, parsing and asynchronous events."""
    return compiled("plugin")


@pytest.fixture(scope="session")
def looker(compiled: Compile) -> Path:
    """The same plugin without events of its own: it extracts from those of the source json."""
    return compiled("plugin", "LOOKS_ONLY")


def write_rules(path: Path, *, source: str, condition: str, output: str, **needs: Mapping[str, Any]) -> Path:
    """Write a file with one rule, and what it needs beside."""
    rule = {"rule": "r", "desc": "d", "source": source, "condition": condition, "output": output}
    path.write_text(json.dumps([*needs.values(), {**rule, "priority": "NOTICE"}]))
    return path

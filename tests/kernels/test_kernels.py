"""The probe's parameter tests on every kernel that Debian still has: each boots in QEMU and runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kernels import machine


@pytest.fixture(scope="session")
def binary() -> Path:
    """The parameter tests as one program."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not here to build the parameter tests")
    command = [
        "cargo",
        "test",
        "-p",
        "eyas-probe",
        "--test",
        "parameters",
        "--no-run",
        "--message-format=json",
    ]
    done = subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True, check=True)
    built = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(Path(one["executable"]) for one in built if one.get("executable"))


@pytest.mark.parametrize("series", ["5.10", "6.1", "6.12"])
def test_every_parameter_is_right_on_a_kernel(series: str, binary: Path, tmp_path: Path) -> None:
    """Boots the newest kernel of the series."""
    try:
        printed = machine.boot(machine.kernel(series), binary, tmp_path)
    except machine.UnavailableError as error:
        pytest.skip(str(error))
    assert "ended with 0" in printed, printed[-6000:]
    assert "clock of this machine is not ours" not in printed, printed[-2000:]
    assert "skipped on tp_btf" not in printed, printed[-2000:]
    if series != "5.10":
        assert "compared between fentry and tp_btf" in printed, printed[-2000:]

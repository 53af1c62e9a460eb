"""What is said twice agrees: reference pages, the stub of the core, the schema's views."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_pages_say_what_the_product_says() -> None:
    """A process of its own: commands remember how a test called them, and their help shows it."""
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_stub_describes_the_core() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "eyas._core"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_views_of_the_schema_are_fresh() -> None:
    done = subprocess.run([sys.executable, "schema/generate.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0

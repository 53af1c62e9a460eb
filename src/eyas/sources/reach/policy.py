"""The least rights that a source needs, as text to give to the service. The texts are files in `policies`."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eyas.sources.reach.way import Way, questions

FOLDER = Path(__file__).parents[1] / "policies"
# Transports that are the same thing whatever they carry.
SHARED = {"s3": "aws.s3", "sqs": "aws.sqs", "cloudwatch": "aws.cloudwatch"}


def text(source: str, way: Way, values: Mapping[str, Any]) -> str:
    """What to give to the service; empty when the way needs no rights there."""
    for stem in (f"{source}.{way.via}", SHARED.get(way.via, "")):
        for path in FOLDER.glob(f"{stem}.*") if stem else ():
            return string.Template(path.read_text()).safe_substitute(_filled(way, values))
    return ""


def _filled(way: Way, values: Mapping[str, Any]) -> dict[str, str]:
    """What is set, else the default, else the name in capitals, as a place to fill in."""
    found = {}
    for question in questions(way):
        given = values.get(question.name, question.default)
        if question.name == "queue" and given:
            given = str(given).rpartition("/")[2]  # the name of a queue ends its address
        if question.secret:
            continue
        found[question.name] = (
            question.name.upper() if question.required and given is None else str(given or "")
        )
    return found

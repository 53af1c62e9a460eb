"""Every receiver has a golden request, read by people. `EYAS_RENEW=1 pytest tests/outputs` writes them anew."""

import gzip
import io
import json
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from eyas.delivery import Request
from eyas.outputs import OUTPUTS
from eyas.outputs.card import find, plan
from tests.outputs.cases import ALERT, CASES

GOLDENS = Path(__file__).parents[1] / "goldens" / "requests"
NAMED = [(name, variant) for name, variants in CASES.items() for variant in variants]


@pytest.mark.parametrize(("name", "variant"), NAMED)
def test_the_request_is_as_written(name: str, variant: str) -> None:
    card = find(name)
    made = plan(card, [ALERT], card.settings.model_validate(CASES[name][variant]))
    text = "\n\n".join(written(request) for request in made) + "\n"
    path = GOLDENS / f"{name}{'-' if variant else ''}{variant}.http"
    if os.environ.get("EYAS_RENEW"):
        path.write_text(text)
    assert text == path.read_text()


def test_every_receiver_has_a_golden_and_every_golden_a_receiver() -> None:
    assert list(CASES) == list(OUTPUTS)
    names = {f"{name}{'-' if variant else ''}{variant}" for name, variant in NAMED}
    assert {path.stem for path in GOLDENS.glob("*.http")} == names


def written(request: Request) -> str:
    head = [f"{request.method} {request.url}", *(f"{k}: {v}" for k, v in request.headers.items())]
    body = request.body
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if kind := protobuf(request):
        body = json_format.MessageToJson(kind.FromString(body)).encode()
    if body.startswith(b"PAR1"):
        body = json.dumps(pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()).encode()
    return "\n".join([*head, "", *pretty(body)])


def protobuf(request: Request) -> type[Message] | None:
    """Kind of message in the body."""
    words = f"{request.method} {request.url}"
    if words.startswith("COUNT http"):
        return NumberDataPoint
    if "Export" not in words and request.headers.get("Content-Type") != "application/x-protobuf":
        return None
    return ExportTraceServiceRequest if "trace" in words else ExportLogsServiceRequest


def pretty(body: bytes) -> list[str]:
    text = body.decode("utf-8", "backslashreplace")
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False).splitlines()
    except ValueError:
        return text.splitlines()

"""Elasticsearch and OpenSearch: the alert as a document, one by one or in bulk, in an index or a data stream."""

import gzip
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, classify, delivered, refused, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import basic, join, part, reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER, Headers, Url

SUFFIXES = {"daily": "-%Y.%m.%d", "monthly": "-%Y.%m", "annually": "-%Y", "none": ""}
_FIELD = re.compile(r"field \[(?:output_fields\.)?([^\]]+)\]")


class Batching(BaseModel):
    """Keys below `elasticsearch.batching`; the queue batches by itself, so that only `enabled` has a meaning."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    enabled: bool = True
    batchsize: int = 5_242_880
    flushinterval: str = "1s"


class Settings(HttpSettings):
    """Keys below `elasticsearch`."""

    needs = ("hostport",)
    hostport: Url
    index: str = "falco"
    type: str = "_doc"
    pipeline: str = ""
    suffix: Annotated[Literal["daily", "monthly", "annually", "none"], LOWER] = "daily"
    username: str = ""
    password: SecretStr = SecretStr("")
    apikey: SecretStr = SecretStr("")
    flattenfields: bool = False
    createindextemplate: bool = False
    numberofshards: int = 3
    numberofreplicas: int = 3
    customheaders: Headers = {}
    enablecompression: bool = False
    datastream: bool = False
    batching: Batching = Batching()


def request(alert: Alert, settings: Settings) -> Request:
    """One document. Its id is that of the alert, so that a repeat is no second document."""
    kind = "_create" if settings.datastream else settings.type
    path = [part(_index(alert, settings)), part(kind), event.identity(alert)]
    return _send("POST", path, event.encode(_document(alert, settings)), settings)


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many documents in bulk."""
    if len(alerts) == 1 or not settings.batching.enabled:
        return [request(alert, settings) for alert in alerts]
    verb = "create" if settings.datastream else "index"
    lines = []
    for alert in alerts:
        lines.append(event.encode({verb: {"_index": _index(alert, settings), "_id": event.identity(alert)}}))
        lines.append(event.encode(_document(alert, settings)))
    return [_send("POST", ["_bulk"], b"\n".join(lines) + b"\n", settings, "application/x-ndjson")]


def prepare(settings: Settings) -> list[Request]:
    """The index template `falco`, if it is asked for; a data stream always needs one."""
    if not (settings.createindextemplate or settings.datastream):
        return []
    return [_send("PUT", ["_index_template", "falco"], event.encode(_template(settings)), settings)]


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """A bulk answer holds a status for each document; a document that exists already has been delivered before."""
    if status == 409:
        return delivered()
    answer = classify(status, headers, body)
    failed = _failed(body) if status == 200 else []
    if not failed:
        return answer
    reason = json.dumps(failed[0].get("error"))[:300]
    if any(item["status"] == 429 or item["status"] >= 500 for item in failed):
        return retry(f"{len(failed)} documents: {reason}")
    return refused(f"{len(failed)} documents: {reason}")


def mend(request: Request, answer: bytes) -> Request | None:
    """The document without the field that does not fit the mapping."""
    found = _FIELD.search(answer.decode("utf-8", "replace"))
    if found is None or (b"mapper_parsing" not in answer and b"document_parsing" not in answer):
        return None
    packed = request.headers.get("Content-Encoding") == "gzip"
    document = json.loads(gzip.decompress(request.body) if packed else request.body)
    fields = document.get("output_fields", {})
    name = next((key for key in fields if key == found[1] or key.startswith(f"{found[1]}.")), None)
    if name is None:
        return None
    del fields[name]
    body = event.encode(document)
    return Request(
        request.method, request.url, request.headers, gzip.compress(body, mtime=0) if packed else body
    )


def _failed(body: bytes) -> list[dict[str, Any]]:
    try:
        items = [next(iter(item.values())) for item in json.loads(body).get("items", [])]
    except (ValueError, AttributeError):
        return []
    return [item for item in items if item.get("status", 200) >= 300 and item.get("status") != 409]


def _document(alert: Alert, settings: Settings) -> dict[str, Any]:
    made = event.event(alert) | {"@timestamp": event.timestamp(alert)}
    if settings.flattenfields or settings.createindextemplate:
        made["output_fields"] = {key.replace(".", "_"): value for key, value in made["output_fields"].items()}
    return made


def _index(alert: Alert, settings: Settings) -> str:
    if settings.datastream:
        return settings.index
    return settings.index + time.strftime(SUFFIXES[settings.suffix], time.gmtime(event.seconds(alert)))


def _send(
    method: str, path: list[str], body: bytes, settings: Settings, kind: str = "application/json"
) -> Request:
    key = reveal(settings.apikey)
    head = {"Authorization": f"ApiKey {key}"} if key else basic(settings.username, settings.password)
    if settings.enablecompression:
        head, body = head | {"Content-Encoding": "gzip"}, gzip.compress(body, mtime=0)
    url = join(settings.hostport, *path)
    if settings.pipeline and method == "POST":
        url += f"?pipeline={part(settings.pipeline)}"
    return send(method, url, body, head | settings.customheaders, kind)


def _template(settings: Settings) -> dict[str, Any]:
    word = {"type": "keyword"}
    words = ("uuid", "rule", "priority", "source", "hostname", "tags")
    template = {
        "settings": {
            "index": {
                "number_of_shards": settings.numberofshards,
                "number_of_replicas": settings.numberofreplicas,
            }
        },
        "mappings": {
            "dynamic_templates": [
                {
                    "words": {
                        "path_match": "output_fields.*",
                        "match_mapping_type": "string",
                        "mapping": {"type": "keyword", "ignore_above": 8191},
                    }
                }
            ],
            "properties": {
                "@timestamp": {"type": "date"},
                "time": {"type": "date"},
                "output": {"type": "text"},
            }
            | dict.fromkeys(words, word),
        },
    }
    pattern = settings.index if settings.datastream or settings.suffix == "none" else f"{settings.index}-*"
    made: dict[str, Any] = {"index_patterns": [pattern], "priority": 200, "template": template}
    return made | {"data_stream": {}} if settings.datastream else made


OUTPUT = Output(
    "elasticsearch",
    "Elasticsearch and OpenSearch: the alert as a document",
    Settings,
    request,
    requests=requests,
    batch=500,
    prepare=prepare,
    judge=judge,
    mend=mend,
)

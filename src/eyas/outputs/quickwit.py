"""Quickwit: the alert as a document of an index, which can be made for it."""

from collections.abc import Sequence
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import join, part, post, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, Url

WORDS = ("uuid", "hostname", "priority", "source", "rule")


class Settings(HttpSettings):
    """Keys below `quickwit`."""

    needs = ("hostport",)
    hostport: Url
    apiendpoint: str = "api/v1"
    index: str = "falco"
    version: str = "0.7"
    autocreateindex: bool = False
    customheaders: Headers = {}


def prepare(settings: Settings) -> list[Request]:
    """The index; that it exists already is answered with 400."""
    if not settings.autocreateindex:
        return []
    return [
        post(
            join(settings.hostport, settings.apiendpoint, "indexes"),
            _mapping(settings),
            settings.customheaders,
        )
    ]


def request(alert: Alert, settings: Settings) -> Request:
    """One document."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many documents, a line each."""
    url = join(settings.hostport, settings.apiendpoint, part(settings.index), "ingest")
    return [send("POST", url, b"\n".join(map(event_json, alerts)), settings.customheaders)]


def _mapping(settings: Settings) -> dict[str, Any]:
    fields = [
        {"name": "time", "type": "datetime", "fast": True},
        *({"name": name, "type": "text", "fast": True} for name in WORDS),
        {"name": "output", "type": "text"},
        {"name": "tags", "type": "array<text>", "fast": True},
        {"name": "output_fields", "type": "json", "fast": True},
    ]
    dynamic = {"description": "Falco", "fast": True, "expand_dots": True, "indexed": True, "stored": True}
    return {
        "index_id": settings.index,
        "version": settings.version,
        "search_settings": {
            "default_search_fields": ["rule", "source", "output", "priority", "hostname", "tags"]
        },
        "doc_mapping": {
            "dynamic_mapping": dynamic | {"record": "basic", "tokenizer": "raw"},
            "field_mappings": fields,
            "mode": "dynamic",
            "store_source": True,
            "timestamp_field": "time",
        },
    }


OUTPUT = Output(
    "quickwit",
    "Quickwit: the alert as a document of an index",
    Settings,
    request,
    requests=requests,
    batch=500,
    prepare=prepare,
)

"""Azure Event Hubs: the alert as an event of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, refused, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal
from eyas.outputs.card import Output, Settings, library


class HubSettings(Settings):
    """Keys below `azure.eventhub`. Without a connection string the identity of the machine counts."""

    needs = ("name", "namespace")
    name: str
    namespace: str
    connectionstring: SecretStr = SecretStr("")


def request(alert: Alert, settings: HubSettings) -> Request:
    """One event, once."""
    head = {"message-id": event.identity(alert), "content-type": "application/json"}
    return Request("SEND", f"amqps://{_host(settings)}/{settings.name}", head, event.event_json(alert))


def _host(settings: HubSettings) -> str:
    name = settings.namespace
    return name if "." in name else f"{name}.servicebus.windows.net"


class Link:
    """A producer."""

    def __init__(self, settings: HubSettings) -> None:
        self.hub = library("azure.eventhub", "azure")
        self.errors = library("azure.eventhub.exceptions", "azure")
        self.core = library("azure.core.exceptions", "azure")
        self.settings = settings
        self.client: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """As many events at once as a batch of the service holds."""
        answers: list[Answer] = []
        try:
            self.client = self.client or self._connect()
            while len(answers) < len(batch):
                answers += self._some(batch[len(answers) :])
            return answers
        except (self.errors.EventHubError, self.core.AzureError, OSError) as error:
            self.close()
            return answers + [retry(f"Event Hubs: {error}"[:300])] * (len(batch) - len(answers))

    def close(self) -> None:
        """Hang up."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def _some(self, batch: Sequence[Request]) -> list[Answer]:
        room = self.client.create_batch()
        for count, request in enumerate(batch):
            data = self.hub.EventData(request.body)
            data.message_id, data.content_type = (
                request.headers["message-id"],
                request.headers["content-type"],
            )
            try:
                room.add(data)
            except ValueError:  # the batch is full; an event that no batch holds is refused
                if count == 0:
                    return [refused(f"{len(request.body)} bytes do not fit a batch")]
                batch = batch[:count]
                break
        self.client.send_batch(room)
        return [delivered() for _ in batch]

    def _connect(self) -> Any:
        kind, name = self.hub.EventHubProducerClient, self.settings.name
        text = reveal(self.settings.connectionstring)
        if text:
            return kind.from_connection_string(text, eventhub_name=name, retry_total=0)
        identity = library("azure.identity", "azure").DefaultAzureCredential()
        return kind(_host(self.settings), name, identity, retry_total=0)


def open_link(settings: HubSettings) -> Sender:
    """A producer."""
    return Link(settings)


OUTPUT = Output(
    "azure.eventhub",
    "Azure Event Hubs: an event of a hub",
    HubSettings,
    request,
    open=open_link,
    batch=100,
    libraries={"azure.eventhub": "azure"},
    largest=250_000,
)

"""MQTT: the alert under a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, retry
from eyas.delivery.http import context
from eyas.errors import UsageError
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal
from eyas.outputs.card import WHOLE, Output, Settings, library
from eyas.outputs.wire.sockets import PATIENCE

SECURE = frozenset(("ssl", "tls", "mqtts", "wss"))


class MqttSettings(Settings):
    """Keys below `mqtt`."""

    needs = ("broker",)
    broker: str
    topic: str = "falco/events"
    qos: Literal[0, 1, 2, "0", "1", "2"] = 1
    retained: bool = False
    user: str = ""
    password: SecretStr = SecretStr("")
    checkcert: bool = True
    mutualtls: bool = False


def request(alert: Alert, settings: MqttSettings) -> Request:
    """One message."""
    head = {"topic": settings.topic, "qos": str(settings.qos), "retain": str(settings.retained).lower()}
    return Request("PUBLISH", settings.broker, head, event.event_json(alert))


class Link:
    """A client with a thread of its own; whenever the connection is gone, the next batch makes a new one."""

    def __init__(self, settings: MqttSettings) -> None:
        self.mqtt = library("paho.mqtt.client", "mqtt")
        self.settings = settings
        self.client: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All messages; with a quality of 1 or 2 the broker acknowledges each."""
        try:
            if self.client is None or not self.client.is_connected():
                self._connect()
            sent = [self._publish(request) for request in batch]
            return [_answer(message) for message in sent]
        except (OSError, ValueError, RuntimeError, TimeoutError) as error:
            self.close()
            return [retry(f"MQTT: {error or type(error).__name__}") for _ in batch]

    def close(self) -> None:
        """Hang up."""
        if self.client is not None:
            self.client.disconnect()
            self.client.loop_stop()
            self.client = None

    def _publish(self, request: Request) -> Any:
        head = request.headers
        return self.client.publish(head["topic"], request.body, int(head["qos"]), head["retain"] == "true")

    def _connect(self) -> None:
        import threading

        self.close()
        scheme, host, port = _where(self.settings.broker)
        transport = "websockets" if scheme in ("ws", "wss") else "tcp"
        client = self.mqtt.Client(self.mqtt.CallbackAPIVersion.VERSION2, transport=transport)
        if self.settings.user:
            client.username_pw_set(self.settings.user, reveal(self.settings.password))
        if scheme in SECURE:
            client.tls_set_context(context(self.settings.trust))
        said: list[Any] = []
        ready = threading.Event()

        def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            said.append(reason)
            ready.set()

        client.on_connect = connected
        client.connect_timeout = PATIENCE
        client.connect(host, port)
        client.loop_start()
        self.client = client
        if not ready.wait(PATIENCE):
            raise TimeoutError("no answer of the broker")
        if said[0].is_failure:
            raise OSError(f"the broker says: {said[0]}")


def _answer(message: Any) -> Answer:
    message.wait_for_publish(PATIENCE)
    return delivered() if message.is_published() else retry("MQTT: not acknowledged in time")


def _where(broker: str) -> tuple[str, str, int]:
    url = urlsplit(broker if "://" in broker else f"tcp://{broker}")
    if not url.hostname:
        raise UsageError(f"broker '{broker}': expected tcp://host:port")
    return url.scheme, url.hostname, url.port or (8883 if url.scheme in SECURE else 1883)


def open_link(settings: MqttSettings) -> Sender:
    """A client."""
    return Link(settings)


OUTPUT = Output(
    "mqtt",
    "MQTT: the alert under a topic",
    MqttSettings,
    request,
    open=open_link,
    batch=100,
    libraries={"paho": "mqtt"},
    largest=WHOLE,
)

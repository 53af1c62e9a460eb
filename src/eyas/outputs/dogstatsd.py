"""DogStatsD: counters of alerts, with native tags."""

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body.statsd import tagged
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import Items
from eyas.outputs.wire.sockets import Datagrams, endpoint


class DogstatsdSettings(Settings):
    """Keys below `dogstatsd`."""

    needs = ("forwarder",)
    forwarder: str
    namespace: str = "falcosidekick."
    tags: Items = []


def request(alert: Alert, settings: DogstatsdSettings) -> Request:
    """One datagram."""
    body = tagged(alert, settings.namespace, settings.tags)
    return Request("COUNT", f"udp://{settings.forwarder}", {}, body)


def open_link(settings: DogstatsdSettings) -> Sender:
    """Datagrams to the forwarder."""
    return Datagrams(*endpoint(settings.forwarder, 8125))


OUTPUT = Output(
    "dogstatsd",
    "DogStatsD: counters with tags",
    DogstatsdSettings,
    request,
    open=open_link,
    batch=100,
    counts=True,
)

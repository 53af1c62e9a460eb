"""StatsD: counters of alerts, with the priority in their names."""

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body.statsd import plain
from eyas.outputs.card import Output, Settings
from eyas.outputs.wire.sockets import Datagrams, endpoint


class StatsdSettings(Settings):
    """Keys below `statsd`."""

    needs = ("forwarder",)
    forwarder: str
    namespace: str = "falcosidekick."


def request(alert: Alert, settings: StatsdSettings) -> Request:
    """One datagram."""
    return Request("COUNT", f"udp://{settings.forwarder}", {}, plain(alert, settings.namespace))


def open_link(settings: StatsdSettings) -> Sender:
    """Datagrams to the forwarder."""
    return Datagrams(*endpoint(settings.forwarder, 8125))


OUTPUT = Output(
    "statsd", "StatsD: counters of alerts", StatsdSettings, request, open=open_link, batch=100, counts=True
)

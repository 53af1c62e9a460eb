"""`eyas hub`: take alerts of others, keep them and send them on, without watching anything."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from eyas import config
from eyas.alert import Alert, Style
from eyas.cli import keeping, logs
from eyas.cli.options import DEFAULT_CONFIG
from eyas.cli.speaking import Voice, beside
from eyas.config import schema
from eyas.hub import metrics, sidekick, web
from eyas.hub import settings as sections
from eyas.hub.hub import Hub, Plan


@click.command("hub")
@click.option("-c", "--config", "config_file", type=Path, help="Configuration: eyas.yaml or falco.yaml.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Override a setting; repeatable.")
@click.option("--falcosidekick", type=Path, help="A configuration of Falcosidekick.")
@click.option("--store", type=Path, help="Folder of the store.")
@click.option("--print", "aloud", is_flag=True, help="Print alerts as JSON lines.")
def command(
    config_file: Path | None,
    options: tuple[str, ...],
    falcosidekick: Path | None,
    store: Path | None,
    aloud: bool,
) -> None:
    """Take alerts by HTTP where Falcosidekick stood, keep them, and send them to the receivers that are on.

    Falco, Tetragon, Sigma-like JSON and OCSF are understood. It needs no root and watches nothing itself.

    \b
    eyas hub --falcosidekick /etc/falcosidekick/config.yaml
    SLACK_WEBHOOKURL=https://… eyas hub -o alerts.listen.address=0.0.0.0
    """
    found = config.load(config_file or _default(), options)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    settings = found.settings
    logs.begin(settings.log_level, settings.log_stderr, settings.log_syslog)
    keep = _keep(settings, falcosidekick, store)
    stop = _until_told()
    voice = beside(stop.set) if aloud else None
    said = _quiet if voice is None else _speaker(voice)
    hub = Hub(Plan(keep, keeping.targets(settings, keep, Style(json_output=True)), said=said))
    served: list[web.Served] = []
    try:
        served += serving(hub, settings.webserver, keep.listen)
        _tell(hub, keep.listen, served)
        stop.wait()
    finally:
        keeping.closed(hub, served)
    if voice is not None:
        voice.close()
        if voice.error is not None:
            raise voice.error


def serving(hub: Hub, server: schema.Webserver, listen: sections.Listener) -> Iterator[web.Served]:
    """The doors for alerts first, then health and metrics."""
    from eyas import _core

    collector = metrics.Collector(hub, None, _core.__version__)
    yield from keeping.doors(hub, collector, listen)
    if server.enabled:
        certificate = server.ssl_certificate if server.ssl_enabled else ""
        place = web.Place(server.listen_address, server.listen_port, certificate)
        yield web.Served(web.health(hub, collector, server.k8s_healthz_endpoint), place)


def _tell(hub: Hub, listen: sections.Listener, served: Sequence[web.Served]) -> None:
    """Say where alerts are taken, and who hears of them."""
    names = ", ".join(worker.receiver.name for worker in hub.workers) or "no receiver"
    click.echo(f"eyas: listening on {listen.address}:{served[0].port}, sending to {names}", err=True)
    if listen.certificate and listen.plain_paths:
        place, paths = f"{listen.address}:{served[1].port}", ", ".join(listen.plain_paths)
        click.echo(f"eyas: listening without TLS on {place} for {paths}", err=True)


def _default() -> Path | None:
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def _keep(settings: config.Settings, falcosidekick: Path | None, store: Path | None) -> sections.Settings:
    """The section `alerts` with what the command line says."""
    told = {"falcosidekick": falcosidekick, "store": store}
    found = sections.load(settings.alerts, settings.place)
    found = found.model_copy(update={key: str(value) for key, value in told.items() if value is not None})
    file = sidekick.read(Path(found.falcosidekick)) if found.falcosidekick else None
    return found.model_copy(update={"listen": _listener(found.listen, file)})


def _listener(listen: sections.Listener, file: sidekick.File | None) -> sections.Listener:
    """Where to listen: as `alerts.listen` says, else as Falcosidekick's file and variables do."""
    door = sidekick.door(file or sidekick.File())
    told: dict[str, object] = {}
    if door.listenaddress is not None or file is not None:
        told["address"] = door.listenaddress or sidekick.EVERYWHERE
    if door.listenport is not None:
        told["port"] = door.listenport
    tls = door.tlsserver
    if tls.deploy:
        told |= {
            "certificate": tls.certfile,
            "key": tls.keyfile,
            "client_ca": tls.cacertfile if tls.mutualtls else "",
        }
        told |= {"plain_port": tls.notlsport, "plain_paths": tls.notlspaths}
    return listen.model_copy(update={k: v for k, v in told.items() if k not in listen.model_fields_set})


def _until_told() -> threading.Event:
    """Set by SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _speaker(voice: Voice) -> keeping.Taker:
    return lambda alert: voice.say(alert.json(Style(json_output=True)))


def _quiet(_: Alert) -> None:
    """Say nothing."""

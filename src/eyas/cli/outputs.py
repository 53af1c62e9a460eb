"""`eyas outputs`: receivers of alerts, tried out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from eyas import config
from eyas.alert import Alert, Style, unseen
from eyas.cli.alerts.options import folder_of
from eyas.cli.options import DEFAULT_CONFIG
from eyas.delivery import Outcome, Request, journal
from eyas.errors import FINDINGS, UsageError
from eyas.hub import own, receivers
from eyas.hub import settings as sections
from eyas.hub.routing import Target
from eyas.outputs import OUTPUTS
from eyas.outputs.body import markup
from eyas.outputs.card import find

LONGEST = 4000

config_option = click.option(
    "-c", "--config", "config_file", type=Path, help="Configuration: eyas.yaml or falco.yaml."
)
sidekick_option = click.option("--falcosidekick", type=Path, help="A configuration of Falcosidekick.")


@click.group("outputs")
def command() -> None:
    """Receivers of alerts: which there are, which are on, and whether they answer.

    Settings stand below `outputs` in the configuration under the names of Falcosidekick (`slack: {webhookurl: …}`),
    or in the environment (`SLACK_WEBHOOKURL`). `slack@ops` is a second Slack.

    \b
    eyas outputs list
    eyas outputs test slack -c eyas.yaml
    """


@command.command("list")
@config_option
@sidekick_option
@click.option("--on", "only_on", is_flag=True, help="Only those that are switched on.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def list_command(config_file: Path | None, falcosidekick: Path | None, only_on: bool, as_json: bool) -> None:
    """List receivers, and how many alerts wait for each, or were refused by it."""
    targets = {one.receiver.name: one for one in _targets(config_file, falcosidekick)}
    depths = _depths(config_file)
    for name in dict.fromkeys((*OUTPUTS, *receivers.OWN, *targets, *depths)):
        on = name in targets
        if only_on and not on:
            continue
        about = (
            find(name.partition("@")[0]).about
            if name.partition("@")[0] in OUTPUTS
            else "output of falco.yaml"
        )
        depth, refused = depths.get(name, (0, 0))
        if as_json:
            facts = {"name": name, "about": about, "on": on, "waiting": depth, "refused": refused}
            click.echo(json.dumps(facts))
        else:
            counts = ((depth, "waiting"), (refused, "refused"))
            states = ", ".join(f"{number} {state}" for number, state in counts if number)
            waits = f"  ({states})" if states else ""
            click.echo(f"{'on ' if on else '   '} {name:<22} {about}{waits}")


@command.command("preview")
@click.argument("name")
@config_option
@sidekick_option
@click.option("--alert", "file", type=click.File("rb"), help="An alert as JSON; a made-up one if not given.")
def preview_command(name: str, config_file: Path | None, falcosidekick: Path | None, file: Any) -> None:
    """Print the request that NAME would get, without secrets."""
    target = _chosen(name, config_file, falcosidekick)
    shown = _read(file.read()) if file else own.example()
    for request in target.receiver.plan([shown]):
        click.echo(target.receiver.hide(text_of(request)))


@command.command("test")
@click.argument("name")
@config_option
@sidekick_option
def test_command(name: str, config_file: Path | None, falcosidekick: Path | None) -> int:
    """Send a marked test alert to NAME, now and past the queue."""
    receiver = _chosen(name, config_file, falcosidekick).receiver
    requests = receiver.plan([own.example()])
    sender = receiver.open()
    try:
        answers = sender.send(requests)
    finally:
        sender.close()
    bad = [answer for answer in answers if answer.outcome is not Outcome.DELIVERED]
    for answer in bad:
        click.echo(f"{name}: {answer.outcome.value}: {receiver.hide(answer.reason)}", err=True)
    if not bad:
        click.echo(f"{name}: delivered", err=True)
    return FINDINGS if bad else 0


@command.command("retry")
@click.argument("name")
@click.option("--store", type=Path, help="Folder of the store.")
@config_option
def retry_command(name: str, store: Path | None, config_file: Path | None) -> None:
    """Put what NAME refused back into its queue."""
    db = journal.connect(folder_of(store, config_file))
    try:
        click.echo(f"{journal.requeue(db, name)} alerts wait for {name} again", err=True)
    finally:
        db.close()


def text_of(request: Request) -> str:
    """A request as text: first line, head, body."""
    head = [
        f"{request.method} {request.url}",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    return "\n".join([*head, "", _body(request.body)])


def _body(body: bytes) -> str:
    try:
        return unseen(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    except ValueError:
        pass
    try:
        return "\n".join(markup.line(one) for one in body.decode()[:LONGEST].split("\n"))
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"


def _read(raw: bytes) -> Alert:
    from eyas.delivery import stored

    try:
        return stored.alert_of(json.loads(raw))
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"--alert: not an alert: {error}") from None


def _targets(config_file: Path | None, falcosidekick: Path | None) -> list[Target]:
    file = config_file or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    settings = config.load(file).settings
    section = sections.load(settings.alerts, settings.place)
    if falcosidekick is not None:
        section = section.model_copy(update={"falcosidekick": str(falcosidekick)})
    found, warnings = receivers.load(settings.outputs, section, settings.place)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return [*own.targets(settings, Style(json_output=settings.json_output)), *found]


def _chosen(name: str, config_file: Path | None, falcosidekick: Path | None) -> Target:
    found = {one.receiver.name: one for one in _targets(config_file, falcosidekick)}
    if name in found:
        return found[name]
    if name.partition("@")[0] not in (*OUTPUTS, *receivers.OWN):
        find(name)
    needs = ", ".join(find(name).settings.needs) if name in OUTPUTS else "enabled"
    raise UsageError(f"output '{name}' is not switched on", f"it needs {name}.{needs} in the configuration")


def _depths(config_file: Path | None) -> dict[str, tuple[int, int]]:
    """Of every receiver that the store knows: how many alerts wait for it, how many it refused."""
    folder = folder_of(None, config_file)
    if not (folder / journal.FILE).exists():
        return {}
    db = journal.connect(folder, readonly=True)
    try:
        refused = journal.refused(db)
        names = dict.fromkeys((*journal.outputs(db), *refused))
        return {name: (journal.depth(db, name).count, refused.get(name, 0)) for name in names}
    finally:
        db.close()

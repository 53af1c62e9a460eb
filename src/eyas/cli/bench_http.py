"""`eyas bench http`: bodies posted over TLS, judged by rules, and answered when they are safe."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from eyas import rules
from eyas.errors import RunError, UsageError
from eyas.sources import members


@click.command("http")
@click.option("--events", "wanted", default=200_000, show_default=True, help="Events of each kind of body.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(wanted: int, as_json: bool) -> None:
    """Post made-up Kubernetes audit over TLS, one event a body and a hundred, through 48 rules.

    The sender is another process, so what counts is the work of this one: events for each second of one core.
    """
    figures = {f"{batch} a body": _measured(wanted, batch) for batch in (1, 100)}
    if as_json:
        click.echo(json.dumps(figures))
        return
    for kind, found in figures.items():
        click.echo(kind)
        for name, value in found.items():
            click.echo(f"  {name:26} {value:>14,.1f}")


def _measured(wanted: int, batch: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="eyas-bench-") as name:
        folder = Path(name)
        bodies, active = _load(folder, batch)
        with _listening(folder, active) as url:
            count = max(1, wanted // batch)
            start, spent = time.perf_counter(), time.process_time()
            good = _post(url, count, bodies)
            seconds, spent = time.perf_counter() - start, time.process_time() - spent
    if good != count:
        raise RunError(f"{count - good} of {count} bodies were not taken")
    events = float(count * batch)
    return {
        "events": events,
        "seconds": seconds,
        "events_per_second": events / seconds,
        "events_per_second_of_cpu": events / spent,
        "bodies_per_second_of_cpu": count / spent,
    }


def _load(folder: Path, batch: int) -> tuple[Path, list[rules.Compiled]]:
    from eyas.scene.logs import loads

    load = next(one for one in loads() if one.source == "k8s_audit")
    (folder / "rules.yaml").write_bytes(load.rules)
    lines = load.body.splitlines()[: 100 * batch]
    packs = (b",".join(lines[at : at + batch]) for at in range(0, len(lines), batch))
    made = (pack if batch == 1 else b'{"kind":"EventList","items":[%s]}' % pack for pack in packs)
    bodies = folder / "bodies"
    bodies.write_bytes(b"\n".join(made))
    loaded = rules.load([folder / "rules.yaml"], members.known(), rules.Settings(enable_all=True))
    return bodies, list(loaded.active)


@contextmanager
def _listening(folder: Path, active: list[rules.Compiled]) -> Iterator[str]:
    from eyas.intake import Intake, configured, judges
    from eyas.transports.checkpoint import Checkpoints

    _certify(folder)
    section = {"via": "http", "listen": "127.0.0.1:0", "rate": 1e9, "certificate": str(folder / "cert.pem")}
    feeds = configured({"k8s_audit": {**section, "key": str(folder / "key.pem")}})
    store = Checkpoints(folder / "sources.db")
    intake = Intake(feeds, judges(["k8s_audit"], active, members.known()), store, lambda alerts: None)
    ready = threading.Event()
    status = intake.statuses[0]
    status.heard = lambda _: ready.set()
    thread = threading.Thread(target=intake.run)
    thread.start()
    try:
        ready.wait(10)
        yield status.where
    finally:
        intake.stop()
        thread.join()
        store.close()


def _certify(folder: Path) -> None:
    """A certificate for this machine, made with openssl."""
    if shutil.which("openssl") is None:
        raise UsageError("openssl is needed to make a certificate", "apt install openssl")
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", *made, *files], check=True, capture_output=True, timeout=30)


def _post(url: str, count: int, bodies: Path) -> int:
    call = [sys.executable, "-m", "eyas.scene.posting", url, str(count), str(bodies)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"the sender failed: {(done.stderr.splitlines() or ['?'])[-1]}")
    return int(done.stdout)

"""The numbers of the store and of delivery, measured on this machine."""

from __future__ import annotations

import os
import resource
import signal
import socketserver
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from eyas.alert import Alert
from eyas.delivery import Request, Trust, journal, stored
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver
from eyas.hub import archive, settings
from eyas.hub.filter import parse
from eyas.hub.hub import Hub, Plan
from eyas.hub.routing import Target
from eyas.outputs.card import library

CONTAINERS = 10_000


def made_up(number: int) -> Alert:
    """An alert of usual size."""
    return Alert(
        rule=f"Rule {number % 50}",
        priority="Warning",
        source="syscall",
        tags=("T1059", "container", "mitre_execution"),
        ts=1_700_000_000_000_000_000 + number * 1_000_000,
        message=f"a shell was started by a server (user=root command=sh -c id {number} parent=nginx)",
        fields={
            "proc.name": "sh", "proc.cmdline": f"sh -c id {number}", "proc.pid": number, "proc.pname": "nginx",
            "user.name": "root", "container.id": f"{number % CONTAINERS:012x}", "container.name": "shop",
            "container.image.repository": "registry.example.org/shop", "fd.name": f"/etc/{number}",
        },
        hostname="node-1",
        eyas={"id": f"{number:024x}", "attack": ["T1059"]},
    )  # fmt: skip


def _hub(folder: Path, targets: Sequence[Target] = ()) -> Hub:
    section = settings.load({"store": str(folder), "limit": 1e9, "rule_limit": 1e9, "max_mb": 1 << 20})
    return Hub(Plan(section, targets))


def _nowhere() -> Target:
    """A receiver that is down."""
    return Target(
        Receiver("down", lambda _: [Request("POST", "http://127.0.0.1:9/")], lambda: HttpSender(Trust()))
    )


def accept(folder: Path, number: int) -> dict[str, float]:
    """How many alerts a second are accepted and durable, and what one costs the processor."""
    hub = _hub(folder, [_nowhere()])
    start, cpu = time.perf_counter(), time.process_time()
    for each in range(number):
        hub.accept(made_up(each))
    hub.flush()
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    hub.close(0)
    return {
        "accepted_per_second": number / took,
        "accepted_per_second_of_one_core": number / cpu,
        "queued": float(number),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def recover(folder: Path, number: int) -> dict[str, float]:
    """How long it takes to go on after `kill -9` with a full queue."""
    pid = os.fork()
    if not pid:
        hub = _hub(folder, [_nowhere()])
        hub.flush()
        hub.accept(made_up(number + 1))
        hub.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    start = time.perf_counter()
    db = journal.connect(folder)
    depth = journal.depth(db, "down")
    first = journal.waiting(db, "down", 100)
    took = time.perf_counter() - start
    db.close()
    return {"recovered": float(depth.count), "recovery_seconds": took, "first_batch": float(len(first))}


def delay(folder: Path, number: int) -> dict[str, float]:
    """Milliseconds from `accept` to the first byte at the receiver."""
    sent: dict[str, float] = {}
    waits: list[float] = []
    done = threading.Event()

    class Peer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                arrived = time.perf_counter()
                length = 0
                while line.strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = self.rfile.readline()
                name = self.rfile.read(length).decode()
                waits.append(1000 * (arrived - sent[name]))
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                if len(waits) >= number:
                    done.set()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Peer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"

        def plan(alerts: Sequence[Alert]) -> list[Request]:
            return [Request("POST", url, {}, str(alert.eyas["id"]).encode()) for alert in alerts]

        hub = _hub(folder, [Target(Receiver("here", plan, lambda: HttpSender(Trust())))])
        for each in range(number):
            alert = made_up(each)
            sent[str(alert.eyas["id"])] = time.perf_counter()
            hub.accept(alert)
            time.sleep(0.005)
        done.wait(30)
        hub.close()
        server.shutdown()
    waits.sort()
    return {"delay_p50_ms": statistics.median(waits), "delay_p99_ms": waits[int(len(waits) * 0.99)]}


def search(folder: Path, number: int) -> dict[str, float]:
    """How long a search over the archive for one container takes."""
    pa, pq = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    (folder / archive.FOLDER).mkdir(parents=True, exist_ok=True)
    step = min(number, 1_000_000)
    bodies = [stored.encode(made_up(n)).decode() for n in range(CONTAINERS)]
    for begin in range(0, number, step):
        ids = range(begin, begin + step)
        columns = {
            "ts": pa.array([1_700_000_000_000_000_000 + n * 1_000_000 for n in ids]),
            "id": pa.array([f"{n:024x}" for n in ids]),
            "severity": pa.repeat(pa.scalar(4, pa.int8()), step),
            **{
                n: pa.repeat(v, step)
                for n, v in (("priority", "Warning"), ("source", "syscall"), ("host", "node-1"))
            },
            "rule": pa.array([f"Rule {n % 50}" for n in ids]),
            "container": pa.array([f"{n * 7919 % CONTAINERS:012x}" for n in ids]),
            "status": pa.repeat("open", step),
            **{n: pa.repeat(pa.scalar(1, pa.int64()), step) for n in ("count", "first", "last")},
            "identity": pa.repeat("", step),
            "message": pa.repeat("a shell was started", step),
            "body": pa.array([bodies[n * 7919 % CONTAINERS] for n in ids]),
        }
        raw = folder / f"{begin:012}.raw"
        pq.write_table(pa.table(columns), raw)
        archive.sort(raw, folder / archive.FOLDER / f"{begin:012}.parquet")
    start = time.perf_counter()
    found = sum(1 for _ in archive.search(folder, parse(f"container.id = {5:012x}"), None, None))
    return {"archived": float(number), "search_seconds": time.perf_counter() - start, "found": float(found)}

"""`eyas hub` stands where Falcosidekick stood."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.delivery.receiver import receiver
from tests.hub.test_web import FALCO


def test_an_alert_that_is_posted_is_kept_and_sent_on(tmp_path: Path) -> None:
    with receiver() as inbox:
        sidekick = tmp_path / "sidekick.yaml"
        sidekick.write_text(f"webhook:\n  address: {inbox.url}\n")
        words = [
            "--falcosidekick",
            str(sidekick),
            "--store",
            str(tmp_path / "store"),
            "-o",
            "alerts.listen.port=0",
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "eyas", "hub", "--print", *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as hub:
            assert hub.stderr is not None
            line = hub.stderr.readline()
            found = re.search(r"listening on 127\.0\.0\.1:(\d+), sending to webhook$", line.strip())
            assert found, line
            assert httpx.post(f"http://127.0.0.1:{found[1]}/", json=FALCO).status_code == 200
            assert json.loads(inbox.wait(1)[0])["rule"] == "Shell"
            hub.send_signal(signal.SIGTERM)
            printed, _ = hub.communicate(timeout=60)
            assert hub.returncode == 0
    assert json.loads(printed)["rule"] == "Shell"

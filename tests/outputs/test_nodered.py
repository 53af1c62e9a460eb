"""Node-RED takes alerts for real, where it is installed (`npm install -g node-red`)."""

import json
import shutil
from pathlib import Path

import pytest

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from tests.outputs.cases import ALERT
from tests.outputs.servers import deliver, free_port, server, settled
from tests.outputs.test_hostile import WORST


@pytest.mark.timeout(120)
def test_node_red_takes_alerts(tmp_path: Path) -> None:
    if not shutil.which("node-red"):
        pytest.skip("node-red is not installed; npm install -g node-red")
    port, kept = free_port(), tmp_path / "alerts.jsonl"
    flow = [
        {"id": "t", "type": "tab", "label": "falco"},
        {"id": "i", "type": "http in", "z": "t", "url": "/falco", "method": "post", "wires": [["j", "o"]]},
        {"id": "j", "type": "json", "z": "t", "property": "payload", "action": "str", "wires": [["f"]]},
        {
            "id": "f",
            "type": "file",
            "z": "t",
            "filename": str(kept),
            "filenameType": "str",
            "appendNewline": True,
            "overwriteFile": "false",
            "wires": [[]],
        },
        {"id": "o", "type": "http response", "z": "t", "statusCode": "200", "wires": []},
    ]
    (tmp_path / "flows.json").write_text(json.dumps(flow))
    (tmp_path / "settings.js").write_text(
        f'module.exports = {{uiHost: "127.0.0.1", uiPort: {port}, flowFile: "flows.json", httpAdminRoot: false}};'
    )
    options = ["-u", str(tmp_path), "-s", str(tmp_path / "settings.js")]
    with server(["node-red", *options], port, tmp_path):
        values: dict[str, object] = {
            "address": f"http://127.0.0.1:{port}/falco",
            "user": "falco",
            "password": "secret",
        }
        # The port is open before the flow is.
        settled(lambda: deliver("nodered", values, [ALERT])[0].outcome is Outcome.DELIVERED)
        assert deliver("nodered", values, [WORST]) == [delivered()]
        rows = settled(lambda: kept.exists() and kept.read_text().count("\n") >= 2 and kept.read_text())
    found = [json.loads(row) for row in str(rows).strip().split("\n")]
    expected = json.loads(event.event_json(ALERT))
    for made in (found[0], expected):
        made["output_fields"].pop("evt.time")  # JavaScript has no integer that large
    assert found[0] == expected
    assert found[-1]["rule"] == WORST.rule

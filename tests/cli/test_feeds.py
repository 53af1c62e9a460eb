"""Sources that are read without the machine."""

import subprocess
import sys
from pathlib import Path

RULE = "- {rule: r, desc: d, condition: ka.verb exists, output: x, priority: NOTICE, source: k8s_audit}\n"


def test_a_source_that_no_rule_is_about_is_named_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "eyas.yaml").write_text(
        f"alerts: {{store: {tmp_path / 'store'}}}\nengine: {{kind: nodriver}}\n"
        f"sources:\n  seen: {{source: k8s_audit, via: file, path: {tmp_path}/*.log}}\n"
        f"  blind: {{source: okta, via: file, path: {tmp_path}/*.log}}\n"
    )
    given = ["-c", str(tmp_path / "eyas.yaml"), "-r", str(tmp_path / "rules.yaml"), "--for", "0.1s"]
    done = subprocess.run(
        [sys.executable, "-m", "eyas", "run", *given], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    assert warned == ["warning: source blind: no rule is about okta, so it raises no alert"]

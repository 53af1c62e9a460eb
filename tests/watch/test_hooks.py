"""Where the probe hangs, when the configuration says it."""

import subprocess

import pytest

RULE = """
- rule: a folder is made
  desc: A folder of this test is made.
  condition: evt.type in (mkdir, mkdirat) and evt.arg.path startswith {folder}
  output: "%proc.name %evt.arg.path"
  priority: WARNING
"""


@pytest.mark.parametrize("hooks", ["fentry", "tp_btf", "raw_tp"])
def test_the_hooks_that_the_configuration_names_are_used_or_the_reason_is_said(
    hooks, start, tmp_path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULE.format(folder=tmp_path))
    run = start("run", "-r", str(rules), "-o", f"engine.modern_ebpf.hooks={hooks}", "--json")
    if "refuses" in run.says("watching", "refuses"):
        assert hooks == "fentry"
        assert run.ends()[0] == 3
        return
    subprocess.run(["mkdir", str(tmp_path / "made")], check=True)
    assert run.alert("a folder is made")["output_fields"]["proc.name"] == "mkdir"

"""What is delivered starts Eyas with no more than it needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
UNIT = PACKAGING / "systemd/eyas.service"
CHART = PACKAGING / "helm/eyas"
NEEDED = {"BPF", "PERFMON", "SYS_PTRACE", "SYS_RESOURCE", "DAC_READ_SEARCH"}
NICE = {"SYS_NICE"}  # the unit has LimitNICE= for it


def test_systemd_understands_the_unit(tmp_path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (package systemd)")
    unit = tmp_path / "eyas.service"
    unit.write_text(UNIT.read_text().replace("/usr/bin/eyas", shutil.which("true") or "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []


def test_systemd_finds_the_unit_well_sandboxed() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (package systemd)")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=35", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (before 250)")
    assert done.returncode == 0, done.stdout[-400:]


def test_the_unit_gives_the_rights_that_containers_get() -> None:
    line = next(row for row in UNIT.read_text().splitlines() if row.startswith("CapabilityBoundingSet="))
    given = {name.removeprefix("CAP_") for name in line.partition("=")[2].split()}
    assert given >= NEEDED


def test_the_compose_file_drops_all_other_rights() -> None:
    service = yaml.safe_load((PACKAGING / "container/compose.yaml").read_text())["services"]["eyas"]
    assert service["cap_drop"] == ["ALL"]
    assert set(service["cap_add"]) == NEEDED | NICE
    assert service["pid"] == "host"
    assert service["read_only"] is True
    dockerfile = Path(PACKAGING.parent / service["build"]["dockerfile"])
    assert "HOST_ROOT=/host" in dockerfile.read_text()


def test_the_chart_renders() -> None:
    if shutil.which("helm") is None:
        pytest.skip("helm is missing")
    done = subprocess.run(
        [
            "helm",
            "template",
            "eyas",
            str(CHART),
            "--kube-version",
            "1.30.0",
            "--set-file",
            f"rules.own\\.yaml={CHART / 'values.yaml'}",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    made = {one["kind"]: one for one in yaml.safe_load_all(done.stdout) if one}
    assert set(made) == {"DaemonSet", "ConfigMap", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
    container = made["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
    assert set(container["securityContext"]["capabilities"]["add"]) == NEEDED | NICE


def test_every_value_of_the_chart_is_used_and_every_value_used_is_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    import re

    used = {match.split(".")[0] for match in re.findall(r"\.Values\.([A-Za-z.]+)", templates)}
    assert used == set(values)


def test_the_chart_lets_the_sensor_read_what_it_asks_of_the_cluster_and_no_more() -> None:
    from eyas.containers.kubernetes import OWNERS

    text = (CHART / "templates/clusterrole.yaml").read_text()
    rules = text.partition("rules:\n")[2].partition("---")[0]
    given = {
        (group, resource, verb)
        for rule in yaml.safe_load(rules)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    owners = [path.split("/") for _, path in OWNERS.values()]
    asked = {("" if parts[0] == "api" else parts[1], parts[-2], "get") for parts in owners}
    asked |= {
        ("", "pods", "list"),
        ("", "pods", "watch"),
        ("", "namespaces", "get"),
        ("", "services", "list"),
    }
    assert given == asked

"""What each runtime keeps and answers."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path

import pytest

from eyas.containers import RUNTIMES, Container, containerd, crio, docker, runc, users
from eyas.containers import podman as podman_runtime
from eyas.containers.container import Image
from eyas.containers.finding import Finder
from eyas.containers.start import Start, started

FULL = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_podman_keeps_name_and_image_on_disk(podman, sleeper) -> None:
    name, number = sleeper
    found = podman_runtime.find(Path("/"), number)
    assert found is not None
    assert (found.name, found.image.repository, found.image.tag) == (name, "localhost/eyas-test", "1.0")
    assert found.image.digest.startswith("sha256:")
    assert not found.privileged
    assert found.root is not None
    assert [row[1]["name"] for row in users.told(found.root, "x")] == ["root", "alice", "wonderland"]


def test_podman_answers_on_its_socket_with_labels(podman, sleeper, tmp_path) -> None:
    name, number = sleeper
    socket = tmp_path / "podman.sock"
    service = subprocess.Popen(["podman", "system", "service", "--time", "60", f"unix://{socket}"])
    try:
        answer: Container | None = None
        while answer is None:
            assert service.poll() is None, "the service ended"
            answer = podman_runtime.RUNTIME.ask(socket, number)
        assert answer.name == name
        assert answer.labels["team"] == "falcons"
        assert answer.image.reference == "localhost/eyas-test:1.0"
    finally:
        service.kill()
        service.wait()


def test_runc_alone_has_a_name_and_a_root(root, tmp_path) -> None:
    name = f"eyas-{uuid.uuid4().hex[:8]}"
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    try:
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
    except FileNotFoundError:
        pytest.skip("runc is missing (package runc)")
    spec = json.loads((bundle / "config.json").read_text())
    spec["process"].update(args=["/bin/sleep", "600"], terminal=False, rlimits=[])
    spec["root"] = {"path": str(root), "readonly": True}
    (bundle / "config.json").write_text(json.dumps(spec))
    # The container keeps what it inherits open, so it gets no pipe.
    said = tmp_path / "said"
    with said.open("w") as out:
        command = ["runc", "run", "--detach", "--bundle", str(bundle), name]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
    if ran.returncode:
        pytest.skip(f"runc cannot run a container here: {said.read_text()}")
    try:
        found = runc.find(Path("/"), name[:12])
        assert found is not None
        assert (found.name, found.root) == (name, root)
    finally:
        subprocess.run(["runc", "delete", "--force", name], check=True)


def test_docker_keeps_its_answer_on_disk(tmp_path) -> None:
    config = {"Image": "nginx:1.27", "Labels": {"team": "falcons"}, "Env": ["A=1"], "User": "33"}
    settings = {"NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}}
    found = {"ID": FULL, "Name": "/web", "Image": "sha256:12", "Config": config, **settings}
    write(tmp_path / docker.FOLDER / FULL / "config.v2.json", found)
    (tmp_path / docker.FOLDER / FULL / "hostconfig.json").write_text('{"Privileged": true}')
    got = docker.find(tmp_path, FULL)
    assert got is not None
    body = json.loads(got.json())["container"]
    assert (body["id"], body["full_id"], body["name"]) == (FULL[:12], FULL, "web")
    assert (body["imagerepo"], body["imagetag"], body["imageid"]) == ("nginx", "1.27", "12")
    assert (body["ip"], body["privileged"], body["labels"]) == ("172.17.0.2", True, {"team": "falcons"})


def test_kubernetes_names_come_from_the_bundle_of_containerd(tmp_path) -> None:
    notes = {
        "io.kubernetes.cri.container-name": "web",
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.image-name": "registry:5000/shop/web@sha256:aa",
        "io.kubernetes.cri.sandbox-id": "b" * 64,
        "io.kubernetes.cri.sandbox-name": "web-1",
        "io.kubernetes.cri.sandbox-namespace": "shop",
        "io.kubernetes.cri.sandbox-uid": "u-1",
    }
    linux = {"namespaces": [{"type": "network"}], "maskedPaths": ["/proc/kcore"]}
    write(
        tmp_path / containerd.TASKS[0] / "k8s.io" / FULL / "config.json",
        {"annotations": notes, "linux": linux, "root": {"path": "rootfs"}},
    )
    got = containerd.find(tmp_path, FULL)
    assert got is not None
    assert (got.kind, got.name, got.sandbox) == (containerd.CRI, "web", "b" * 64)
    assert got.labels["io.kubernetes.pod.name"] == "web-1"
    assert got.labels["io.kubernetes.pod.namespace"] == "shop"
    assert (got.host_pid, got.host_network, got.privileged) == (True, False, False)
    assert got.root == tmp_path / containerd.TASKS[0] / "k8s.io" / FULL / "rootfs"


def test_cri_o_says_what_kubernetes_said(tmp_path) -> None:
    notes = {
        "io.container.manager": "cri-o",
        "io.kubernetes.container.name": "web",
        "io.kubernetes.cri-o.ImageName": "shop/web:2",
        "io.kubernetes.cri-o.SandboxID": "b" * 64,
        "io.kubernetes.cri-o.Labels": '{"app": "web"}',
        "io.kubernetes.pod.namespace": "shop",
    }
    write(tmp_path / crio.FOLDERS[0] / FULL / "userdata/config.json", {"annotations": notes})
    got = crio.find(tmp_path, FULL)
    assert got is not None
    assert (got.name, got.image.tag, got.sandbox) == ("web", "2", "b" * 64)
    assert got.labels == {"app": "web", "io.kubernetes.pod.namespace": "shop"}


def test_podman_remembers_a_container_that_it_took_away(tmp_path) -> None:
    log = tmp_path / podman_runtime.EVENTS
    log.parent.mkdir(parents=True)
    event = {"ID": FULL, "Image": "shop/web:2", "Name": "web", "Status": "create", "Type": "container"}
    log.write_text(json.dumps({**event, "ID": "b" * 64}) + "\n" + json.dumps(event) + "\nhalf a li")
    storage = tmp_path / podman_runtime.STORAGE
    write(storage / "overlay-images/images.json", [{"id": "12", "names": ["shop/web:2"], "layer": "top"}])
    write(storage / "overlay-layers/layers.json", [{"id": "top", "parent": "low"}, {"id": "low"}])
    got = podman_runtime.recall(tmp_path, FULL)
    assert got is not None
    assert (got.name, got.image.repository, got.image.tag, got.image.id) == ("web", "shop/web", "2", "12")
    assert [layer.parent.name for layer in got.layers] == ["top", "low"]
    assert got.privileged is None


def test_what_is_not_known_is_not_said_to_be_privileged(tmp_path) -> None:
    storage = tmp_path / podman_runtime.STORAGE
    write(storage / "overlay-containers/containers.json", [{"id": FULL, "names": ["web"], "metadata": "{}"}])
    got = podman_runtime.find(tmp_path, FULL)
    assert got is not None
    assert (got.name, got.privileged, got.host_pid) == ("web", None, None)


def test_the_command_line_of_a_runtime_names_the_container_it_starts() -> None:
    conmon = ["--api-version", "1", "-c", FULL, "-u", FULL, "-r", "/usr/sbin/runc", "-b", "/b", "-n", "web"]
    assert started(conmon) == Start(FULL, "web", podman_runtime.KIND)
    assert started(["-c", FULL, "-n", "k8s_web_web-1_shop_u_0"]) == Start(
        FULL, "k8s_web_web-1_shop_u_0", crio.KIND
    )
    assert started(["--root", "/run/runc", "create", "--bundle", "/b", "--pid-file", "/p", FULL]) == Start(
        FULL
    )
    for other in (["--version"], ["start", FULL], ["delete", "--force", FULL], [], ["run", "--help"]):
        assert started(other) is None


def test_a_container_that_only_a_command_line_named_has_its_name(tmp_path) -> None:
    finder = Finder(RUNTIMES, tmp_path)
    finder.expect(Start(FULL, "web", podman_runtime.KIND))
    assert finder.find(FULL) is None
    named = finder.named(FULL)
    assert named is not None
    assert named.name == "web"


def test_what_was_seen_once_is_known_when_it_is_gone(tmp_path) -> None:
    bundle = tmp_path / containerd.TASKS[0] / "default" / FULL
    write(bundle / "config.json", {"linux": {"namespaces": []}, "annotations": {"nerdctl/image": "web:2"}})
    finder = Finder(RUNTIMES, tmp_path)
    assert finder.find(FULL) is not None
    (bundle / "config.json").unlink()
    again = finder.find(FULL)
    assert again is not None
    assert again.image.tag == "2"


def test_a_tag_is_no_port() -> None:
    image = Image("registry:5000/shop/web")
    assert (image.repository, image.tag) == ("registry:5000/shop/web", "")


def test_a_link_in_a_container_does_not_lead_to_files_of_the_host(tmp_path) -> None:
    (tmp_path / "etc").symlink_to("/etc")
    assert list(users.told(tmp_path, "x")) == []

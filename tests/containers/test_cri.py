"""What a runtime of Kubernetes says over gRPC, asked for real."""

from __future__ import annotations

import select

import pytest

from eyas import _core, catalog, pipeline, rules, watch
from eyas.containers import RUNTIMES, Answers, cri, grpc
from eyas.containers.containerd import CRI
from eyas.containers.protobuf import WireError, decode, encode
from eyas.rules import document
from tests.containers import cri_server
from tests.containers.conftest import POD_IMAGE

RULE = """
- rule: ran in a pod
  desc: A program is started in a pod.
  condition: evt.type in (execve, execveat) and evt.res = SUCCESS and proc.args contains 599
  output: "%container.name %container.image.tag %k8s.pod.name %k8s.ns.name %k8s.pod.uid %k8s.pod.label[app]"
  priority: WARNING
"""


def test_a_container_has_its_names_labels_image_and_pod(containerd, pod) -> None:
    found = cri.ask(CRI, containerd.socket, pod.container)
    assert found is not None
    assert (found.name, found.sandbox, found.is_sandbox) == ("web", pod.sandbox, False)
    assert (found.image.reference, len(found.image.id)) == (POD_IMAGE, len("sha256:") + 64)
    assert found.labels["tier"] == "front"
    assert found.labels["io.kubernetes.pod.name"] == "web-1"
    assert found.labels["io.kubernetes.pod.namespace"] == "shop"
    assert found.labels["io.kubernetes.pod.uid"] == "uid-1"
    assert found.pod_labels == {"app": "web"}
    assert (found.host_network, found.host_pid, found.privileged) == (True, False, False)
    assert ("/etc", "/mine", False) in [(one.source, one.destination, one.writable) for one in found.mounts]
    assert found.created > 0


def test_the_sandbox_of_a_pod_is_a_container_too(containerd, pod) -> None:
    found = cri.ask(CRI, containerd.socket, pod.sandbox)
    assert found is not None
    assert (found.name, found.is_sandbox, found.sandbox) == ("web-1", True, pod.sandbox)
    assert found.labels["io.kubernetes.pod.namespace"] == "shop"


def test_nobody_knows_a_container_that_is_not_there(containerd) -> None:
    assert cri.ask(CRI, containerd.socket, "a" * 64) is None


def test_a_socket_where_nobody_listens_answers_nothing(tmp_path) -> None:
    assert grpc.call(tmp_path / "none.sock", f"{cri.SERVICE}/Version", b"") is None


def test_an_alert_of_a_pod_says_which_pod_it_was(machine, containerd) -> None:
    loaded = rules.load_documents([document.parse("t.yaml", RULE)], catalog.load(), rules.Settings())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    live = _core.Live(program, watch.needed(loaded.active, catalog.load()))
    answers = Answers(live.tell, RUNTIMES, containerd.host)
    pod = cri_server.run_pod(containerd, POD_IMAGE, ["/bin/sleep", "599"])
    try:
        said = ""
        while "web-1" not in said:
            assert select.select([live], [], [], 30)[0], f"nothing more came; the last was {said!r}"
            report = live.take()
            for question in report.questions:
                answers.ask(question)
            for match in (one for found in report.found for one in found.matches):
                said = pipeline.alert_of(match, loaded.active[0], "").message
        assert said == "web 1.0 web-1 shop uid-1 web"
    finally:
        answers.close()
        live.close()
        cri_server.remove(containerd, pod)


def test_a_message_is_read_as_it_was_written() -> None:
    inner = encode({1: "key", 2: "value"})
    message = decode(encode({1: "name", 2: True, 3: inner, 4: 1 << 40, 2000: b"\x00"}))
    assert (message.text(1), message.integer(2), message.integer(4)) == ("name", 1, 1 << 40)
    assert message.texts(3) == {"key": "value"}
    assert (message.text(9), message.integer(9), message.message(9).text(1)) == ("", 0, "")


@pytest.mark.parametrize("broken", [b"\x0a\x05ab", b"\xff" * 11, b"\x08", b"\x0b", b"\x09\x00"])
def test_bytes_that_are_no_message_are_refused(broken: bytes) -> None:
    with pytest.raises(WireError):
        decode(broken)

"""What rules make the kernel collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyas import catalog, rules
from eyas.rules import document
from eyas.rules.facts import Test
from eyas.rules.plan import DATA, Plan, Sieve, adjusted, plan
from eyas.sources import members

READS = "evt.type in (open, openat, openat2) and evt.is_open_read=true and fd.num>=0"


def planned(*conditions: str, output: str = "x") -> Plan:
    """The plan of rules with these conditions."""
    known = catalog.load()
    text = "".join(
        f"- rule: r{number}\n  desc: d\n  condition: >\n    {condition}\n  output: '{output}'\n  priority: INFO\n"
        for number, condition in enumerate(conditions)
    )
    loaded = rules.load_documents([document.parse("test.yaml", text)], known, rules.Settings())
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    return plan(loaded.active, known)


def test_only_calls_that_can_match_are_collected() -> None:
    assert planned("evt.type = chmod and evt.res = SUCCESS").calls == {"chmod": ("succeeded",)}


def test_a_call_without_an_event_of_its_own_is_collected_by_name() -> None:
    assert planned("evt.type in (pivot_root, chmod)").calls == {"chmod": (), "pivot_root": ()}


def test_a_rule_of_a_log_source_collects_nothing() -> None:
    text = "- rule: r\n  desc: d\n  condition: ka.verb = get\n  output: x\n  priority: INFO\n  source: k8s_audit\n"
    loaded = rules.load_documents([document.parse("test.yaml", text)], members.known(), rules.Settings())
    assert plan(loaded.active, catalog.load()).calls == {}


def test_a_rule_on_failures_makes_the_kernel_send_failures_only() -> None:
    assert planned("evt.type = kill and evt.failed = true").calls == {"kill": ("failed",)}


def test_rules_together_get_what_either_needs() -> None:
    together = planned("evt.type = kill and evt.failed = true", "evt.type = kill and evt.failed = false")
    assert together.calls == {"kill": ()}


def test_sends_are_collected_for_ip_sockets_when_nothing_else_can_match() -> None:
    assert planned("evt.type = sendto and fd.l4proto = udp").calls == {"sendto": ({"family": [0, 1028]},)}
    assert planned("evt.type = sendto and not fd.l4proto = udp").calls == {"sendto": ()}
    assert planned("evt.type = sendto").calls == {"sendto": ()}


@pytest.mark.parametrize(
    ("condition", "tests"),
    [
        ("kill and evt.rawarg.sig in (9, 19)", {"number": ["sig", [9, 19]]}),
        ("kill and evt.rawarg.tid = 7", None),
        ("kill and not evt.rawarg.tid = 7", ()),
        (
            "tgkill and (evt.rawarg.pid = 7 or evt.rawarg.tid = 7)",
            {"any": [{"number": ["pid", [7]]}, {"number": ["tid", [7]]}]},
        ),
        ("ptrace and evt.arg.request = PTRACE_ATTACH", {"text": ["request", ["PTRACE_ATTACH"]]}),
        ("unshare and evt.arg.flags contains CLONE_NEWUSER", {"contains": ["flags", ["CLONE_NEWUSER"]]}),
        ("unshare and evt.arg.flags contains 40", ()),
        ("chmod and user.uid = 0", {"user": [0]}),
        ("chmod and not user.uid = 0", {"other_user": 0}),
        ("chmod and user.uid != 0", {"other_user": 0}),
        ("chmod and (user.uid != 0 or user.uid != 5)", ()),
        ("chmod and proc.name in (sh, nc)", {"named": ["nc", "sh"]}),
        ("chmod and not proc.name = sh", ()),
        ("chmod and container.id != host", "contained"),
        ("chmod and not container.id = host", "contained"),
        ("chmod and container.id = host", ()),
        ("chmod and k8s.ns.name = prod", "contained"),
        ("chmod and not k8s.ns.name = prod", ()),
    ],
)
def test_the_kernel_tests_what_a_condition_needs(condition: str, tests: Test | tuple[()] | None) -> None:
    expected = () if tests == () else (tests,)
    assert [*planned(f"evt.type = {condition}").calls.values()] == ([] if tests is None else [expected])


def test_ports_are_asked_of_calls_that_say_both_ends() -> None:
    ip = {"family": [0, 1028]}
    assert planned("evt.type = sendto and fd.sport in (53, 5353)").calls == {
        "sendto": (ip, {"ports": [53, 5353]})
    }
    assert planned("evt.type = write and fd.sport = 53").calls == {"write": ()}
    assert planned("evt.type = sendto and not fd.sport = 53").calls == {"sendto": ()}


def test_the_state_goes_without_connections_when_no_other_event_needs_them() -> None:
    assert planned("evt.type = connect and fd.sport = 22", output="%fd.name").brief
    assert planned("evt.type = chmod", output="%fd.name").brief
    assert not planned("evt.type = sendto and fd.sport = 22").brief
    assert not planned("evt.type = dup", output="%evt.args").brief
    assert not planned("evt.type = connect", output="%eyas.login.address").brief


def test_a_need_of_too_many_facts_is_left_out() -> None:
    names = ", ".join(f"p{number}" for number in range(30))
    assert planned(f"evt.type = chmod and proc.name in ({names})").calls == {"chmod": ()}


def test_a_failed_exec_is_collected_only_when_a_rule_can_hold_on_it() -> None:
    assert planned("evt.type = execve and evt.res = SUCCESS").calls == {}
    assert "execve" in planned("evt.type = execve and evt.res != SUCCESS").calls


@pytest.mark.parametrize(
    ("condition", "sieve"),
    [
        ("fd.name = /etc/shadow", Sieve(("/etc/sha",))),
        ("fd.name startswith /etc and fd.name = /etc/shadow", Sieve(("/etc/sha",))),
        ("fd.directory in (/etc/pam.d, /dev)", Sieve(("/dev/", "/etc/pam"))),
        ("fd.name glob /home/*/.ssh/*", Sieve(("/home/",))),
        ("fd.name contains /.ssh/", Sieve()),
        ("fd.filename = .bashrc", Sieve()),
        ("proc.name in (tar, sshd) and fd.name contains lzma", Sieve(names=("sshd", "tar"))),
        ("(fd.name = /a/b or fd.name = /c/d)", Sieve(("/a/b", "/c/d"))),
        ("fd.name endswith /id_rsa", Sieve(suffixes=("/id_rsa",))),
        ("fd.filename in (id_rsa, admin.conf)", Sieve(suffixes=("/id_rsa", "min.conf"))),
        ("(fd.name endswith .key or fd.name endswith server.key)", Sieve(suffixes=(".key",))),
        ("fd.name endswith /.netrc", Sieve()),
        ("fd.name startswith /home/ and fd.name endswith .key", Sieve(suffixes=(".key",))),
        ("fd.name endswith /", None),
        ("fd.name contains /snap/ and fd.name endswith /key4.db", Sieve(suffixes=("/key4.db",))),
        ("fd.name contains lzma", None),
        ("eyas.path.resolved = /etc/shadow", Sieve(("/etc/sha",), found=("/shadow",))),
        (
            "eyas.path.resolved in (/etc/shadow, /etc/a.key)",
            Sieve(("/etc/a.k", "/etc/sha"), found=("/a.key", "/shadow")),
        ),
        ("eyas.path.resolved endswith /.ssh/id_rsa", Sieve(found=("/id_rsa",))),
        ("eyas.path.resolved endswith .pem", Sieve(suffixes=(".pem",), found=(".pem",))),
        ("eyas.path.resolved startswith /etc/", None),
        ("eyas.path.resolved endswith /", None),
        ("not fd.name startswith /etc", None),
        ("fd.name startswith /", None),
        ("not (not fd.name = /a/b)", Sieve(("/a/b",))),
    ],
)
def test_opens_for_reading_are_sieved_by_what_paths_must_be(condition: str, sieve: Sieve | None) -> None:
    assert planned(f"{READS} and {condition}").sieve == sieve


def test_a_failed_open_finds_nothing() -> None:
    assert planned("evt.type = openat and fd.num < 0 and eyas.path.resolved = /a/b").sieve == Sieve(("/a/b",))


@pytest.mark.parametrize(
    ("condition", "output", "sieve"),
    [
        ("evt.type = dup2 and fd.name endswith /kept", "x", Sieve(suffixes=("/kept",))),
        ("evt.type = dup2 and fd.name startswith /a/", "x", Sieve(("/a/",))),
        ("evt.type = dup2 and proc.name = x", "%fd.name", None),
        ("evt.type = mmap and eyas.path.resolved = /a/b", "%evt.args", None),
        ("evt.type = dup2 and fd.type in (ipv4, ipv6)", "%fd.name", Sieve()),
        ("evt.type = dup2 and fd.sport = 80", "%fd.name", Sieve()),
        ("evt.type = dup2 and proc.name = x", "x", Sieve()),
        # These events carry the path of their file.
        ("evt.type in (read, fchmod)", "%fd.name", Sieve()),
    ],
)
def test_files_that_are_met_again_later_pass_the_sieve(
    condition: str, output: str, sieve: Sieve | None
) -> None:
    assert planned(condition, output=output).sieve == sieve


def test_opens_for_writing_need_no_sieve() -> None:
    assert planned("evt.type = openat and evt.is_open_write = true").sieve == Sieve()


def test_failed_opens_count_when_a_rule_wants_them() -> None:
    assert planned("evt.type = openat and fd.num < 0").sieve == Sieve(failures=True)


def test_data_is_kept_when_a_rule_looks_at_it() -> None:
    assert planned("evt.type = write and evt.buffer contains x").data == 80
    assert planned("evt.type = write", output="%evt.args").data == 80
    assert planned("evt.type = write").data == 0


def test_a_rule_on_everything_collects_everything() -> None:
    everything = planned("proc.name = x")
    assert {"read", "futex", "openat"} <= everything.calls.keys()
    assert everything.sieve == Sieve(names=("x",), failures=True)


def test_the_configuration_adds_calls_and_leaves_out_others() -> None:
    one = adjusted(planned("evt.type in (chmod, mkdir)"), ("unlink", "!mkdir", "unlink", "!nothing"))
    assert list(one.calls) == ["chmod", "unlink"]
    assert one.calls["unlink"] == ()


def test_an_open_that_the_configuration_adds_passes_the_sieve() -> None:
    assert planned(f"{READS} and fd.name startswith /etc/").sieve is not None
    assert adjusted(planned(f"{READS} and fd.name startswith /etc/"), ("openat",)).sieve is None


def test_data_is_collected_for_an_argument_by_number() -> None:
    assert planned("evt.type = write", output="%evt.arg[1]").data == DATA


def test_data_is_collected_for_fields_that_the_configuration_adds() -> None:
    known = catalog.load()
    text = "- rule: a\n  desc: d\n  condition: evt.type = write\n  output: x\n  priority: INFO\n"
    for addition in (
        rules.Addition(fields=("evt.buffer",)),
        rules.Addition(texts=(("data", "is %evt.buffer"),)),
    ):
        settings = rules.Settings(additions=(addition,))
        loaded = rules.load_documents([document.parse("x", text)], known, settings)
        assert plan(loaded.active, known).data == DATA


def test_the_rules_that_are_shipped_need_few_opens() -> None:
    loaded = rules.load([Path("builtin")], members.known())
    assert plan(loaded.active, catalog.load()).sieve is not None

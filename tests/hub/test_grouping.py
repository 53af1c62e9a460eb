"""Repeats become one alert with a count, and noise drowns nothing."""

from eyas.hub.grouping import Defaults, Fate, Groups
from eyas.rules.grouping import Grouping
from tests.hub.alerts import alert


def fates(groups: Groups, *moments: float, **fields: object) -> list[Fate]:
    return [groups.decide(alert(n, at=at, **fields)).fate for n, at in enumerate(moments)]  # type: ignore[arg-type]


def test_repeats_within_the_window_are_one_alert_with_a_count() -> None:
    groups = Groups(Defaults(window=60))
    assert fates(groups, 0, 1, 59, proc_name="sh") == [Fate.RAISED, Fate.REPEAT, Fate.REPEAT]
    bundle = groups.decide(alert(9, at=59.5, proc_name="sh")).bundle
    assert bundle.count == 4
    assert bundle.last - bundle.first == 59_500_000_000
    assert bundle.examples == ["message 0", "message 1", "message 2", "message 9"]
    assert fates(groups, 60, proc_name="sh") == [Fate.RAISED], "the window is over"


def test_another_entity_is_another_alert() -> None:
    groups = Groups()
    assert fates(groups, 0, container_id="a") == [Fate.RAISED]
    assert fates(groups, 1, container_id="b") == [Fate.RAISED]
    assert fates(groups, 2, container_id="a") == [Fate.REPEAT]


def test_the_port_of_a_client_makes_no_difference() -> None:
    groups = Groups()
    assert fates(groups, 0, fd_name="10.0.0.1:40000->1.2.3.4:443") == [Fate.RAISED]
    assert fates(groups, 1, fd_name="10.0.0.1:40001->1.2.3.4:443") == [Fate.REPEAT]
    assert fates(groups, 2, fd_name="10.0.0.1:40001->1.2.3.5:443") == [Fate.RAISED]


def test_a_rule_says_by_what_it_is_grouped() -> None:
    groups = Groups(rules={"Shell in a container": Grouping(group_by=("user.name",))})
    assert fates(groups, 0, user_name="ann", proc_name="a") == [Fate.RAISED]
    assert fates(groups, 1, user_name="ann", proc_name="b") == [Fate.REPEAT]
    assert fates(groups, 2, user_name="bob", proc_name="b") == [Fate.RAISED]


def test_a_field_that_the_match_carries_beside_its_output_counts() -> None:
    groups = Groups(rules={"Shell in a container": Grouping(group_by=("user.name",))})
    first = groups.decide(alert(1, eyas={"carried": {"user.name": "ann"}}))
    second = groups.decide(alert(2, eyas={"carried": {"user.name": "bob"}}))
    assert first.bundle.identity != second.bundle.identity


def test_a_threshold_raises_at_the_nth_time_within_the_window() -> None:
    groups = Groups(rules={"Shell in a container": Grouping(threshold=3, window=10)})
    assert fates(groups, 0, 1, proc_name="sh") == [Fate.BELOW, Fate.BELOW]
    assert fates(groups, 11, 12, 13, 14, proc_name="sh") == [Fate.BELOW, Fate.BELOW, Fate.RAISED, Fate.REPEAT]
    assert groups.held["below threshold", "Shell in a container"] == 4


def test_after_an_alert_it_stays_quiet_for_a_while() -> None:
    groups = Groups(rules={"Shell in a container": Grouping(window=1, quiet=100)})
    assert fates(groups, 0, 50, 99, 101, proc_name="sh") == [
        Fate.RAISED,
        Fate.REPEAT,
        Fate.REPEAT,
        Fate.RAISED,
    ]


def test_noise_of_one_workload_is_limited_and_another_is_heard() -> None:
    groups = Groups(Defaults(limit=5))
    noise = [groups.decide(alert(n, container_id="noisy", fd_name=f"/x/{n}")).fate for n in range(50)]
    assert noise.count(Fate.RAISED) == 5
    assert groups.decide(alert(99, container_id="calm", fd_name="/x/1")).fate is Fate.RAISED
    assert groups.decide(alert(99, rule="Other", container_id="noisy")).fate is Fate.RAISED
    assert groups.held["over the limit", "Shell in a container"] == 45


def test_an_unknown_source_is_grouped_by_its_text() -> None:
    groups = Groups()
    assert groups.decide(alert(1, source="own", message="a")).fate is Fate.RAISED
    assert groups.decide(alert(2, source="own", message="b")).fate is Fate.RAISED
    assert groups.decide(alert(3, source="own", message="a")).fate is Fate.REPEAT


def test_without_a_window_every_alert_is_its_own() -> None:
    groups = Groups(Defaults(window=0))
    assert fates(groups, 0, 0, 1) == [Fate.RAISED] * 3


def test_groups_whose_time_is_over_are_forgotten() -> None:
    groups = Groups(Defaults(window=1))
    for number in range(1000):
        groups.decide(alert(number, at=number / 10, proc_name=f"p{number}"))
    assert len(groups._bundles) < 20


def test_alerts_of_others_that_say_only_where_are_told_apart_by_their_text() -> None:
    groups = Groups()
    for source in ("syscall", "syscalls", "aws_cloudtrail"):
        assert groups.decide(alert(1, source=source, container_id="host", message="a")).fate is Fate.RAISED
        assert groups.decide(alert(2, source=source, container_id="host", message="b")).fate is Fate.RAISED
        assert groups.decide(alert(3, source=source, container_id="host", message="a")).fate is Fate.REPEAT


def test_alerts_of_others_are_told_apart_by_the_names_they_use() -> None:
    groups = Groups()
    say = {"source": "syscalls", "container_name": "shop"}
    assert groups.decide(alert(1, user_name="ann", proc_cmdline="cat /a", **say)).fate is Fate.RAISED
    assert groups.decide(alert(2, user_name="bob", proc_cmdline="cat /a", **say)).fate is Fate.RAISED
    assert groups.decide(alert(3, user_name="ann", proc_cmdline="cat /b", **say)).fate is Fate.RAISED
    assert groups.decide(alert(4, user_name="ann", proc_cmdline="cat /a", **say)).fate is Fate.REPEAT

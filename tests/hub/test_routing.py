"""Who gets an alert, and in which words."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from eyas import config
from eyas.delivery import Trust
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver
from eyas.errors import UsageError
from eyas.hub import receivers, routing, settings, template
from eyas.hub.routing import Router, Target
from eyas.hub.wording import Wording
from eyas.outputs.settings import Shared
from tests.hub.alerts import alert


def target(name: str, **more: object) -> Target:
    return Target(Receiver(name, lambda _: [], lambda: HttpSender(Trust())), **more)  # type: ignore[arg-type]


def router(*routes: dict[str, object], names: str = "a b") -> Router:
    made = settings.load({"routes": list(routes)})
    return Router(tuple(target(name) for name in names.split()), tuple(made.routes))


def test_without_routes_everyone_gets_everything() -> None:
    assert router().receivers(alert(), repeat=False) == ("a", "b")


def test_a_receiver_that_a_route_names_gets_what_the_route_lets_through() -> None:
    made = router({"to": "a", "when": "proc.name = sh"}, {"to": ["a"], "priority": "critical"})
    assert made.receivers(alert(proc_name="sh"), repeat=False) == ("a", "b")
    assert made.receivers(alert(proc_name="ls"), repeat=False) == ("b",)
    assert made.receivers(alert(proc_name="ls", priority="Alert"), repeat=False) == ("a", "b")


def test_repeats_go_to_those_who_want_every_one() -> None:
    made = Router((target("a"), target("file", every=True)))
    assert made.receivers(alert(), repeat=True) == ("file",)
    assert made.receivers(alert(), repeat=False, without="a") == ("file",)


def test_a_route_to_nobody_is_refused_with_the_nearest_name() -> None:
    made = settings.load({"routes": [{"to": "slak"}]})
    with pytest.raises(UsageError, match="no output 'slak'") as caught:
        routing.check(made.routes, ["slack"])
    assert caught.value.hint == "did you mean 'slack'?"


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"windw": 1}, "alerts.windw: unknown key"),
        ({"window": "1x"}, "alerts.window: '1x' is not a duration"),
        ({"routes": [{"to": "a", "when": "rule ~"}]}, "alerts.routes.0.when"),
        ({"max_mb": 0}, "alerts.max_mb"),
    ],
)
def test_faulty_settings_name_their_key(values: dict[str, object], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        settings.load(values)


def test_a_template_words_the_alert() -> None:
    one = alert(proc_name="sh", tags=("x", "y"))
    text = "{{ rule | upper }} {{ fields['proc.name'] }} {{ tags | join('+') }}"
    assert template.applied(text, one).message == "SHELL IN A CONTAINER sh x+y"


def test_a_field_that_an_alert_lacks_is_empty_in_a_template() -> None:
    text = "{{ rule }}: {{ fields['no.such'] }}{{ fields['no.such'] or 'nobody' }}"
    assert template.render(text, alert()) == "Shell in a container: nobody"


def test_a_template_that_fails_costs_its_words_and_never_the_alert() -> None:
    made = settings.load({"routes": [{"to": "a", "template": "{{ message + 1 }}"}]})
    wording = Wording("a", Shared(), made.routes)
    with capture_logs() as lines:
        assert [wording.of(alert(number)).message for number in range(3)] == [
            f"message {n}" for n in range(3)
        ]
    assert wording.failures == 3
    assert [(line["log_level"], line["output"], line["count"]) for line in lines] == [("warning", "a", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% for i in range(10) %}{{ i }}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ count / 0 }}",
        "{{ nothing }}",
        "{{ rule.format.__globals__ }}",
        "{{ 9 ** 9999999 }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(text: str) -> None:
    with pytest.raises(UsageError):
        template.render(text, alert())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{{ rule", "line 1"),
        ("{{ rule.__class__ }}", "line 1: '__class__' is not for templates"),
        ("{{ rule | nofilter }}", "No filter named 'nofilter'"),
        ("{{ ruel }}", "an alert has no 'ruel'"),
    ],
)
def test_a_template_that_can_never_work_is_an_error_at_start(text: str, part: str) -> None:
    made = settings.load({"routes": [{"to": "a", "template": text}]})
    with pytest.raises(UsageError, match=r"alerts\.routes\.0\.template: ") as caught:
        routing.check(made.routes, ["a"])
    assert part in str(caught.value)


def test_a_fault_in_outputs_and_routes_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "eyas.yaml"
    file.write_text(
        "alerts:\n  routes:\n  - to:\n    - slack\n    - slak\n"
        "outputs:\n  Slack:\n    webhookURL: https://a.example\n"
    )
    found = config.load(file).settings
    with pytest.raises(UsageError, match=rf"^{file}:3: alerts\.routes\.0\.to: no output 'slak'"):
        receivers.load(found.outputs, settings.load(found.alerts, found.place), found.place)
    found = config.load(file, ["alerts.routes[0].template={{ rul"]).settings
    with pytest.raises(UsageError, match=r"^option -o alerts\.routes\[0\]\.template=.*: line 1: "):
        routing.check(settings.load(found.alerts).routes, ["slack", "slak"], found.place)
    found = config.load(file, ["alerts.windw=1", "alerts.window=1"]).settings
    with pytest.raises(UsageError, match=r"^option -o alerts\.windw=1: alerts\.windw: unknown key"):
        settings.load(found.alerts, found.place)
    file.write_text(file.read_text().replace("URL: https://a.example", "URL: a.example"))
    found = config.load(file).settings
    with pytest.raises(UsageError, match=rf"^{file}:8: slack\.webhookurl: expected an address"):
        receivers.load(found.outputs, settings.load({}), found.place)

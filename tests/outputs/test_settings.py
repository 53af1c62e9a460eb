"""Falcosidekick's configuration loads unchanged, from a file and from the environment."""

import pytest
from pydantic import SecretStr

from eyas.config import Place
from eyas.delivery import Trust
from eyas.errors import UsageError
from eyas.outputs import OUTPUTS
from eyas.outputs.card import find, secrets, shown
from eyas.outputs.settings import load, settings_of, variable
from tests.outputs.cases import ALERT, CASES

# A value for a variable of each type that settings have.
TEXTS = {"bool": "true", "int": "7", "float": "2.5", "str": "text"}


def at(places: dict[str, str], otherwise: str = "eyas.yaml") -> Place:
    return lambda *steps: places.get(".".join(steps), otherwise)


def test_nothing_is_on_without_an_address() -> None:
    assert load({"slack": {"webhookurl": "", "footer": "x"}, "teams": None}, {}).enabled == ()


def test_a_section_switches_its_receiver_on_whatever_its_case() -> None:
    (one,) = load({"Slack": {"webhookURL": "https://a.example", "minimumPriority": "Info"}}, {}).enabled
    assert one.output.name == "slack"
    assert one.settings.minimumpriority == "informational"


def test_the_environment_wins_over_the_file() -> None:
    values = {"webhook": {"address": "http://file", "customheaders": {"A": "1"}}}
    env = {"WEBHOOK_ADDRESS": "http://env", "WEBHOOK_CUSTOMHEADERS": "B:2,C:http://c:3"}
    (one,) = load(values, env).enabled
    found = one.settings.model_dump()
    assert found["address"].get_secret_value() == "http://env"
    assert found["customheaders"] == {"A": "1", "B": "2", "C": "http://c:3"}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_environment_alone_switches_a_receiver_on(name: str) -> None:
    least = CASES[name][""]
    env = {variable(_section(name, key), key): _text(value) for key, value in least.items()}
    (one,) = load({}, env).enabled
    assert one.output.name == name
    assert one.settings == settings_of(find(name), least)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_file_gives_the_same_as_the_environment(name: str) -> None:
    values: dict[str, object] = {}
    for key, value in CASES[name][""].items():
        at = values
        for step in _section(name, key).split("."):
            at = at.setdefault(step, {})  # type: ignore[assignment]
        at[key] = value
    (one,) = load(values, {}).enabled
    assert one.settings == settings_of(find(name), CASES[name][""])


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_setting_can_come_from_the_environment(name: str) -> None:
    kind = find(name).settings
    env = {variable(_section(name, key), key): _text(value) for key, value in CASES[name][""].items()}
    for key, about in kind.named().items():
        text = TEXTS.get(getattr(about.annotation, "__name__", ""))
        if text and key not in ("minimumpriority", *CASES[name][""]) and not _checked(name, key):
            env[variable(_section(name, key), key)] = text
    (one,) = load({}, env).enabled
    found = one.settings.model_dump(by_alias=True)
    for key in kind.named():
        told = env.get(variable(_section(name, key), key))
        if told is not None and isinstance(found[key], bool | int | str):
            assert str(found[key]).lower() == told.lower()


def test_a_section_within_a_section_loads_from_both() -> None:
    values = {"elasticsearch": {"hostport": "http://e:9200", "batching": {"Enabled": False, "batchSize": 7}}}
    (one,) = load(values, {"ELASTICSEARCH_BATCHING_FLUSHINTERVAL": "9s"}).enabled
    batching = one.settings.model_dump()["batching"]
    assert batching == {"enabled": False, "batchsize": 7, "flushinterval": "9s"}


def test_faults_are_told_together_and_secrets_are_not() -> None:
    values = {
        "alertmanager": {"hostport": "http://a", "expiresafter": "soon"},
        "slack": {"webhookurl": "https://key.example", "minimumpriority": "loud"},
    }
    with pytest.raises(UsageError) as error:
        load(values, {}, at({}, "falcosidekick.yaml"))
    lines = str(error.value).splitlines()
    assert lines[0].startswith("falcosidekick.yaml: slack.minimumpriority: expected one of debug, ")
    assert lines[0].endswith("found 'loud'")
    assert lines[1].startswith("falcosidekick.yaml: alertmanager.expiresafter: ")
    assert "key.example" not in str(error.value)


def test_words_and_numbers_load_however_yaml_reads_them() -> None:
    values = {
        "kafka": {
            "hostport": "a:1",
            "topic": 7,
            "sasl": "scram_sha512",
            "requiredacks": "one",
            "compression": "gzip",
        },
        "kafkarest": {"address": "http://a", "version": 1},
        "telegram": {"token": "t", "chatid": -100, "messagethreadid": "5"},
        "mqtt": {"broker": "tcp://a", "qos": 2},
        "opsgenie": {"apikey": "k", "region": "EU"},
        "quickwit": {"hostport": "http://a", "version": 0.7},
        "webhook": {"address": "http://a", "method": "put"},
    }
    found = {one.output.name: one.settings.model_dump() for one in load(values, {}).enabled}
    assert (found["kafka"]["sasl"], found["kafka"]["topic"]) == ("SCRAM_SHA512", "7")
    assert found["telegram"]["chatid"] == "-100" and found["quickwit"]["version"] == "0.7"
    assert found["opsgenie"]["region"] == "eu" and found["webhook"]["method"] == "PUT"


def test_an_unknown_key_is_a_warning_with_the_nearest_name() -> None:
    loaded = load({"slack": {"webhookurl": "https://a.example", "fotter": "x"}}, {}, at({}))
    assert loaded.warnings == ("eyas.yaml: slack.fotter is not a setting, did you mean 'footer'?",)


def test_a_receiver_that_does_not_exist_is_refused_but_for_a_file_of_falcosidekick() -> None:
    values = {"slak": {"webhookurl": "https://a.example"}}
    with pytest.raises(UsageError, match=r"^eyas\.yaml: slak is no output, did you mean 'slack'\?$"):
        load(values, {}, at({}))
    told = load(values, {}, at({"slak": "config.yaml:1"}), {"slak"}).warnings
    assert told == ("config.yaml:1: slak is no output, did you mean 'slack'?",)


def test_a_receiver_that_is_off_for_want_of_its_credential_is_told() -> None:
    values = {
        "pagerduty": {"region": "us"},
        "slack": {"webhookurl": ""},
        "aws": {"s3": {"prefix": "x"}},
        "prometheus": {"enabled": False},
    }
    assert load(values, {}, at({})).warnings == (
        "eyas.yaml: slack.webhookurl is empty, so slack is off",
        "eyas.yaml: pagerduty.routingkey is missing, so pagerduty is off",
        "eyas.yaml: aws.s3.bucket is missing, so aws.s3 is off",
    )


def test_a_fault_in_the_environment_names_the_variable() -> None:
    env = {"SLACK_WEBHOOKURL": "https://a.example", "SLACK_MINIMUMPRIORITY": "loud"}
    with pytest.raises(UsageError, match=r"^environment variable SLACK_MINIMUMPRIORITY: slack\.minimump"):
        load({}, env)


def test_a_fault_of_a_second_receiver_bears_its_own_name() -> None:
    with pytest.raises(UsageError, match=r"^outputs: slack@ops\.webhookurl is missing$"):
        settings_of(find("slack"), {"webhookurl": ""}, name="slack@ops")


def test_a_file_of_falcosidekick_with_every_receiver_and_no_credential_is_quiet() -> None:
    values = {"slack": {"webhookurl": "", "footer": "x"}, "aws": {"s3": {"bucket": ""}}}
    assert load(values, {}, theirs={"slack", "aws"}).warnings == ()


def test_certificates_come_from_the_folder_that_stands_above() -> None:
    values = {
        "mutualtlsfilespath": "/certs",
        "mutualtlsclient": {"keyfile": "/own.key"},
        "tlsclient": {"cacertfile": "/ca.pem"},
        "webhook": {"address": "https://a", "mutualtls": True, "checkcert": False},
        "slack": {"webhookurl": "https://b", "checkcert": False},
    }
    found = {one.output.name: one.settings.trust for one in load(values, {}).enabled}
    assert found["webhook"] == Trust(
        ca_file="/certs/ca.crt", cert_file="/certs/client.crt", key_file="/own.key"
    )
    assert found["slack"] == Trust(False, ca_file="/ca.pem")


def test_an_address_needs_its_scheme_and_a_template_has_to_compile() -> None:
    values = {
        "loki": {"hostport": "loki:3100"},
        "slack": {"webhookurl": "https://a.example", "messageformat": "{{ .Rul }}"},
        "mattermost": {"webhookurl": "https://a.example", "messageformat": "{% if %}"},
        "webhook": {"address": "https://a.example/secret path"},
    }
    with pytest.raises(UsageError) as error:
        load(values, {})
    slack, mattermost, loki, webhook = str(error.value).splitlines()
    assert "unknown name '.Rul'; known are Rule, Priority," in slack
    assert mattermost.startswith("outputs: mattermost.messageformat: template '{% if %}': ")
    assert loki.endswith("expected an address such as https://host:port/path, found 'loki:3100'")
    assert webhook.endswith("found a secret")


def test_a_header_that_would_break_a_request_is_a_fault() -> None:
    values = {
        "loki": {"hostport": "http://a", "customheaders": {"X": "a\r\nY: b"}},
        "webhook": {"address": "http://a", "customheaders": {"X Y": "a"}},
    }
    with pytest.raises(UsageError) as error:
        load(values, {})
    assert "loki.customheaders: header 'X': expected one line of ASCII" in str(error.value)
    assert "webhook.customheaders: expected the name of a header, found 'X Y'" in str(error.value)
    assert "Y: b" not in str(error.value)


def test_a_login_does_not_show_either() -> None:
    settings = settings_of(find("nodered"), CASES["nodered"][""])
    request = find("nodered").request(ALERT, settings)
    assert shown(str(request.headers), settings).count("…") == 1
    assert "ZmFsY286c2VjcmV0" not in shown(str(request.headers), settings)


def test_secrets_do_not_show() -> None:
    settings = settings_of(
        find("webhook"), {"address": "https://a.example/key", "customheaders": "A:tok,B:to"}
    )
    assert secrets(settings)[0] == "https%3A%2F%2Fa.example%2Fkey"
    assert shown("POST https://a.example/key tok", settings) == "POST https://a.example/… …"
    assert "a.example" not in repr(settings)


def _section(name: str, key: str) -> str:
    return name.rpartition(".")[0] if key in find(name).settings.shared else name


def _checked(name: str, key: str) -> bool:
    """Whether a setting takes only some texts."""
    return bool(find(name).settings.named()[key].metadata)


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return ",".join(f"{key}:{entry}" for key, entry in value.items())
    return ",".join(value) if isinstance(value, list) else str(value)

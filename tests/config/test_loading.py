"""Configuration files, variables and options."""

from pathlib import Path

import pytest

from eyas import config
from eyas.errors import UsageError


def write(folder: Path, text: str, name: str = "eyas.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(*args: object) -> str:
    with pytest.raises(UsageError) as caught:
        config.load(*args)  # type: ignore[arg-type]
    return f"{caught.value}\n{caught.value.hint}"


def test_nothing_given_means_defaults() -> None:
    settings = config.load(None).settings
    assert settings.rule_matching == "all"
    assert settings.webserver.listen_address == "127.0.0.1"


def test_a_file_of_falco_loads_with_a_warning_for_each_key_without_meaning(tmp_path: Path) -> None:
    path = write(
        tmp_path, "rules_file: [a.yaml]\nbuffered_outputs: true\ngrpc: {enabled: true}\njson_output: true\n"
    )
    found = config.load(path)
    assert found.settings.json_output
    assert found.settings.rules_files == ["a.yaml"]
    assert found.warnings == [
        f"{path}:1: 'rules_file' is the old name of 'rules_files'",
        f"{path}:3: 'grpc' has no effect: there is no gRPC server",
        f"{path}:2: 'buffered_outputs' has no effect: an alert is written at once",
    ]


def test_an_unknown_key_is_refused_with_file_line_and_the_closest_name(tmp_path: Path) -> None:
    path = write(tmp_path, "json_output: true\ncapture:\n  enabledd: true\n")
    message = refused(path)
    assert f"{path}:3: unknown key 'capture.enabledd'" in message
    assert "did you mean 'capture.enabled'?" in message


def test_a_wrong_type_is_refused_with_what_was_found(tmp_path: Path) -> None:
    path = write(tmp_path, "webserver:\n  listen_port: often\n")
    assert f"{path}:2: 'webserver.listen_port': expected a whole number, found 'often'" in refused(path)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "json_output: true\njson_output: false\n")
    assert f"{path}:2: the key 'json_output' stands twice" in refused(path)


def test_broken_yaml_names_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "rules:\n\t- x\n")
    assert f"{path}:2:1: not YAML" in refused(path)


def test_options_reach_into_mappings_and_lists() -> None:
    settings = config.load(
        None, ["rules[].disable.rule=*", "rules[].enable.tag=network", "capture.enabled=true"]
    ).settings
    assert settings.rules == [{"disable": {"rule": "*"}}, {"enable": {"tag": "network"}}]
    assert settings.capture.enabled


def test_an_option_without_a_value_is_refused() -> None:
    assert "expected KEY=VALUE" in refused(None, ["json_output"])


def test_variables_set_keys_and_fill_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYAS_CAPTURE__ENABLED", "true")
    monkeypatch.setenv("WHERE", "/var/log")
    path = write(
        tmp_path, "file_output: {filename: '${WHERE}/x'}\nprogram_output: {program: 'echo $${WHERE}'}\n"
    )
    settings = config.load(path).settings
    assert settings.capture.enabled
    assert settings.file_output.filename == "/var/log/x"
    assert settings.program_output.program == "echo ${WHERE}"


@pytest.mark.parametrize(
    ("strategy", "files", "json_output"),
    [("append", ["a", "b"], True), ("override", ["b"], True), ("add-only", ["a"], False)],
)
def test_included_files_are_merged(
    tmp_path: Path, strategy: str, files: list[str], json_output: bool
) -> None:
    more = write(tmp_path, "rules_files: [b]\njson_output: true\n", "more.yaml")
    path = write(
        tmp_path,
        f"config_files: [{{path: {more}, strategy: {strategy}}}]\nrules_files: [a]\njson_output: false\n",
    )
    settings = config.load(path).settings
    assert settings.rules_files == files
    assert settings.json_output is json_output


def test_losses_are_not_ignored_and_told_at_once() -> None:
    with pytest.raises(UsageError, match="'ignore' stands beside 'log' or 'alert'"):
        config.load(None, ["syscall_event_drops.actions=[ignore, log]"])
    assert config.load(None, ["syscall_event_drops.actions=[exit]"]).settings.syscall_event_drops.actions == (
        "exit",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"metrics: 3\n", "x.yaml:1: 'metrics': expected a mapping, found 3"),
        (
            b"http_output:\n  enabled: maybe\n",
            "x.yaml:2: 'http_output.enabled': expected true or false, found 'maybe'",
        ),
        (b"rules_files: a\n", "x.yaml:1: 'rules_files': expected a list, found 'a'"),
        (b"\n# \xc3\xa9 \xff\n", "x.yaml:2:5: byte 0xff is not UTF-8"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "x.yaml").write_bytes(text)
    with pytest.raises(UsageError) as refused:
        config.load(tmp_path / "x.yaml")
    assert str(refused.value).endswith(words)

"""Rule files that are wrong, hostile or enormous: each gets a message with its place, and soon."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from eyas import catalog, rules
from eyas.cli.entry import group
from eyas.lang import CODES
from eyas.rules import document
from eyas.rules.problem import Problem
from eyas.sources import members

RULE = "- rule: one\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n"
NESTED_MACROS = "- macro: m0\n  condition: proc.name = x\n" + "".join(
    f"- macro: m{number + 1}\n  condition: ({' or '.join([f'm{number}'] * 10)})\n" for number in range(12)
)


def faults(text: str) -> list[Problem]:
    loaded = rules.load_documents([document.parse("bad.yaml", text)], catalog.load(), rules.Settings())
    return [problem for problem in loaded.problems if not problem.code.startswith("LOAD_UNUSED")]


CASES = {
    "tab": ("- rule: x\n\tdesc: d\n", 2, "LOAD_ERR_YAML_PARSE", "blanks, not tabs"),
    "duplicate key": (RULE.format("evt.type = open") + "  desc: e\n", 6, "LOAD_ERR_YAML_VALIDATE", "duplicate key 'desc'"),
    "unknown field": (RULE.format("evt.type = open and proc.nme = x"), 3, "LOAD_ERR_COMPILE_CONDITION", "proc.name"),
    "wrong type": (RULE.format("evt.type = open and evt.num = x"), 3, "LOAD_ERR_COMPILE_CONDITION", "uint64"),
    "a list for a text": (RULE.format("[a, b]"), 3, "LOAD_ERR_YAML_VALIDATE", "is not a scalar value"),
    "a text for a list": (RULE.format("evt.num = 1") + "  tags: a\n", 6, "LOAD_ERR_YAML_VALIDATE", "is not a sequence"),
    "not true or false": (RULE.format("evt.num = 1") + "  enabled: may\n", 6, "LOAD_ERR_YAML_VALIDATE", "true or false"),
    "unknown key": (RULE.format("evt.type = open") + "  enabeld: true\n", 6, "LOAD_UNKNOWN_KEY", "did you mean 'enabled'?"),
    "unknown item": ("- rul: x\n", 1, "LOAD_UNKNOWN_ITEM", "did you mean 'rule'?"),
    "10 MB of comparisons": (
        RULE.format(" or ".join(f"proc.name = p{number}" for number in range(500_000))),
        3, "LOAD_ERR_COMPILE_CONDITION", "500,000 comparisons, at most 100,000",
    ),
    "10 MB of one word": (RULE.format("x" * 10_000_000), 3, "LOAD_ERR_VALIDATE", "Undefined macro"),
    "10 MB of one text": (
        RULE.format(f"evt.type = open and proc.name = {'x' * 10_000_000}"),
        3, "LOAD_ERR_COMPILE_CONDITION", "longer than 255",
    ),
    "a thousand parentheses": (
        RULE.format(f"{'(' * 1000}evt.num = 1{')' * 1000}"), 3, "LOAD_ERR_COMPILE_CONDITION", "max depth",
    ),
    "a hundred thousand parentheses": (
        RULE.format(f"{'(' * 100_000}evt.num = 1"), 3, "LOAD_ERR_COMPILE_CONDITION", "max depth",
    ),
    "macros that grow": (NESTED_MACROS + RULE.format("evt.type = open and m12"), 29, "LOAD_ERR_COMPILE_CONDITION", "comparisons"),
    "a regular expression that explodes": (
        RULE.format("evt.type = open and fd.name regex '(((a{100}){100}){100}){100}'"),
        3, "LOAD_ERR_COMPILE_CONDITION", "exceeds size limit",
    ),
    "a regular expression that does not end": (
        RULE.format("evt.type = open and fd.name regex '(a'"), 3, "LOAD_ERR_COMPILE_CONDITION", "missing closing ')'",
    ),
    "deep YAML": (f"- rule: {'[' * 100_000}\n", 1, "LOAD_ERR_YAML_PARSE", "nesting"),
    "a node inside of itself": ("- &a [*a]\n", 1, "LOAD_ERR_YAML_VALIDATE", "array of objects"),
    "a mapping": ("rule: x\n", 1, "LOAD_ERR_YAML_VALIDATE", "array of objects"),
    "NUL": ("- rule: a\0b\n", 1, "LOAD_ERR_YAML_PARSE", "#x0000"),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("text", "line", "code", "words"), CASES.values(), ids=CASES)
def test_a_wrong_file_gets_a_message_with_its_place(text: str, line: int, code: str, words: str) -> None:
    found = faults(text)
    assert (found[0].code, found[0].place.line, found[0].place.file) == (code, line, "bad.yaml")
    assert words in found[0].message + found[0].help
    assert len(found[0].text()) < 4000


def test_a_rule_with_several_faults_has_them_all_reported() -> None:
    text = RULE.format("[a]").replace("INFO", "SOON") + "  enabled: may\n  tags: a\n"
    assert [problem.place.line for problem in faults(text)] == [3, 5, 6, 7]


@pytest.mark.timeout(60)
def test_a_list_of_a_hundred_thousand_names_is_fine() -> None:
    names = ", ".join(f"p{number}" for number in range(100_000))
    assert (
        faults(
            f"- list: names\n  items: [{names}]\n" + RULE.format("evt.type = open and proc.name in (names)")
        )
        == []
    )


def test_a_hostile_name_harms_no_terminal() -> None:
    text = faults(RULE.format("evt.type = open and x").replace("one", '"\\e[2Jone"'))[0].text()
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rules", "check", "{}/none.yaml"), 1, "none.yaml:1:1: error: no such file or directory"),
        (("rules", "check", "{}"), 1, "the folder holds no rule files"),
        (("rules", "check", "{}/binary.yaml"), 1, "byte 128 is not UTF-8"),
        (("rules", "test", "{}"), 1, "the folder holds no rule files"),
        (("rules", "fmt", "{}"), 3, "the folder holds no rule files"),
        (("rules", "check", "--nope"), 2, "No such option"),
        (("rules", "explain", "nope"), 2, "no rule is called 'nope'"),
    ],
)
def test_a_command_ends_with_the_documented_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    import subprocess
    import sys

    if "binary" in arguments[-1]:
        (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    filled = [argument.format(tmp_path) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "eyas", *filled], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_word_builtin_names_the_rules_we_ship(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "- rule: Interactive shell in container\n  exceptions:\n    - name: images\n      values:\n"
        "        - [registry.example.org/toolbox]\n  override: {exceptions: append}\n"
    )
    result = CliRunner().invoke(
        group, ["rules", "check", "-r", "builtin", "-r", str(mine)], standalone_mode=False
    )
    assert result.return_value == 0, result.output


PAGES = sorted((Path(__file__).parents[2] / "spec" / "errors").glob("LOAD_*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_of_a_code_gives_that_code(page: Path, tmp_path: Path) -> None:
    example = re.search(r"```rules\n(.*?)\n```", page.read_text(), re.DOTALL)
    if example is None:
        assert [
            problem.code for problem in rules.load([tmp_path / "missing.yaml"], catalog.load()).problems
        ] == [page.stem]
        return
    loaded = rules.load_documents(
        [document.parse("page.yaml", example[1])], members.known(), rules.Settings()
    )
    found = {problem.code: problem for problem in loaded.problems}
    assert page.stem in found, list(found)
    assert f"Severity: {found[page.stem].severity}." in page.read_text()


def test_every_code_of_rule_files_has_a_page() -> None:
    source = "".join(path.read_text() for path in (Path(rules.__file__).parent).rglob("*.py"))
    used = set(re.findall(r"LOAD_[A-Z_]+[A-Z]", source)) - {"LOAD_ERR_EXTENSION", "LOAD_UNUSED"}
    used |= {code.load for code in CODES.values()}
    assert used == {page.stem for page in PAGES}

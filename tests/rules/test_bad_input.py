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
    "NUL": ("- rule: a\0b\n", 1, "LOAD_ERR_YAML_PARSE", "U+0000"),
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


def test_a_fault_of_the_form_hides_none_of_the_condition_and_the_output() -> None:
    text = (
        RULE.format("evt.type = open and proc.nme = x")
        .replace("INFO", "SOON")
        .replace("output: o", "output: '%no.field'")
    )
    assert [(problem.code, problem.place.line) for problem in faults(text)] == [
        ("LOAD_ERR_COMPILE_CONDITION", 3),
        ("LOAD_ERR_COMPILE_OUTPUT", 4),
        ("LOAD_ERR_YAML_VALIDATE", 5),
    ]


def test_every_fault_of_an_output_is_reported() -> None:
    found = faults(
        RULE.format("evt.type = open").replace("output: o", "output: 'o %no.field %proc.name %nope.x %'")
    )
    assert [problem.place.column for problem in found] == [14, 35, 43]
    assert [problem.code for problem in found] == ["LOAD_ERR_COMPILE_OUTPUT"] * 3


def test_a_missing_key_hides_no_fault_of_what_is_there() -> None:
    found = faults(
        "- rule: one\n  condition: evt.type = open and proc.nme = x\n  exceptions:\n    - name: a\n"
    )
    assert [problem.code for problem in found] == [
        "LOAD_ERR_YAML_VALIDATE",
        "LOAD_ERR_YAML_VALIDATE",
        "LOAD_ERR_YAML_VALIDATE",
        "LOAD_ERR_COMPILE_CONDITION",
        "LOAD_ERR_YAML_VALIDATE",
    ]


def test_every_fault_of_an_override_is_told() -> None:
    change = (
        "- rule: one\n  output: x\n  tags: [a]\n  override: {output: add, priority: append, desc: replace}\n"
    )
    found = [problem.message for problem in faults(RULE.format("evt.type = open") + change)]
    assert len(found) == 4


MACRO = "- macro: {}\n  condition: {}\n"


def test_a_loop_of_macros_is_told_once_with_its_chain() -> None:
    text = MACRO.format("a", "b and evt.num = 1") + MACRO.format("b", "evt.num = 2 or a")
    (found,) = faults(text + RULE.format("evt.type = open and a"))
    assert found.message == "reference loop in macro 'a': a → b → a"
    assert (found.code, found.place.line, found.place.column) == ("LOAD_ERR_VALIDATE", 2, 14)


def test_a_loop_through_a_later_definition_is_told() -> None:
    text = MACRO.format("a", "evt.num = 1") + MACRO.format("b", "a") + MACRO.format("a", "b or evt.num = 3")
    (found,) = faults(text + RULE.format("evt.type = open and a"))
    assert "reference loop in macro" in found.message


def test_a_macro_below_the_one_that_uses_it_is_told_where_it_is_used() -> None:
    text = MACRO.format("a", "later and evt.num = 1") + MACRO.format("later", "evt.num = 2")
    (found,) = faults(text + RULE.format("evt.type = open and a"))
    assert found.message == "Undefined macro 'later' used in filter."
    assert found.place.line == 2
    assert found.help == "'later' is defined below 'a', at bad.yaml:3; a macro sees those above it"


@pytest.mark.timeout(60)
def test_a_long_chain_of_macros_is_fine() -> None:
    chain = [MACRO.format(f"m{number + 1}", f"m{number} and evt.num > {number}") for number in range(2000)]
    text = MACRO.format("m0", "evt.type = open") + "".join(chain) + RULE.format("m2000")
    assert faults(text) == []


def test_macros_that_nest_too_deep_are_refused() -> None:
    words = ("and", "or")
    chain = [MACRO.format(f"m{n + 1}", f"m{n} {words[n % 2]} evt.num = {n}") for n in range(900)]
    (found,) = faults(MACRO.format("m0", "evt.type = open") + "".join(chain) + RULE.format("m900"))
    assert found.message == "with its macros the condition is nested 900 deep, at most 400"


def test_a_byte_that_is_not_utf8_is_shown_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    text = RULE.format("evt.type = open and proc.nme = 'é\udcff'").encode("utf-8", "surrogateescape")
    path.write_bytes(text)
    field, byte = rules.load([path], catalog.load()).errors
    assert field.message == "nonexistent field proc.nme"
    assert (byte.place.line, byte.place.column) == (3, 47)
    assert byte.text().splitlines()[2].index("^") == byte.text().splitlines()[1].index("�")


def test_a_control_character_is_shown_where_it_stands() -> None:
    (found,) = faults(RULE.format("evt.type = open and proc.name = é\x00"))
    assert (found.place.line, found.place.column) == (3, 47)


@pytest.mark.parametrize(
    "text",
    [
        "[a]", "{name: x}", "[{name: x}]", "[{name: [x], version: 1.0.0}]", "[{name: x, version: {a: b}}]",
        "[{name: x, version: 1.0.0, alternatives: no}]", "[{name: x, version: 1.0.0, alternatives: [a]}]",
    ],
)  # fmt: skip
def test_plugin_requirements_of_another_shape_are_refused(text: str) -> None:
    (found,) = faults(f"- required_plugin_versions: {text}\n")
    assert found.code == "LOAD_ERR_YAML_VALIDATE"


def test_lines_are_counted_as_yaml_ends_them() -> None:
    (found,) = faults("# one\r# two\u2028# three\r\n" + RULE.format("evt.type = open and proc.nme = x"))
    assert (found.place.line, found.place.column) == (6, 34)
    assert found.place.text == "  condition: evt.type = open and proc.nme = x"


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
        (("rules", "check", "{}/binary.yaml"), 1, "byte 0x80 at offset 128 is not UTF-8"),
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

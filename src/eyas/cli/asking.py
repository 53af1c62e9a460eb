"""Asking a person for what a source needs, and writing the answers into the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from eyas.errors import RunError, UsageError
from eyas.intake import Feed
from eyas.intake.configured import feed, source_of, way_of, ways
from eyas.sources.reach.policy import text
from eyas.sources.reach.way import Question, Way, questions
from eyas.transports.secret import PLACES

# What a listener has to be told before anybody but this machine reaches it.
_LISTENER = ("listen", "certificate", "key")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered."""

    feed: Feed
    values: Mapping[str, Any]

    def policy(self) -> str:
        """The rights that it needs at the service."""
        return text(self.feed.source.name, self.feed.way, self.values)


def section(name: str, source: str | None, via: str | None, given: Sequence[str], *, silent: bool) -> Asked:
    """Ask for one source; answers that are given beforehand are not asked for."""
    known = source_of(source or name, name).name
    way = way_of(known, via, name) if via else _way(known, silent)
    values: dict[str, Any] = {"via": way.via} if known == name else {"source": known, "via": way.via}
    answers = dict(_pair(text) for text in given)
    for question in questions(way):
        if question.name in answers:
            values[question.name] = _value(question, answers.pop(question.name))
        elif not silent and (question.required or question.secret or question.name in _LISTENER):
            answer = _ask(name, question)
            values |= {question.name: answer} if answer not in (None, "") else {}
    if answers:
        raise UsageError(
            f"{way.via} knows no '{next(iter(answers))}'", ", ".join(q.name for q in questions(way))
        )
    return Asked(feed(name, values), values)


def _way(source: str, silent: bool) -> Way:
    known = ways(source)
    if silent:
        return known[0]
    for way in known:
        click.echo(f"  {way.via:12} {way.about}", err=True)
    chosen = click.prompt(
        "How does it arrive", type=click.Choice([way.via for way in known]), default=known[0].via, err=True
    )
    return way_of(source, chosen, source)


def _ask(name: str, question: Question) -> Any:
    about = question.about.rstrip(".")
    default = "" if question.default is None and not question.required else question.default
    if question.secret:
        about += " (env:NAME, file:PATH or keyring:SERVICE/USER)"
        default = f"env:EYAS_{name.upper()}_{question.name.upper()}" if question.required else ""

    def answered(answer: Any) -> Any:
        try:
            return _value(question, answer)
        except UsageError as error:
            raise click.BadParameter(f"{error} ({error.hint})") from None

    return click.prompt(about, default=default, show_default=bool(default), err=True, value_proc=answered)


def _pair(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals:
        raise UsageError(f"--set {given}: expected KEY=VALUE")
    return key, value


def _value(question: Question, answer: Any) -> Any:
    if not isinstance(answer, str) or not answer:
        return answer
    if question.secret:
        place, colon, where = answer.partition(":")
        if not colon or place not in PLACES:
            raise UsageError(
                f"{question.name}: expected the place of the secret",
                "env:NAME, file:PATH or keyring:SERVICE/USER",
            )
        return {place: where}
    if question.name in ("brokers", "topics", "servers", "match", "repositories"):
        return [item.strip() for item in answer.split(",")]
    return answer


def write(path: Path, name: str, values: Mapping[str, Any]) -> None:
    """Put a source into the configuration; everything else in the file stays as it is."""
    try:
        before = path.read_text() if path.exists() else ""
        after = inserted(before, name, values)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after)
    except OSError as error:
        raise RunError(f"{path}: {(error.strerror or str(error)).lower()}", "use -c FILE") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def inserted(before: str, name: str, values: Mapping[str, Any]) -> str:
    """The text of a configuration with one more source, on top of those that are there."""
    block = yaml.safe_dump({name: dict(values)}, sort_keys=False, allow_unicode=True, width=110)
    root = yaml.compose(before)
    node = (
        next((v for k, v in root.value if k.value == "sources"), None)
        if isinstance(root, yaml.MappingNode)
        else None
    )
    if node is None:
        gap = "\n" if before.strip() else ""
        return before.rstrip("\n") + "\n" * bool(before.strip()) + gap + "sources:\n" + _moved(block, 2)
    if isinstance(node, yaml.MappingNode) and any(key.value == name for key, _ in node.value):
        raise UsageError(
            f"a source '{name}' is configured already", "choose another name, with --source for what it is"
        )
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        if isinstance(node, yaml.MappingNode) and node.value:
            raise UsageError("'sources' is written in braces", "write each source on lines of its own")
        return (
            before[: node.start_mark.index].rstrip()
            + "\n"
            + _moved(block, 2)
            + before[node.end_mark.index :].lstrip("\n")
        )
    start = node.start_mark.index - node.start_mark.column
    return before[:start] + _moved(block, node.start_mark.column) + before[start:]


def _moved(block: str, columns: int) -> str:
    return "".join(f"{' ' * columns}{line}" for line in block.splitlines(keepends=True))

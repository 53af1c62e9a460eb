"""`append_output` of the configuration: what is added to the outputs of rules, and to which rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eyas import lang
from eyas.catalog import Catalog
from eyas.lang.constants import Ir
from eyas.lang.diagnostics import refuse
from eyas.rules.items import Rule

Segments = tuple[str | lang.Placeholder, ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """An entry of `append_output`; what it does not ask of a rule is empty."""

    source: str = ""
    rule: str = ""
    tags: frozenset[str] = frozenset()
    text: str = ""
    fields: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    suggested: bool = False

    def applies(self, rule: Rule) -> bool:
        """Whether it concerns a rule: of this source, of exactly this name, with all of these tags."""
        named = self.rule in ("", rule.name) and self.source in ("", rule.source)
        return named and self.tags <= frozenset(rule.tags)

    def output(self, catalog: Catalog) -> str:
        """The text that is added to an output."""
        return " ".join(filter(None, (self.text, lang.suggested(catalog) if self.suggested else "")))


@dataclass(frozen=True, slots=True)
class Extras:
    """Further members of `output_fields`: fields as they are, and texts, by the numbers of their operands."""

    fields: tuple[tuple[str, int], ...] = ()
    texts: tuple[tuple[str, Segments], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Fields that they read."""
        read = (part.key for _, text in self.texts for part in text if isinstance(part, lang.Placeholder))
        return (*(name for name, _ in self.fields), *read)


NOTHING_MORE = Extras()


def extras(additions: Iterable[Addition], catalog: Catalog, operands: list[Ir]) -> Extras:
    """Compile the further fields and put what they read behind `operands`; raises `FaultError`."""
    fields: dict[str, int] = {}
    texts: dict[str, Segments] = {}
    for one in additions:
        for name in one.fields:
            found = lang.template(f"%{name}", catalog)
            if len(found.segments) != 1:
                raise refuse(
                    "E301", (0, len(name)), f"expected one field, found '{name}'", "write {key: text}"
                )
            fields |= {key: len(operands) + number for key, number in found.fields}
            operands += found.operands
        for key, text in one.texts:
            found = lang.template(text, catalog)
            texts[key] = tuple(_moved(part, len(operands)) for part in found.segments)
            operands += found.operands
    return Extras(tuple(fields.items()), tuple(texts.items()))


def _moved(part: str | lang.Placeholder, by: int) -> str | lang.Placeholder:
    return part if isinstance(part, str) else lang.Placeholder(part.operand + by, part.key, part.width)

"""From definitions to rules that the core runs, with every fault on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from eyas import lang
from eyas.catalog import KERNEL, Catalog
from eyas.lang import Fault, FaultError, Memo, Node, Template
from eyas.lang.diagnostics import fault
from eyas.rules import exceptions
from eyas.rules.additions import NOTHING_MORE, Addition, Extras, extras
from eyas.rules.collect import Collected
from eyas.rules.compiled import Compiled
from eyas.rules.expand import Expander, FaultyMacroError, UnresolvedError, names_of
from eyas.rules.items import Macro, RefusedError, Rule
from eyas.rules.limits import expect_grown, regex_fault
from eyas.rules.problem import Place, Problem
from eyas.rules.text import Locate, Source

CONTAINER_INFO = "%container.info"
MANY_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Ground:
    """What rules of one source can ask, and the memory they share."""

    source: str
    catalog: Catalog
    memo: Memo = field(default_factory=Memo)


@dataclass(slots=True)
class Compiler:
    """Compiles all rules with one memory, so that what they share is done once."""

    collected: Collected
    catalog: Catalog
    additions: tuple[Addition, ...] = ()
    carry: tuple[str, ...] = ()
    base64: bool = False  # how outputs show buffers
    grounds: dict[str, Ground | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seen: set[tuple[str, int, str]] = field(default_factory=set)
    expander: Expander = field(init=False)
    _known: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.expander = Expander(self.collected)

    def rules(self) -> list[Compiled]:
        """Compile every rule; faulty ones are left out."""
        done = [self.rule(rule) for rule in self.collected.rules.values()]
        self._unused()
        return [rule for rule in done if rule is not None]

    def rule(self, rule: Rule) -> Compiled | None:
        """Compile one rule, or report what is wrong with it."""
        ground = self._ground(rule.source)
        if ground is None:
            what = f"Unknown source {rule.source}, skipping"
            self._problem("LOAD_UNKNOWN_SOURCE", what, rule.place, "warning", (("rule", rule.name),))
            return None
        condition = self._condition(rule, ground) if rule.condition.text else None
        output = self._output(rule, ground) if rule.output.text else None
        if condition is None or output is None or rule.torn:
            return None
        tree, source = condition
        template, text = output
        carried, operands = self._carried(rule, template, ground)
        more, operands = self._extras(rule, operands, ground)
        events = self._events(rule, tree, ground)
        return Compiled(
            name=rule.name,
            desc=rule.desc,
            priority=rule.priority,
            source=rule.source,
            tags=tuple(sorted(rule.tags)),
            enabled=rule.enabled,
            capture=rule.capture,
            capture_duration=rule.capture_duration,
            condition_text=source.text,
            output_text=text,
            condition=lang.lower(tree, ground.catalog, ground.memo),
            tree=tree,
            template=template,
            events=events,
            place=rule.place,
            tests=tuple(rule.tests),
            exceptions=tuple(rule.exceptions),
            grouping=rule.grouping,
            carried=carried,
            operands=operands,
            extras=more,
            base64=self.base64,
        )

    def _ground(self, source: str) -> Ground | None:
        if source not in self.grounds:
            known = self.catalog.of_source(source)
            self.grounds[source] = None if known is None else Ground(source, known)
        return self.grounds[source]

    def _events(self, rule: Rule, tree: Node, ground: Ground) -> frozenset[int] | None:
        """Events of the kernel that a rule can match; rules of other sources match none."""
        if ground.source != KERNEL:
            return frozenset()
        events = lang.events_of(tree, ground.catalog, ground.memo)
        if rule.warn_evttypes and (events is None or len(events) > MANY_EVENTS):
            what = "Rule matches too many evt.type values. This has a significant performance penalty."
            self._problem("LOAD_NO_EVTTYPE", what, rule.place, "warning", (("rule", rule.name),))
        return events

    def _condition(self, rule: Rule, ground: Ground) -> tuple[Node, Source] | None:
        context = (("rule", rule.name), ("condition expression", ""))
        try:
            source = self._with_exceptions(rule)
            expanded = self.expander.condition(source)
        except RefusedError as refused:
            self.problems += refused.problems
            return None
        except FaultError as error:
            self._fault(error.fault, self.expander.text(source), context, rule)
            return None
        good = self._checked(expanded.tree, expanded.source, context, rule, ground)
        good &= self._exceptions_good(rule, ground)
        try:
            self._expect_seen(expanded.tree, rule)
            tree = self.expander.inline(expanded.tree)
            expect_grown(tree)
        except UnresolvedError as error:
            self._unresolved(error, expanded.source, context)
            good = False
        except FaultyMacroError:
            good = False
        except FaultError as error:
            self._fault(error.fault, expanded.source, context, rule)
            return None
        good &= self._macros_good(expanded.tree, rule, ground)
        return (tree, rule.condition) if good else None

    def _expect_seen(self, tree: Node, rule: Rule) -> None:
        """A rule sees the macros of its file and of those before; raises `UnresolvedError` for another."""
        for name in names_of(tree):
            macro = self.collected.macros.get(name.name)
            if macro is not None and macro.file > rule.file:
                hint = f"'{name.name}' is defined in a later file, {macro.place.file}"
                raise UnresolvedError(name, None, f"Undefined macro '{name.name}' used in filter.", hint)

    def _exceptions_good(self, rule: Rule, ground: Ground) -> bool:
        """Whether the fields of all exceptions exist, also of those without values."""
        good = True
        for one in rule.exceptions.values():
            for name in one.fields:
                if not self._is_field(str(name), ground):
                    context = (("rule", rule.name), ("exception", one.name))
                    what = f"'{name}' is not a supported filter field"
                    self._problem("LOAD_ERR_VALIDATE", what, one.place, "error", context)
                    good = False
        return good

    @staticmethod
    def _is_field(name: str, ground: Ground) -> bool:
        try:
            found = lang.check(lang.parse(f"{name} exists"), ground.catalog, ground.memo)
        except FaultError:
            return False
        return not any(one.unknown_name for one in found)

    def _with_exceptions(self, rule: Rule) -> Source:
        source = rule.condition
        made = [(one, exceptions.text(one)) for one in rule.exceptions.values() if one.values]
        if not made:
            return source
        source = source.wrapped("(", ")")
        for one, text in made:
            place = one.place
            source = source.joined(Source.of(text, _fixed(place)), " and not ")
        return source

    def _unresolved(
        self, error: UnresolvedError, source: Source, context: tuple[tuple[str, str], ...]
    ) -> None:
        """Tell of a name that is no macro, once, at the condition that uses it."""
        if error.user is not None:
            inner = self.expander.macro(error.user.name)
            if isinstance(inner, FaultError):
                return
            source, context = inner.source, (("macro", error.user.name), ("condition expression", ""))
        place = source.place(error.name.span[0])
        key = ("", 0, " ".join(sorted(error.loop))) if error.loop else (place.file, place.offset, str(error))
        if key not in self.seen:
            self.seen.add(key)
            self._problem("LOAD_ERR_VALIDATE", str(error), place, "error", context, error.help)

    def _macros_good(self, tree: Node, rule: Rule, ground: Ground) -> bool:
        """Whether the macros that a tree names, and those that they name, are good."""
        good = True
        done: set[str] = set()
        waiting = [name.name for name in names_of(tree)]
        while waiting:
            name = waiting.pop()
            macro = self.collected.macros.get(name)
            if name in done or macro is None:
                continue
            done.add(name)
            inner = self.expander.macro(name)
            context = (("macro", name), ("condition expression", ""))
            if isinstance(inner, FaultError):
                self._fault(inner.fault, self.expander.text(macro.condition), context, rule)
                good = False
                continue
            good &= self._checked(inner.tree, inner.source, context, rule, ground)
            waiting += [name.name for name in names_of(inner.tree)]
        return good

    def _checked(
        self, tree: Node, source: Source, context: tuple[tuple[str, str], ...], rule: Rule, ground: Ground
    ) -> bool:
        """Check the comparisons that stand in this text; those of its macros are checked in theirs."""
        good = True
        for found in lang.check(tree, ground.catalog, ground.memo):
            if found.code == "E106":
                continue
            good &= found.severity != "error"
            self._fault(found, source, context, rule)
        return good and self._regexes_good(tree, source, context, rule)

    def _regexes_good(
        self, tree: Node, source: Source, context: tuple[tuple[str, str], ...], rule: Rule
    ) -> bool:
        """Ask the core about regular expressions: it refuses those that grow too large."""
        good = True
        for one in lang.checks_of(tree):
            if one.op == "regex" and isinstance(one.right, lang.Text):
                wrong = regex_fault(one.right.value)
                if wrong is not None:
                    good = False
                    found = fault("E205", one.right.span, f"invalid regular expression: {wrong}")
                    self._fault(found, source, context, rule)
        return good

    def _output(self, rule: Rule, ground: Ground) -> tuple[Template, str] | None:
        context = (("rule", rule.name), ("rule output expression", ""))
        text = rule.output.text.strip()
        if CONTAINER_INFO in text:
            what = "%container.info is deprecated and no longer useful, and will be dropped by Falco 1.0.0."
            self._problem("LOAD_DEPRECATED_ITEM", what, rule.output.place(0), "warning", context)
            text = text.replace(CONTAINER_INFO, "").strip()
        try:
            template = lang.template(text, ground.catalog)
        except FaultError as error:
            for one in lang.template_faults(text, ground.catalog) or [error.fault]:
                self._fault(one, rule.output, context, rule)
            return None
        for one in template.advice:
            self._fault(one, rule.output, context, rule)
        return self._added(rule, text, ground) or (template, text)

    def _added(self, rule: Rule, text: str, ground: Ground) -> tuple[Template, str] | None:
        """The output with what `append_output` adds to its text; None when that adds nothing or is faulty."""
        more = [one.output(ground.catalog) for one in self.additions if one.applies(rule)]
        if not any(more):
            return None
        whole = " ".join([text, *filter(None, more)])
        try:
            return lang.template(whole, ground.catalog), whole
        except FaultError as error:
            self._addition_fault(error.fault, rule)
            return None

    def _extras(
        self, rule: Rule, operands: tuple[dict[str, Any], ...], ground: Ground
    ) -> tuple[Extras, tuple[dict[str, Any], ...]]:
        """Further output fields, and all operands with those that they read."""
        grown = list(operands)
        try:
            found = extras((one for one in self.additions if one.applies(rule)), ground.catalog, grown)
        except FaultError as error:
            self._addition_fault(error.fault, rule)
            return NOTHING_MORE, operands
        return found, tuple(grown)

    def _addition_fault(self, found: Fault, rule: Rule) -> None:
        """A fault in the configuration, told at the rule whose output it was to join."""
        what = f"append_output: {found.message}"
        self._problem(found.load, what, rule.output.place(0), "error", (("rule", rule.name),), found.help)

    def _carried(
        self, rule: Rule, template: Template, ground: Ground
    ) -> tuple[tuple[tuple[str, int], ...], tuple[dict[str, Any], ...]]:
        """What a match brings along beside its output: the fields it is grouped by, and those that `carry` names."""
        operands = list(template.operands)
        numbers = dict(template.fields)
        for name in rule.grouping.group_by or ():
            if name not in numbers and self._carry(name, ground) is None:
                what = f"Unknown field '{name}' in 'group_by'"
                self._problem("LOAD_ERR_VALIDATE", what, rule.place, "error", (("rule", rule.name),))
        carried: dict[str, int] = {}
        for name in dict.fromkeys((*(rule.grouping.group_by or ()), *self.carry)):
            ir = self._carry(name, ground)
            if ir is None:
                continue
            if name not in numbers:
                numbers[name] = len(operands)
                operands.append(ir)
            carried[name] = numbers[name]
        return tuple(carried.items()), tuple(operands)

    def _carry(self, name: str, ground: Ground) -> dict[str, Any] | None:
        """The operand of a field that exists for a source."""
        key = (ground.source, name)
        if key not in self._known:
            found = ground.catalog.find(name.partition("[")[0])
            fits = (
                found is not None and found.field.available and found.field.source in ("any", ground.source)
            )
            self._known[key] = lang.template(f"%{name}", ground.catalog).operands[0] if fits else None
        return self._known[key]

    def _fault(
        self, found: Fault, source: Source, context: tuple[tuple[str, str], ...], rule: Rule | None = None
    ) -> None:
        place = source.place(found.span[0])
        severity, code = found.severity, found.load
        if severity == "warning" and code == "LOAD_ERR_COMPILE_CONDITION":
            code = "LOAD_COMPILE_CONDITION"
        if found.unknown_name and rule is not None and rule.skip_if_unknown:
            severity, code = "warning", "LOAD_UNKNOWN_FILTER"
        key = (place.file, place.offset, found.message)
        if key in self.seen:
            return
        self.seen.add(key)
        self.problems.append(Problem(code, found.message, place, severity, found.help, found.code, context))

    def _problem(
        self,
        code: str,
        message: str,
        place: Place,
        severity: str,
        items: tuple[tuple[str, str], ...],
        hint: str = "",
    ) -> None:
        self.problems.append(Problem(code, message, place, severity, hint, "", items))

    def _unused_macro(self, macro: Macro) -> None:
        """Faults of a macro that no rule uses: they stop nothing, unless it is no condition at all."""
        context = (("macro", macro.name), ("condition expression", ""))
        inner = self.expander.macro(macro.name)
        if isinstance(inner, FaultError):
            self._fault(inner.fault, self.expander.text(macro.condition), context)
            return
        grounds = [ground for ground in (*self.grounds.values(), self._ground("syscall")) if ground]
        checked = (lang.check(inner.tree, ground.catalog, ground.memo) for ground in grounds)
        for found in min(checked, key=len, default=[]):
            if found.code != "E106":
                self._fault(replace(found, severity="warning"), inner.source, context)
        try:
            self.expander.inline(inner.tree, macro)
        except UnresolvedError as error:
            self._unresolved(error, inner.source, context)
        except FaultyMacroError:
            return

    def _unused(self) -> None:
        for macro in [macro for macro in self.collected.macros.values() if not macro.used]:
            self._unused_macro(macro)
            what = f"Macro not referred to by any other rule/macro: {macro.name}"
            self._problem("LOAD_UNUSED_MACRO", what, macro.place, "warning", (("macro", macro.name),))
        for item in self.collected.lists.values():
            if not item.used:
                what = f"List not referred to by any other rule/macro: {item.name}"
                self._problem("LOAD_UNUSED_LIST", what, item.place, "warning", (("list", item.name),))


def _fixed(place: Place) -> Locate:
    return lambda _offset: place

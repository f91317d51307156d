"""Routing: rules that can be reached, rules that share leads, skills that somebody has."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from baton.agreement.checks.condition_logic import (
    common_range,
    common_words,
    one_by_one,
    takes_all_of,
)
from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, quoted, wrong
from baton.agreement.checks.rule_index import RuleIndex
from baton.agreement.condition_fields import Kind
from baton.agreement.model.condition import ConditionModel, Test
from baton.agreement.model.routing import SPOKEN, RuleModel
from baton.agreement.problems import Path


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def when(self) -> ConditionModel: ...


def check(context: CheckContext) -> Iterator[Finding]:
    """Rules against the ones before them."""
    routing = context.model.routing
    yield from _shadowed(
        context, ("definitions", "segments"), context.model.definitions.segments, "segment"
    )
    yield from _shadowed(context, ("routing", "suppress"), routing.suppress, "rule")
    yield from _rules(context)
    yield from _skills(context)


def _sound(context: CheckContext, path: Path) -> bool:
    return path not in context.broken


def _shadowed(
    context: CheckContext, base: Path, rules: Sequence[_Named], what: str
) -> Iterator[Finding]:
    sound = [
        (number, rule)
        for number, rule in enumerate(rules)
        if _sound(context, (*base, number, "when"))
    ]
    earlier = _Earlier(context, [rule for _, rule in sound])
    for number, rule in sound:
        if taken := earlier.takers(rule):
            yield _never((*base, number), what, rule, taken)
        earlier.add(rule)


class _Earlier:
    """The rules before the one that is checked, found by what they ask."""

    def __init__(self, context: CheckContext, rules: Sequence[_Named]) -> None:
        self.fields = context.fields
        self._index = RuleIndex.over((rule.when for rule in rules), context.fields)
        self._rules: list[_Named] = []

    def add(self, rule: _Named) -> None:
        self._index.add(len(self._rules), rule.when)
        self._rules.append(rule)

    def takers(
        self, rule: _Named, counts: Callable[[_Named], bool] = lambda earlier: True
    ) -> list[str]:
        """The rules that together take everybody ``rule`` would take, of those that count; none
        where something is left for it."""
        takers = []
        for part in one_by_one(rule.when):
            candidates = (
                self._rules[number]
                for number in self._index.candidates(part, range(len(self._rules)))
            )
            found = next(
                (
                    known.name
                    for known in candidates
                    if counts(known) and takes_all_of(known.when, part, self.fields)
                ),
                None,
            )
            if found is None:
                return []
            takers.append(found)
        return list(dict.fromkeys(takers))


def _never(path: Path, what: str, rule: _Named, takers: list[str]) -> Finding:
    takes = "takes" if len(takers) == 1 else "take"
    return wrong(
        path,
        f'{what} "{rule.name}" is never reached: {quoted(takers)} before it {takes} everybody it '
        "would take",
    )


def _rules(context: CheckContext) -> Iterator[Finding]:
    routing = context.model.routing
    rules: list[tuple[Path, RuleModel]] = [
        (("routing", "territories", number), rule)
        for number, rule in enumerate(routing.territories)
    ]
    rules += [
        (("routing", "segments", number), rule) for number, rule in enumerate(routing.segments)
    ]
    rules = [(path, rule) for path, rule in rules if _sound(context, (*path, "when"))]
    suppressing = [
        suppression
        for number, suppression in enumerate(routing.suppress)
        if _sound(context, ("routing", "suppress", number, "when"))
    ]
    known = _Earlier(context, [*suppressing, *(rule for _, rule in rules)])
    for suppress in suppressing:
        known.add(suppress)
    plain: dict[str, list[RuleModel]] = {}
    for path, rule in rules:
        if taken := known.takers(rule, counts=partial(_has_its_kinds, later=rule)):
            yield _never(path, "rule", rule, taken)
        elif isinstance(rule.when, Test):
            alike = [
                earlier
                for earlier in plain.get(rule.when.field, ())
                if _has_its_kinds(earlier, rule)
            ]
            yield from _shared(context, path, rule, alike)
        known.add(rule)
        if isinstance(rule.when, Test):
            plain.setdefault(rule.when.field, []).append(rule)


def _shared(
    context: CheckContext, path: Path, rule: RuleModel, earlier_ones: Sequence[RuleModel]
) -> Iterator[Finding]:
    """Values that an earlier rule, a plain test of the same field, lets through as well."""
    for earlier in earlier_ones:
        if shared := common_words(rule.when, earlier.when, context.fields):
            yield odd(
                path,
                f'{quoted(shared)} fits "{rule.name}" and "{earlier.name}"; the first, '
                f'"{earlier.name}", takes it',
            )
        elif overlap := common_range(rule.when, earlier.when, context.fields):
            yield odd(
                path,
                f'"{rule.name}" and "{earlier.name}" overlap ({overlap}); the first, '
                f'"{earlier.name}", takes those',
            )


def _has_its_kinds(earlier: _Named, later: RuleModel) -> bool:
    """Whether the earlier rule has a pool for every kind that the later one has; one that
    suppresses has every kind."""
    if not isinstance(earlier, RuleModel):
        return True
    return all(getattr(earlier.to, kind) for kind in ("sdr", "sales") if getattr(later.to, kind))


def _skills(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    yield from _spoken(context, ("routing", "needs"), model.routing.needs)
    known = {skill for person in model.people.values() for skill in person.skills}
    for skill in model.routing.needs:
        if not skill.startswith(SPOKEN) and skill not in known:
            yield wrong(
                ("routing", "needs"), f'every lead needs "{skill}", but nobody has that skill'
            )
    for part, rules in (
        ("territories", model.routing.territories),
        ("segments", model.routing.segments),
    ):
        for number, rule in enumerate(rules):
            yield from _spoken(context, ("routing", part, number, "needs"), rule.needs)
            for pool in filter(None, (rule.to.sdr, rule.to.sales)):
                members = model.pools[pool].members if pool in model.pools else {}
                people = [model.people[member] for member in members if member in model.people]
                lacking = [
                    skill
                    for skill in rule.needs
                    if not skill.startswith(SPOKEN)
                    and not any(skill in person.skills for person in people)
                ]
                if people and lacking:
                    message = (
                        f'rule "{rule.name}" needs {quoted(lacking)}, but nobody in pool "{pool}" '
                        "has that skill"
                    )
                    yield wrong(("routing", part, number, "needs"), message)


def _spoken(context: CheckContext, path: Path, needs: Sequence[str]) -> Iterator[Finding]:
    """Needs that name a profile field, which must be one of words."""
    for need in needs:
        if not need.startswith(SPOKEN):
            continue
        found = context.fields.get(need)
        if found is None:
            known = (name for name in context.fields if name.startswith(SPOKEN))
            yield dangling(
                path,
                "profile field",
                need.removeprefix(SPOKEN),
                (name.removeprefix(SPOKEN) for name in known),
            )
        elif found.kind not in (Kind.TEXT, Kind.SET):
            yield wrong(
                path,
                f'"{need}" is a {found.kind.value}: a skill is named by a field of kind text or '
                "set",
            )

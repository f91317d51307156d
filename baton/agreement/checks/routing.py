"""Routing: rules that can be reached, rules that share leads, skills that somebody has."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from baton.agreement.checks.condition_logic import common_range, common_words, one_by_one, takes_all_of
from baton.agreement.checks.context import CheckContext, Finding, odd, quoted, wrong
from baton.agreement.model.condition import ConditionModel
from baton.agreement.model.routing import DestinationModel, RuleModel
from baton.agreement.problems import Path


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def when(self) -> ConditionModel: ...


def check(context: CheckContext) -> Iterator[Finding]:
    """Rules against the ones before them."""
    routing = context.model.routing
    yield from _shadowed(context, ("definitions", "segments"), context.model.definitions.segments, "segment")
    yield from _shadowed(context, ("routing", "suppress"), routing.suppress, "rule")
    yield from _rules(context)
    yield from _skills(context)


def _sound(context: CheckContext, path: Path) -> bool:
    return path not in context.broken


def _shadowed(context: CheckContext, base: Path, rules: Sequence[_Named], what: str) -> Iterator[Finding]:
    sound = [(number, rule) for number, rule in enumerate(rules) if _sound(context, (*base, number, "when"))]
    for place, (number, rule) in enumerate(sound):
        if taken := _takers(context, rule, [earlier for _, earlier in sound[:place]]):
            yield _never((*base, number), what, rule, taken)


def _takers(context: CheckContext, rule: _Named, earlier: Sequence[_Named]) -> list[str]:
    """The rules among ``earlier`` that together take everybody ``rule`` would take; none where something is left for it."""
    takers = []
    for part in one_by_one(rule.when):
        found = next((each.name for each in earlier if takes_all_of(each.when, part, context.fields)), None)
        if found is None:
            return []
        takers.append(found)
    return list(dict.fromkeys(takers))


def _never(path: Path, what: str, rule: _Named, takers: list[str]) -> Finding:
    takes = "takes" if len(takers) == 1 else "take"
    return wrong(path, f'{what} "{rule.name}" is never reached: {quoted(takers)} before it {takes} everybody it would take')


def _rules(context: CheckContext) -> Iterator[Finding]:
    routing = context.model.routing
    rules: list[tuple[Path, RuleModel]] = [
        (("routing", "territories", number), rule) for number, rule in enumerate(routing.territories)
    ]
    rules += [(("routing", "segments", number), rule) for number, rule in enumerate(routing.segments)]
    rules = [(path, rule) for path, rule in rules if _sound(context, (*path, "when"))]
    suppressing = [
        each for number, each in enumerate(routing.suppress) if _sound(context, ("routing", "suppress", number, "when"))
    ]
    for number, (path, rule) in enumerate(rules):
        alike = [earlier for _, earlier in rules[:number] if _same_kinds(earlier.to, rule.to)]
        if taken := _takers(context, rule, [*suppressing, *alike]):
            yield _never(path, "rule", rule, taken)
            continue
        for earlier in alike:
            if shared := common_words(rule.when, earlier.when, context.fields):
                yield odd(
                    path, f'{quoted(shared)} fits "{rule.name}" and "{earlier.name}"; the first, "{earlier.name}", takes it'
                )
            elif overlap := common_range(rule.when, earlier.when, context.fields):
                yield odd(
                    path, f'"{rule.name}" and "{earlier.name}" overlap ({overlap}); the first, "{earlier.name}", takes those'
                )


def _same_kinds(earlier: DestinationModel, later: DestinationModel) -> bool:
    """Whether the earlier rule has a pool for every kind that the later one has."""
    return all(getattr(earlier, kind) for kind in ("sdr", "sales") if getattr(later, kind))


def _skills(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    for part, rules in (("territories", model.routing.territories), ("segments", model.routing.segments)):
        for number, rule in enumerate(rules):
            for pool in filter(None, (rule.to.sdr, rule.to.sales)):
                members = model.pools[pool].members if pool in model.pools else {}
                people = [model.people[each] for each in members if each in model.people]
                lacking = [skill for skill in rule.needs if not any(skill in each.skills for each in people)]
                if people and lacking:
                    message = f'rule "{rule.name}" needs {quoted(lacking)}, but nobody in pool "{pool}" has that skill'
                    yield wrong(("routing", part, number, "needs"), message)

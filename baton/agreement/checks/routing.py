"""Routing: rules that can be reached, rules that share leads, skills that somebody has."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from baton.agreement.checks.look import Finding, Look, odd, quoted, wrong
from baton.agreement.logic import common_words, takes_all_of
from baton.agreement.model.condition import ConditionModel
from baton.agreement.model.routing import DestinationModel, RuleModel
from baton.agreement.problems import Path


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def when(self) -> ConditionModel: ...


def check(look: Look) -> Iterator[Finding]:
    """Rules against the ones before them."""
    routing = look.model.routing
    yield from _shadowed(look, ("definitions", "segments"), look.model.definitions.segments, "segment")
    yield from _shadowed(look, ("routing", "suppress"), routing.suppress, "rule")
    yield from _rules(look)
    yield from _skills(look)


def _sound(look: Look, path: Path) -> bool:
    return path not in look.broken


def _shadowed(look: Look, base: Path, rules: Sequence[_Named], what: str) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        if not _sound(look, (*base, number, "when")):
            continue
        for before in range(number):
            earlier = rules[before]
            if _sound(look, (*base, before, "when")) and takes_all_of(earlier.when, rule.when, look.fields):
                message = f'{what} "{rule.name}" is never reached: "{earlier.name}" before it takes everybody it would take'
                yield wrong((*base, number), message)
                break


def _rules(look: Look) -> Iterator[Finding]:
    routing = look.model.routing
    rules: list[tuple[Path, RuleModel]] = [
        (("routing", "territories", number), rule) for number, rule in enumerate(routing.territories)
    ]
    rules += [(("routing", "segments", number), rule) for number, rule in enumerate(routing.segments)]
    rules = [(path, rule) for path, rule in rules if _sound(look, (*path, "when"))]
    for number, (path, rule) in enumerate(rules):
        for _, earlier in rules[:number]:
            if not _same_kinds(earlier.to, rule.to):
                continue
            if takes_all_of(earlier.when, rule.when, look.fields):
                yield wrong(
                    path, f'rule "{rule.name}" is never reached: "{earlier.name}" before it takes everybody it would take'
                )
                break
            if shared := common_words(rule.when, earlier.when, look.fields):
                yield odd(
                    path, f'{quoted(shared)} fits "{rule.name}" and "{earlier.name}"; the first, "{earlier.name}", takes it'
                )


def _same_kinds(earlier: DestinationModel, later: DestinationModel) -> bool:
    """Whether the earlier rule has a pool for every kind that the later one has."""
    return all(getattr(earlier, kind) for kind in ("sdr", "sales") if getattr(later, kind))


def _skills(look: Look) -> Iterator[Finding]:
    model = look.model
    for part, rules in (("territories", model.routing.territories), ("segments", model.routing.segments)):
        for number, rule in enumerate(rules):
            for pool in filter(None, (rule.to.sdr, rule.to.sales)):
                members = model.pools[pool].members if pool in model.pools else {}
                people = [model.people[each] for each in members if each in model.people]
                lacking = [skill for skill in rule.needs if not any(skill in each.skills for each in people)]
                if people and lacking:
                    message = f'rule "{rule.name}" needs {quoted(lacking)}, but nobody in pool "{pool}" has that skill'
                    yield wrong(("routing", part, number, "needs"), message)

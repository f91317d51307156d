"""Leads that two agreements treat alike, seen without replaying them twice. Pure.

A change of an agreement touches few leads: points of an act only those who did it, a threshold only
those whose points come near it, a criterion only those whose profile it reads differently. All
others take the same way under both, moment by moment, so one replay is both. What nobody asks while
a lead becomes ready (people, promises, goals) may differ as it likes. Where it cannot be seen, the
lead counts as not alike, and is replayed under both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.out_of_reach import EngagementBound
from baton.contracts.intake import Engagement, LeadInput
from baton.engine.reducer import Event

_UNREAD: Final = ("name", "effective_at", "people", "pools", "slas", "goals", "examples")
"""Sections that the lead reducer asks nothing of; the pool is chosen afterwards, under both."""
_KEPT_TOPICS: Final = 4
"""So many topics of an act are kept with it; of more, the rule may be another than the act's."""
_MOST_FIELDS: Final = 100
"""So many fields of a profile are kept; of more, which ones depends on the reports."""


@dataclass(frozen=True, slots=True)
class Alike:
    """``acts``: those whose rules differ. ``same_fit``: the criteria are the same. ``from_micro``:
    engagement below it has the same band under both; None: any has."""

    old: CompiledAgreement
    new: CompiledAgreement
    acts: frozenset[str]
    same_fit: bool
    from_micro: int | None

    @staticmethod
    def of(old: CompiledAgreement, new: CompiledAgreement) -> Alike | None:
        """What two agreements have in common; None: nothing that would help."""
        if _rest(old) != _rest(new):
            return None
        from_micro = None
        if old.levels.engagement_bands != new.levels.engagement_bands:
            from_micro = _differ_from(old, new)
            if not from_micro or old.lifecycle.holdout.percent:
                return None
        return Alike(
            old=old,
            new=new,
            acts=frozenset(_acts_that_differ(old, new)),
            same_fit=old.raw.fit == new.raw.fit,
            from_micro=from_micro,
        )

    def prefix(self, facts: Sequence[Event]) -> int:
        """How many of the first ``facts`` of a group are treated alike, and with them the time
        until the next one."""
        bound, known = EngagementBound(self.new), None
        for number, fact in enumerate(facts):
            if not isinstance(fact.value, LeadInput):
                continue
            if self.acts and not self._has_same_rule(fact.value):
                return number
            if self.from_micro is not None and not (
                bound.take(fact) and bound.most_micro < self.from_micro
            ):
                return number
            if not self.same_fit:
                profile = self._profile(fact.value, known)
                if profile is None:
                    return number
                known = profile or known
        return len(facts)

    def _has_same_rule(self, record: LeadInput) -> bool:
        act = None if record.event is None else record.event.engagement
        if act is None or act.act not in self.acts:
            return True
        return len(act.topics) <= _KEPT_TOPICS and _rule(self.old, act) == _rule(self.new, act)

    def _profile(
        self, record: LeadInput, known: Mapping[str, str] | None
    ) -> Mapping[str, str] | None:
        """What it says of the profile; None: with that the leads may fit otherwise. One profile may
        be reported again and again: it is known, or not yet."""
        if record.event is None or record.merge is not None or record.separation is not None:
            return None
        said = record.event.profile
        if known is not None:
            return said if not said or said == known else None
        alike = len(said) <= _MOST_FIELDS and self._points(said) and self._points({})
        return said if alike else None

    def _points(self, profile: Mapping[str, str]) -> bool:
        old, new = (one.fit.evaluate(profile).points_micro for one in (self.old, self.new))
        return old == new


def _rule(agreement: CompiledAgreement, act: Engagement) -> object:
    return agreement.engagement.rule_for(act)


def _rest(agreement: CompiledAgreement) -> dict[str, Any]:
    """The agreement without what :class:`Alike` looks at itself, and what nobody asks."""
    plain: dict[str, Any] = json.loads(canonical_text(agreement.raw))
    for name in (*_UNREAD, "fit"):
        plain.pop(name, None)
    plain["engagement"].pop("acts")
    plain["definitions"]["levels"].pop("engagement")
    # the order of groups numbers them, and canonical text has it sorted
    return plain | {"groups in order": list(agreement.engagement.groups)}


def _acts_that_differ(old: CompiledAgreement, new: CompiledAgreement) -> set[str]:
    rules = [
        {
            act: (one.engagement.exceptions.get(act), one.engagement.acts.get(act))
            for act in {*one.engagement.exceptions, *one.engagement.acts}
        }
        for one in (old, new)
    ]
    return {act for act in {*rules[0], *rules[1]} if rules[0].get(act) != rules[1].get(act)}


def _differ_from(old: CompiledAgreement, new: CompiledAgreement) -> int:
    """The least engagement of which the two may read another band; 0: nothing can be said."""
    sides = [one.levels.engagement_bands for one in (old, new)]
    if [band.name for band in sides[0]] != [band.name for band in sides[1]]:
        return 0
    for bands in sides:
        kept = [band.kept_from_micro for band in bands]
        if kept != sorted(kept, reverse=True):
            return 0
    differing = [
        band
        for old_band, new_band in zip(*sides, strict=True)
        if old_band != new_band
        for band in (old_band, new_band)
    ]
    least: int = min(min(band.entered_from_micro, band.kept_from_micro) for band in differing)
    return least

"""Leads that cannot become ready under an agreement, seen without replaying them: the points of all
their acts together, undecayed, are below what the lowest ready level asks of engagement. Pure.

An upper bound and no score: who passes it is replayed. Decay, windows, daily limits and retractions
only take away, and gates and consents only hold back. A raised hand qualifies whatever the sum, and
so may the hold-out, an act of staff and a merge: those are always replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.levels import RANK
from baton.contracts.intake import LeadInput
from baton.contracts.leads import Level
from baton.engine.reducer import Event

_ROUNDING_MICRO: Final = 1_000
"""More than an entry can gain by the rounding of its decayed points."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Of one agreement. ``least_micro``: engagement below it is ready at no fit; 0: nothing can be
    said."""

    agreement: CompiledAgreement
    least_micro: int

    @staticmethod
    def of(agreement: CompiledAgreement) -> Reach:
        """The bound of an agreement."""
        levels = agreement.levels
        needed = [
            band.entered_from_micro
            for fit in levels.matrix.values()
            for band in levels.engagement_bands
            if RANK[fit[band.name]] > RANK[Level.COLD.value]
        ]
        says = needed and not agreement.lifecycle.holdout.percent
        return Reach(agreement, min(needed) if says else 0)

    def excludes(self, facts: Sequence[Event]) -> bool:
        """Whether the lead of ``facts``, which are all there are of it, cannot become ready."""
        if not self.least_micro:
            return False
        bound = EngagementBound(self.agreement)
        for fact in facts:
            if not bound.take(fact) or bound.raised:
                return False
        return bound.most_micro < self.least_micro


class EngagementBound:
    """More than the engagement of leads can ever be, by their facts so far. ``raised``: whether an
    act was among them that makes ready whatever the sum."""

    __slots__ = ("_rules", "_sums", "raised")

    def __init__(self, agreement: CompiledAgreement) -> None:
        self._rules = agreement.engagement
        self._sums: dict[str, int] = {}
        self.raised = False

    def take(self, fact: Event) -> bool:
        """One more fact; False: from now on nothing can be said."""
        value = fact.value
        if not isinstance(value, LeadInput):
            return True
        event = value.event
        if event is None or value.merge is not None or value.separation is not None:
            return False
        rule = None if event.engagement is None else self._rules.rule_for(event.engagement)
        if rule is None:
            return True
        self.raised = self.raised or rule.fast_track
        if rule.points_micro > 0:
            known = self._sums.get(rule.group, 0)
            self._sums[rule.group] = known + rule.points_micro + _ROUNDING_MICRO
        return True

    @property
    def most_micro(self) -> int:
        """The bound."""
        most = 0
        for group, micro in self._sums.items():
            cap = self._rules.groups[group].cap_micro
            most += micro if cap is None else min(micro, cap + _ROUNDING_MICRO)
        return most

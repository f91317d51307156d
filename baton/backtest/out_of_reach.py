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
        rules = self.agreement.engagement
        sums: dict[str, int] = {}
        for fact in facts:
            value = fact.value
            if not isinstance(value, LeadInput):
                continue
            event = value.event
            if event is None or value.merge is not None or value.separation is not None:
                return False
            if event.engagement is None:
                continue
            rule = rules.rule_for(event.engagement)
            if rule is None:
                continue
            if rule.fast_track:
                return False
            if rule.points_micro > 0:
                known = sums.get(rule.group, 0)
                sums[rule.group] = known + rule.points_micro + _ROUNDING_MICRO
        most = 0
        for group, micro in sums.items():
            cap = rules.groups[group].cap_micro
            most += micro if cap is None else min(micro, cap + _ROUNDING_MICRO)
        return most < self.least_micro

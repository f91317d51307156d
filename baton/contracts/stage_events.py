"""Which events of ``leads.stages.v1`` are no moves."""

from typing import Final

from baton.contracts.leads import StageEvent

NO_MOVES: Final = frozenset(
    {
        StageEvent.HAND_RAISED,
        StageEvent.TAKEN_OVER,
        StageEvent.CONSENT_CHANGED,
        StageEvent.CONTRACT_END_LEARNT,
        StageEvent.BECAME_HOT,
        StageEvent.DEAL_CHANGED,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)
"""Events of ``leads.stages.v1`` that say something of a lead but are no move in its cycle: they
infer no stage, date none and count towards no goal. ``taken_over`` names a stage that was reached,
dated and counted at a lead that ended in this one."""

"""What the facts of a lead come to, counted by the audit itself from the records alone: so that
others who show sums can be held against it.

Pure. Every fact counts once, however often it was written. A win counts with the last amount that
was said of its deal, as long as nobody said that it was none.
"""

from collections import Counter
from collections.abc import Sequence

from baton.contracts.deals import DealState
from baton.contracts.leads import LeadQualified, LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled, SlaClock
from baton.proof.audit.findings import Dated


def sums_of(records: Sequence[Dated]) -> Counter[str]:
    """By a name of what is summed: numbers of facts, and amounts won in minor units."""
    sums: Counter[str] = Counter()
    seen: set[str] = set()
    clocks: dict[str, Dated] = {}
    won: dict[str, LeadStaged] = {}
    for record in sorted(records, key=lambda record: (record.at_ms, record.place.offset)):
        match record.value:
            case LeadQualified(stage="mql", qualification_id=name) if name not in seen:
                seen.add(name)
                sums["qualified"] += 1
            case LeadRouted(handoff_id=name, pool=pool) if name not in seen:
                seen.add(name)
                sums[f"handed over, {pool}"] += 1
            case LeadRecycled(recycle_id=name, reason=reason) if name not in seen:
                seen.add(name)
                sums[f"ended, {reason}"] += 1
            case SlaClock(clock_id=name):
                clocks[name] = record
            case LeadStaged():
                _take_deal(won, record.value)
    for clock in clocks.values():
        sums[f"clock {clock.value.clock}, {clock.value.state}"] += 1
    for move in won.values():
        sums["won"] += 1
        sums[f"won, {move.currency}"] += move.amount_minor or 0
    return sums


def _take_deal(won: dict[str, LeadStaged], move: LeadStaged) -> None:
    """``won``: the last move about every deal that is won."""
    name = move.opportunity_id or f"{move.lead_id}/{move.cycle}"
    is_won = move.event == StageEvent.WON if move.deal is None else move.deal.state == DealState.WON
    if is_won:
        won[name] = move
    elif move.deal is not None or move.event == StageEvent.REOPENED:
        won.pop(name, None)

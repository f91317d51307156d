"""Whether the agreement that was in force, replayed, gives history's own qualifications. Pure.

It is the proof that the replay may be believed: where it does not, the comparison is of two
fictions. Of later cycles, whose beginning depends on what people did, only those are compared that
the replay gives as history has them; the others are left out and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from baton.backtest.cycle_keys import is_later, lead_of
from baton.backtest.history import HistoricQualification, History
from baton.backtest.replay import FirstQualification

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A lead of which replay and history disagree: in ``what`` (``qualified``, ``when``, ``level``,
    ``leg``, ``pool``)."""

    lead_id: str
    what: str
    history: str | int | None
    replay: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCheck:
    """``compared`` qualifications of history or replay; ``shown`` are the first of the mismatches,
    ``leads`` all that have one. ``pools`` is in how many the pool could be compared. ``later``:
    qualifications of later cycles that both have alike; ``adopted``: those that a new agreement
    made ready, whose moment is the backlog's; ``left_out``: keys of those that differ."""

    compared: int
    agree: int
    pools: int
    leads: frozenset[str]
    shown: tuple[Mismatch, ...]
    later: int = 0
    left_out: frozenset[str] = frozenset()
    adopted: int = 0

    @property
    def passed(self) -> bool:
        """Nothing differs."""
        return not self.leads


def replay_check(
    replayed: Mapping[str, FirstQualification],
    history: History,
    *,
    since_ms: int,
    until_ms: int,
    settle_ms: int,
    inside: frozenset[str] | None = None,
) -> ReplayCheck:
    """Compare the first qualifications that lie in ``[since_ms, until_ms)`` by either account.
    ``settle_ms``: how far times may differ. ``inside``: the leads of the sample."""

    def judged(key: str) -> bool:
        ours = replayed.get(key)
        return (inside is None or lead_of(key) in inside) and not (ours and ours.adopted)

    def lies_inside(key: str) -> bool:
        both = (replayed.get(key), history.first.get(key))
        return any(since_ms <= one.at_ms < until_ms for one in both if one is not None)

    known = [key for key in sorted({*replayed, *history.first}) if judged(key)]
    differences = {
        key: _difference(key, history.first.get(key), replayed.get(key), settle_ms)
        for key in known
        if is_later(key) or lies_inside(key)
    }
    first = {key: found for key, found in differences.items() if not is_later(key)}
    wrong = [found for found in first.values() if found is not None]
    return ReplayCheck(
        compared=len(first),
        agree=len(first) - len(wrong),
        pools=sum(key in history.first and history.first[key].pool is not None for key in first),
        leads=frozenset(mismatch.lead_id for mismatch in wrong),
        shown=tuple(wrong[:_MOST_SHOWN]),
        later=sum(found is None for key, found in differences.items() if is_later(key)),
        left_out=frozenset(
            key for key, found in differences.items() if is_later(key) and found is not None
        ),
        adopted=sum(one.adopted for one in replayed.values()),
    )


def _difference(
    lead_id: str,
    historic: HistoricQualification | None,
    found: FirstQualification | None,
    settle_ms: int,
) -> Mismatch | None:
    if historic is None or found is None:
        return Mismatch(
            lead_id=lead_id,
            what="qualified",
            history=historic.at_ms if historic else None,
            replay=found.at_ms if found else None,
        )
    if abs(historic.at_ms - found.at_ms) > settle_ms:
        return Mismatch(lead_id=lead_id, what="when", history=historic.at_ms, replay=found.at_ms)
    for what, one, other in (
        ("level", historic.level, found.level),
        ("leg", historic.leg, found.leg),
        ("pool", historic.pool, found.pool),
    ):
        if one is not None and one != other:
            return Mismatch(lead_id=lead_id, what=what, history=one, replay=other)
    return None

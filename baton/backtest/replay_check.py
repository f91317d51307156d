"""Whether the agreement that was in force, replayed, gives history's own qualifications. Pure.

It is the proof that the replay may be believed: where it does not, the comparison is of two
fictions. Of later cycles, whose beginning depends on what people did, only those are compared that
the replay gives as history has them; the others are left out and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from baton.backtest.history import HistoricQualification, History, is_later, lead_of
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
    known = sorted({*replayed, *history.first})
    later = {
        key: _difference(key, history.first.get(key), replayed.get(key), settle_ms)
        for key in known
        if is_later(key)
        and not (key in replayed and replayed[key].adopted)
        and (inside is None or lead_of(key) in inside)
    }
    leads = [
        lead_id
        for lead_id in known
        if not is_later(lead_id)
        and not (lead_id in replayed and replayed[lead_id].adopted)
        and (inside is None or lead_id in inside)
        and any(
            since_ms <= found.at_ms < until_ms
            for found in (replayed.get(lead_id), history.first.get(lead_id))
            if found is not None
        )
    ]
    wrong: list[Mismatch] = []
    pools = 0
    for lead_id in leads:
        historic = history.first.get(lead_id)
        pools += historic is not None and historic.pool is not None
        found = _difference(lead_id, historic, replayed.get(lead_id), settle_ms)
        if found is not None:
            wrong.append(found)
    return ReplayCheck(
        compared=len(leads),
        agree=len(leads) - len(wrong),
        pools=pools,
        leads=frozenset(mismatch.lead_id for mismatch in wrong),
        shown=tuple(wrong[:_MOST_SHOWN]),
        later=sum(found is None for found in later.values()),
        adopted=sum(one.adopted for one in replayed.values()),
        left_out=frozenset(key for key, found in later.items() if found is not None),
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

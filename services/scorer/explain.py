"""How a score comes about: lines that add up to it exactly.

Each entry's share is rounded down and the millionths that are missing go to the entries that lost most by it, so that the lines of
a group give the group's number, and all lines the number shown. A cap and the clamp at 0 are lines of their own; entries beyond the
top ones are one line, ``rest``, and the result says that it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.contracts.leads import Contribution
from services.scorer.counting import Why, marked_entries
from services.scorer.decay import FINE, FINE_BITS, worth
from services.scorer.ledger import Entry
from services.scorer.scoring import GroupSum, base_of
from services.scorer.table import RuleLine, ScoreTable

TOP: Final = 12


@dataclass(frozen=True, slots=True)
class Explanation:
    """``lines`` add up to ``engagement_micro``; ``cut`` says that some entries share one line."""

    engagement_micro: int
    lines: tuple[Contribution, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class _Share:
    """One entry's decayed points in fine units."""

    entry: Entry
    line: RuleLine
    fine: int


def explanation(ledger: bytes, marks: bytes, table: ScoreTable, now: int, *, top: int = TOP) -> Explanation:
    """The lines of the score at ``now``: the largest contributions first, then rest, caps and clamp."""
    shares: list[_Share] = []
    groups = [GroupSum(line, base_of(line, now)) for line in table.groups]
    for entry, points, exponent, group, why, rule in marked_entries(ledger, marks):
        total = groups[group]
        if why is not Why.COUNTS or not points or entry.at_ms <= now - total.line.keeps_ms:
            continue
        grown = points << (exponent - total.base)
        if points > 0:
            total.positive += grown
        else:
            total.negative += grown
        half_life = total.line.half_life_ms
        fine = worth(grown, total.base, now, half_life) if half_life else grown
        shares.append(_Share(entry, table.rules[rule], fine))
    return _lines(shares, groups, table, now, top)


def _lines(shares: list[_Share], groups: list[GroupSum], table: ScoreTable, now: int, top: int) -> Explanation:
    total_fine = sum(each.capped_fine(now) + each.negative_fine(now) for each in groups)
    score = max(0, (total_fine + FINE // 2) >> FINE_BITS)
    caps = [_cap(each, now) for each in groups if each.positive_fine(now) > each.capped_fine(now)]
    whole = (total_fine + FINE // 2) >> FINE_BITS
    points = _apportioned([each.fine for each in shares], whole - sum(each.points_micro for each in caps))
    ranked = sorted(zip(shares, points, strict=True), key=lambda each: (-abs(each[1]), each[0].entry.at_ms, each[0].entry.id))
    lines = [_act(share, micro, table) for share, micro in ranked[:top]]
    rest = ranked[top:]
    if rest:
        lines.append(Contribution(kind="rest", name=f"{len(rest)} more", points_micro=sum(micro for _, micro in rest)))
    lines += caps
    if whole < 0:
        lines.append(Contribution(kind="clamp", name="never below 0", points_micro=-whole))
    return Explanation(score, tuple(lines), bool(rest))


def _cap(total: GroupSum, now: int) -> Contribution:
    cut = total.capped_fine(now) - total.positive_fine(now)
    return Contribution(
        kind="cap", name=f"cap of {total.line.name}", points_micro=(cut + FINE // 2) >> FINE_BITS, group=total.line.name
    )


def _apportioned(fines: list[int], whole: int) -> list[int]:
    """``fines`` as micropoints that add up to ``whole``: rounded down, then up where most was lost."""
    floors = [fine >> FINE_BITS for fine in fines]
    missing = whole - sum(floors)
    if not floors:
        return floors
    by_loss = sorted(range(len(fines)), key=lambda index: (-(fines[index] & (FINE - 1)), index))
    for turn in range(abs(missing)):
        floors[by_loss[turn % len(by_loss)]] += 1 if missing > 0 else -1
    return floors


def _act(share: _Share, micro: int, table: ScoreTable) -> Contribution:
    return Contribution(
        kind="act",
        name=share.line.name,
        points_micro=micro,
        group=table.groups[share.line.group].name,
        event_id=share.entry.event_id,
        occurred_at_ms=share.entry.at_ms,
        base_micro=share.line.points_micro,
    )

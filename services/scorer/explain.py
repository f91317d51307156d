"""How a score comes about: lines that add up to it exactly.

Each entry's share is rounded down and the millionths that are missing go to the entries that lost most by it, so that the lines of
a group give the group's number, and all lines the number shown. A cap and the clamp at 0 are lines of their own; entries beyond the
top ones are one line, ``rest``, and the result says that it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.contracts.leads import Contribution
from services.scorer.counting import MARK
from services.scorer.decay import FINE, FINE_BITS, MANTISSA_BITS, growth
from services.scorer.ledger import entry_at
from services.scorer.scoring import GroupSum, sums
from services.scorer.table import ScoreTable

TOP: Final = 10
_HALF: Final = FINE // 2


@dataclass(frozen=True, slots=True)
class Explanation:
    """``lines`` add up to ``engagement_micro``; ``cut`` says that some entries share one line."""

    engagement_micro: int
    lines: tuple[Contribution, ...]
    cut: bool


def explanation(ledger: bytes, marks: bytes, table: ScoreTable, now: int, *, top: int = TOP) -> Explanation:
    """The lines of the score at ``now``: the largest contributions first, then rest, caps and clamp."""
    groups = sums(marks, table, now)
    total = sum([each.capped_fine(now) + each.negative_fine(now) for each in groups])
    whole = (total + _HALF) >> FINE_BITS
    caps = [_cap(each, now) for each in groups if 0 <= each.line.cap_fine < each.positive_fine(now)]
    indexes, rules, shares = _shares(marks, table, now, groups)
    micros = _apportioned(shares, whole - sum([each.points_micro for each in caps]))
    ranked = sorted(range(len(indexes)), key=lambda place: (-abs(micros[place]), place))
    lines = [_act(ledger, indexes[place], rules[place], micros[place], table) for place in ranked[:top]]
    rest = ranked[top:]
    if rest:
        lines.append(Contribution(kind="rest", name=f"{len(rest)} more", points_micro=sum([micros[place] for place in rest])))
    lines += caps
    if whole < 0:
        lines.append(Contribution(kind="clamp", name="never below 0", points_micro=-whole))
    return Explanation(max(whole, 0), tuple(lines), bool(rest))


def _shares(marks: bytes, table: ScoreTable, now: int, groups: list[GroupSum]) -> tuple[list[int], list[int], list[int]]:
    """Of each entry that counts: its place in the ledger, its rule, its decayed points in fine units."""
    divisors: list[tuple[int, int] | None] = [None] * len(table.groups)
    for each in groups:
        if each.line.half_life_ms:
            divisors[each.number] = growth(now, each.line.half_life_ms)
    floors = [now - line.keeps_ms for line in table.groups]
    indexes, rules, shares = [], [], []
    for index, (at_ms, points, exponent, group, _, rule) in enumerate(MARK.iter_unpack(marks)):
        if points and at_ms > floors[group]:
            divisor = divisors[group]
            if divisor is None:
                share = points
            else:
                share = (points << MANTISSA_BITS) // (divisor[0] << (divisor[1] - exponent))
            indexes.append(index)
            rules.append(rule)
            shares.append(share)
    return indexes, rules, shares


def _cap(total: GroupSum, now: int) -> Contribution:
    cut = total.line.cap_fine - total.positive_fine(now)
    return Contribution(
        kind="cap", name=f"cap of {total.line.name}", points_micro=(cut + _HALF) >> FINE_BITS, group=total.line.name
    )


def _apportioned(fines: list[int], whole: int) -> list[int]:
    """``fines`` as micropoints that add up to ``whole``: rounded down, then up where most was lost."""
    floors = [fine >> FINE_BITS for fine in fines]
    missing = whole - sum(floors)
    if missing and floors:
        by_loss = sorted(range(len(fines)), key=lambda index: (-(fines[index] & (FINE - 1)), index))
        step = 1 if missing > 0 else -1
        for turn in range(abs(missing)):
            floors[by_loss[turn % len(by_loss)]] += step
    return floors


def _act(ledger: bytes, index: int, rule: int, micro: int, table: ScoreTable) -> Contribution:
    entry, line = entry_at(ledger, index), table.rules[rule]
    return Contribution(
        kind="act",
        name=line.name,
        points_micro=micro,
        group=table.groups[line.group].name,
        event_id=entry.event_id,
        occurred_at_ms=entry.at_ms,
        base_micro=line.points_micro,
    )

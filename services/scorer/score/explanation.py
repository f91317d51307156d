"""How a score comes about: lines that add up to it exactly.

Each entry's share is rounded down and the millionths that are missing go to the entries that lost
most by it, so that the lines of a group give the group's number, and all lines the number shown. A
cap and the clamp at 0 are lines of their own; entries beyond the top ones are one line, ``rest``,
and the result says that it was cut. Acts beyond a daily limit have a line without points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import floor
from typing import Final

from baton.agreement.compiled.decay import worth
from baton.contracts.leads import Contribution
from baton.evolve import maker
from services.scorer.score.engagement_sum import standing, whole
from services.scorer.score.entry_status import MARK, Why, beyond_limit
from services.scorer.score.group_totals import GroupSum, group_sums, value_at
from services.scorer.score.ledger import ORDER, SIZE
from services.scorer.score.rule_table import SPARE, ScoreTable

TOP: Final = 10
_contribution: Final = maker(Contribution)


@dataclass(frozen=True, slots=True)
class Explanation:
    """``lines`` add up to ``engagement_micro``; ``cut`` says that some entries share one line."""

    engagement_micro: int
    lines: tuple[Contribution, ...]
    cut: bool


def explanation(
    ledger: bytes,
    marks: bytes,
    table: ScoreTable,
    now: int,
    *,
    top: int = TOP,
    totals: bytes = b"",
    decisive: Collection[bytes] = (),
) -> Explanation:
    """The lines of the score at ``now``: the largest contributions first, then rest, caps and
    clamp. ``totals`` are taken if they hold. ``decisive``: ids of the entries that decided
    something: they have a line of their own, whatever is cut."""
    totals = standing(marks, table, now, totals)
    total = whole(value_at(totals, table, now))
    caps = list(_caps(group_sums(totals, table), now))
    indexes, rules, shares = _shares(marks, table, now)
    micros = _apportioned(shares, total - sum([cap.points_micro for cap in caps]))
    sizes = [-abs(micro) for micro in micros]
    ranked = sorted(range(len(sizes)), key=sizes.__getitem__)
    if decisive:
        ranked = _decisive_first(ledger, indexes, ranked, decisive, top)
    lines = [
        _act(ledger, indexes[place], rules[place], micros[place], table) for place in ranked[:top]
    ]
    rest = ranked[top:]
    if rest:
        lines.append(
            Contribution(
                kind="rest",
                name=f"{len(rest)} more",
                points_micro=sum([micros[place] for place in rest]),
            )
        )
    lines += caps
    if beyond_limit(marks):
        lines += _limits(marks, table, now)
    if total < 0:
        lines.append(Contribution(kind="clamp", name="never below 0", points_micro=-total))
    return Explanation(max(total, 0), tuple(lines), bool(rest))


def _decisive_first(
    ledger: bytes, indexes: list[int], ranked: list[int], decisive: Collection[bytes], top: int
) -> list[int]:
    """``ranked`` with the decisive entries among the first ``top``, which stay in order."""
    decided = [
        place for place in ranked if ORDER.unpack_from(ledger, indexes[place] * SIZE)[1] in decisive
    ][:top]
    others = [place for place in ranked if place not in decided]
    shown = {*decided, *others[: top - len(decided)]}
    return [place for place in ranked if place in shown] + [
        place for place in ranked if place not in shown
    ]


def _shares(marks: bytes, table: ScoreTable, now: int) -> tuple[list[int], list[int], list[float]]:
    """Of each entry that counts: its place in the ledger, its rule, its decayed micropoints."""
    divisors = table.divisors(now)
    floors = [now - line.keeps_ms for line in table.groups]
    indexes, rules, shares = [], [], []
    for index, (at_ms, points, exponent, group, _, rule) in enumerate(MARK.iter_unpack(marks)):
        if points and at_ms > floors[group]:
            indexes.append(index)
            rules.append(rule)
            shares.append(worth(points, exponent, divisors[group]))
    return indexes, rules, shares


def _caps(groups: list[GroupSum], now: int) -> Iterator[Contribution]:
    for group in groups:
        cap, name = group.line.cap_micro, group.line.name
        if cap >= 0 and (gained := group.gained(now)) > cap:
            yield _contribution(
                kind="cap", name=f"cap of {name}", points_micro=whole(cap - gained), group=name
            )


def _limits(marks: bytes, table: ScoreTable, now: int) -> Iterator[Contribution]:
    """A line without points for each rule whose acts went beyond a daily limit, so that nobody
    looks for them in vain."""
    floors = [now - line.keeps_ms for line in table.groups]
    beyond = Counter(
        rule
        for at_ms, _, _, group, why, rule in MARK.iter_unpack(marks)
        if why == Why.DAILY_LIMIT and at_ms > floors[group]
    )
    for rule, number in sorted(beyond.items()):
        line = table.rules[rule]
        group = table.groups[line.group]
        limit = line.per_day or group.per_day
        more = " or more" if number >= SPARE else ""
        yield _contribution(
            kind="limit",
            name=f"{number}{more} beyond {limit} a day: {line.name}",
            points_micro=0,
            group=group.name,
            base_micro=line.points_micro,
        )


def _apportioned(shares: list[float], whole_sum: int) -> list[int]:
    """``shares`` as integers that add up to ``whole_sum``: rounded down, then up where most was
    lost."""
    floors = [floor(share) for share in shares]
    missing = whole_sum - sum(floors)
    if missing and floors:
        losses = [low - share for low, share in zip(floors, shares, strict=True)]
        by_loss = sorted(range(len(shares)), key=losses.__getitem__)
        step = 1 if missing > 0 else -1
        for turn in range(abs(missing)):
            floors[by_loss[turn % len(by_loss)]] += step
    return floors


def _act(ledger: bytes, index: int, rule: int, micro: int, table: ScoreTable) -> Contribution:
    at_ms, event = ORDER.unpack_from(ledger, index * SIZE)
    line = table.rules[rule]
    return _contribution(
        kind="act",
        name=line.name,
        points_micro=micro,
        group=table.groups[line.group].name,
        event_id=event.hex(),
        occurred_at_ms=at_ms,
        base_micro=line.points_micro,
    )

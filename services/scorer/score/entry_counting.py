"""Which entries of the ledger count, and for how much: the derived half of a lead's score.

A pure function of the ledger, the retractions, the beginning of the cycle and the agreement. In
this order an entry does not count because it was retracted, is older than the cycle, is one of a
mail scanner's clicks, or is beyond the daily limit of its rule or, after that, of its group
(positive and negative ones apart); the earliest of a day count, by event time and then id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from services.scorer.score.entry_status import MARK, MARK_SIZE, Why
from services.scorer.score.group_totals import appended, folded, holds, prune_at
from services.scorer.score.ledger import (
    RECORD,
    SIZE,
    Entry,
    entries,
    find,
    place,
    retracted_ids,
    with_entry,
    without_entry,
)
from services.scorer.score.rule_table import RuleLine, ScoreTable


class Counted(NamedTuple):
    """A ledger with what is derived from it: see ``marks`` and ``totals``."""

    ledger: bytes
    marks: bytes
    totals: bytes


EMPTY: Final = Counted(b"", b"", b"")


def counted(ledger: bytes, retracted: bytes, since_ms: int, table: ScoreTable, now: int) -> Counted:
    """Derive everything anew: drop what is too old or too much, and mark the rest."""
    kept = _kept(ledger, table, now)
    gone = retracted_ids(retracted)
    why = _first_reasons(kept, gone, since_ms)
    _scanners(kept, why, table)
    _daily_limits(kept, why, table)
    if not kept:
        return EMPTY
    marks = b"".join(
        [
            _mark(entry.at_ms, line, reason, table)
            for (entry, line), reason in zip(kept, why, strict=True)
        ]
    )
    pruned_at = min(_prune_at(entry.at_ms, line, table) for entry, line in kept)
    whole = ledger if len(kept) * SIZE == len(ledger) else b"".join(_bytes_of(ledger, kept))
    return Counted(whole, marks, folded(marks, table, now, prune_at_ms=pruned_at))


def entered(
    former: Counted, record: bytes, retracted: bytes, since_ms: int, table: ScoreTable, now: int
) -> Counted | None:
    """One more entry; None for one that is there already. Of an event that is reported in two ways
    the earlier one counts, of the same moment the smaller record: the same whichever came first."""
    known = find(former.ledger, record[8:24]) if record[8:24] in former.ledger else -1
    if known < 0:
        return _added(former, record, retracted, since_ms, table, now)
    if former.ledger[known * SIZE : known * SIZE + SIZE] <= record:
        return None
    shorter = without_entry(former.ledger, known)
    return counted(
        with_entry(shorter, record, place(shorter, record)), retracted, since_ms, table, now
    )


def _added(
    former: Counted, record: bytes, retracted: bytes, since_ms: int, table: ScoreTable, now: int
) -> Counted:
    """The usual case, an act that changes nothing of what the others count, is marked without
    looking at their rules; it gives what :func:`counted` would."""
    at_ms, event, act, link, stage, _, *topics = RECORD.unpack(record)
    line = table.rule_of(act, stage, topics)
    group, day = table.groups[line.group], table.day_of(at_ms)
    ledger, index = former.ledger, place(former.ledger, record)
    prune_at_ms = min(day[1] + group.keeps_ms + table.lag_ms, prune_at(former.totals))
    is_last = index * SIZE == len(ledger)
    why = None
    if not (link and act in table.scanned) and at_ms > since_ms and now < prune_at_ms:
        why = None if event in retracted else _why_alone(former.marks, day, line, table)
    if why is None or (why is not Why.COUNTS and not is_last):
        return counted(with_entry(ledger, record, index), retracted, since_ms, table, now)
    mark, at = _mark(at_ms, line, why, table), index * MARK_SIZE
    marks = former.marks[:at] + mark + former.marks[at:]
    ledger = with_entry(ledger, record, index)
    if is_last and holds(former.totals, now) and at_ms > now - group.keeps_ms:
        totals = appended(former.totals, mark, table, prune_at_ms=prune_at_ms)
    else:
        totals = folded(marks, table, now, prune_at_ms=prune_at_ms)
    return Counted(ledger, marks, totals)


_Lined = tuple[Entry, RuleLine]


def _kept(ledger: bytes, table: ScoreTable, now: int) -> list[_Lined]:
    """The entries that are neither too old nor beyond what is stored of their rule and day."""
    stored: dict[tuple[int, int], int] = {}
    kept = []
    for entry in entries(ledger):
        line = table.rule_of(entry.act, entry.stage, entry.topics)
        if _prune_at(entry.at_ms, line, table) <= now:
            continue
        place_of_day = line.number, table.day_of(entry.at_ms)[0]
        stored[place_of_day] = number = stored.get(place_of_day, 0) + 1
        if number <= line.stores:
            kept.append((entry, line))
    return kept


def _prune_at(at_ms: int, line: RuleLine, table: ScoreTable) -> int:
    """A day leaves as a whole, so that no act slips into the daily limit because an earlier one was
    dropped."""
    return table.day_of(at_ms)[1] + table.groups[line.group].keeps_ms + table.lag_ms


def _first_reasons(kept: Sequence[_Lined], gone: frozenset[bytes], since_ms: int) -> list[Why]:
    return [
        Why.RETRACTED
        if entry.id in gone
        else Why.BEFORE_CYCLE
        if entry.at_ms <= since_ms
        else Why.COUNTS
        for entry, _ in kept
    ]


def _scanners(kept: Sequence[_Lined], why: list[Why], table: ScoreTable) -> None:
    """Clicks on the links of one message, so many within so short a time, are a machine's: none of
    them counts."""
    scanner = table.scanner
    if scanner is None:
        return
    by_link: dict[int, list[int]] = {}
    for index, (entry, _) in enumerate(kept):
        if entry.link and entry.act in table.scanned and why[index] is not Why.RETRACTED:
            by_link.setdefault(entry.link, []).append(index)
    for clicks in by_link.values():
        for first in range(len(clicks) - scanner.clicks + 1):
            last = first + scanner.clicks
            if kept[clicks[last - 1]][0].at_ms - kept[clicks[first]][0].at_ms <= scanner.within_ms:
                for index in clicks[first:last]:
                    why[index] = Why.SCANNER if why[index] is Why.COUNTS else why[index]


def _daily_limits(kept: Sequence[_Lined], why: list[Why], table: ScoreTable) -> None:
    of_rule: dict[tuple[int, int], int] = {}
    of_group: dict[tuple[int, int, bool], int] = {}
    for index, (entry, line) in enumerate(kept):
        if why[index] is not Why.COUNTS:
            continue
        day = table.day_of(entry.at_ms)[0]
        in_rule, in_group = (line.number, day), (line.group, day, line.points_micro < 0)
        full = bool(line.per_day) and of_rule.get(in_rule, 0) >= line.per_day
        if full or of_group.get(in_group, 0) >= table.groups[line.group].per_day:
            why[index] = Why.DAILY_LIMIT
            continue
        of_rule[in_rule] = of_rule.get(in_rule, 0) + 1
        of_group[in_group] = of_group.get(in_group, 0) + 1


def _why_alone(marks: bytes, day: tuple[int, int], line: RuleLine, table: ScoreTable) -> Why | None:
    """Whether one more act of that day counts or is beyond a daily limit, if it is the last one.
    Where it counts, all acts of the day are inside these limits, whatever their order. None: beyond
    what is stored of the day."""
    in_rule = in_group = stored = 0
    begins, ends = day
    at = len(marks) - MARK_SIZE
    while at >= 0:
        time, _, _, group, why, rule = MARK.unpack_from(marks, at)
        if time < begins:
            break
        at -= MARK_SIZE
        if time >= ends:
            continue
        stored += rule == line.number
        if why == Why.COUNTS and group == line.group:
            in_rule += rule == line.number
            in_group += (table.rules[rule].points_micro < 0) == (line.points_micro < 0)
    if stored >= line.stores:
        return None
    full = line.per_day and in_rule >= line.per_day
    return Why.DAILY_LIMIT if full or in_group >= table.groups[line.group].per_day else Why.COUNTS


def _mark(at_ms: int, line: RuleLine, why: Why, table: ScoreTable) -> bytes:
    points, exponent = 0.0, 0
    if why is Why.COUNTS and line.points_micro:
        points, exponent = table.groups[line.group].decay.grown(float(line.points_micro), at_ms)
    return MARK.pack(at_ms, points, exponent, line.group, why, line.number)


def _bytes_of(ledger: bytes, kept: Sequence[_Lined]) -> Iterator[bytes]:
    wanted = {entry.id for entry, _ in kept}
    for index in range(len(ledger) // SIZE):
        record = ledger[index * SIZE : (index + 1) * SIZE]
        if record[8:24] in wanted:
            yield record

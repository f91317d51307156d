"""When a score falls below a threshold by time alone.

Between events the positive part of a score only falls (points decay and leave their window, capped
or not) and the negative part only shrinks. So with the negative part frozen as it is at a moment
the score can only be too low, and it only falls: where that falls below the threshold is never
later than where the score does. If the score itself is below there, that is the moment; else the
same is asked again from there. Where a falling score crosses is guessed, and the exact score is
asked around the guess until the first millisecond below the threshold is enclosed: of the formula
by which points decay it matters here only that they never rise.

Where the score just touches the threshold these steps become small; after some of them the stretch
that is left is halved instead, leaving out what cannot be below: on a stretch no score is below the
positive part at its end plus the negative part at its beginning.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import Final

from baton.agreement.compiled.decay import about_when
from services.scorer.score.engagement_sum import sums, whole
from services.scorer.score.entry_status import MARK
from services.scorer.score.group_totals import GroupSum
from services.scorer.score.rule_table import ScoreTable

_FROZEN_STEPS: Final = 24
_FAR_AWAY: Final = 1 << 62


def falls_below(
    marks: bytes,
    table: ScoreTable,
    now: int,
    threshold_micro: int,
    *,
    groups: list[GroupSum] | None = None,
) -> int | None:
    """The first millisecond after ``now`` at which the score is below ``threshold_micro``, if
    nothing happens until then.

    ``groups`` are the sums at ``now`` where they are known already. None if ``threshold_micro`` is
    not above 0: a score is never below that.
    """
    if threshold_micro <= 0:
        return None
    curve = ScoreCurve(marks, table, now, sums(marks, table, now) if groups is None else groups)
    at = now + 1
    for _ in range(_FROZEN_STEPS):
        negative = curve.negative(at)
        at = _falls(curve, at, negative, threshold_micro)
        if negative == 0.0 or whole(curve.positive(at) + curve.negative(at)) < threshold_micro:
            return at
    return _first_on(curve, at, curve.end, threshold_micro)


class ScoreCurve:
    """The score from ``now`` on as two functions of time, positive and negative part, in
    micropoints. ``end``: nothing is left then."""

    def __init__(self, marks: bytes, table: ScoreTable, now: int, groups: list[GroupSum]) -> None:
        self.groups = groups
        self._marks, self._table = marks, table
        keeps = [line.keeps_ms for line in table.groups]
        self._leaves = [
            at_ms + keeps[group]
            for at_ms, points, _, group, _, _ in MARK.iter_unpack(marks)
            if points and at_ms > now - keeps[group]
        ]
        self.first_leaves = min(self._leaves, default=now + 1)
        self.end = max(self._leaves, default=now + 1)
        self._ordered = False
        self._left: dict[int, list[GroupSum]] = {}

    def leaves(self) -> list[int]:
        """The moments at which entries leave their window, in order."""
        if not self._ordered:
            self._leaves.sort()
            self._ordered = True
        return self._leaves

    def at(self, at_ms: int) -> list[GroupSum]:
        """The sums of what is still in its window at ``at_ms``."""
        if at_ms < self.first_leaves:
            return self.groups
        gone = bisect_right(self.leaves(), at_ms)
        left = self._left.get(gone)
        if left is None:
            left = self._left[gone] = sums(self._marks, self._table, at_ms)
        return left

    def positive(self, at_ms: int) -> float:
        """The capped positive part."""
        return sum([group_sum.capped(at_ms) for group_sum in self.at(at_ms) if group_sum.positive])

    def negative(self, at_ms: int) -> float:
        """The negative part, 0 or below."""
        return sum([group_sum.lost(at_ms) for group_sum in self.at(at_ms) if group_sum.negative])


def _falls(curve: ScoreCurve, from_ms: int, negative: float, threshold: int) -> int:
    """The first millisecond from ``from_ms`` on at which the score is below ``threshold``, the
    negative part frozen; or the end."""

    def below(at_ms: int) -> bool:
        return whole(curve.positive(at_ms) + negative) < threshold

    if below(from_ms):
        return from_ms
    at = min(max(_guess(curve, from_ms, threshold - 0.5 - negative), from_ms + 1), curve.end)
    low, high, step = from_ms, curve.end, 1
    if below(at):
        high = at
        while high - step > low and below(high - step):
            high, step = high - step, step * 2
        low = max(low, high - step)
    else:
        low = at
        while low + step < high and not below(low + step):
            low, step = low + step, step * 2
        high = min(high, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        if below(middle):
            high = middle
        else:
            low = middle
    return high


def _guess(curve: ScoreCurve, from_ms: int, wanted: float) -> int:
    """About where the positive part falls to ``wanted``, looked for from one leaving entry to the
    next."""
    at = from_ms
    found = _solve(curve.at(at), at, wanted)
    if found < curve.first_leaves:
        return found
    for until in curve.leaves():
        if until <= at:
            continue
        if _solve(curve.at(at), at, wanted) < until or curve.positive(until) < wanted:
            return min(_solve(curve.at(at), at, wanted), until)
        at = until
    return curve.end


def _solve(groups: list[GroupSum], at: int, wanted: float) -> int:
    """Where the sums alone fall to ``wanted`` at or after ``at``, if nothing leaves; far away where
    they never do."""
    after = about_when(
        [
            (group.gained(at), group.line.decay, float(group.line.cap_micro))
            for group in groups
            if group.positive
        ],
        wanted,
    )
    return _FAR_AWAY if after == inf else at + int(after)


def _first_on(curve: ScoreCurve, from_ms: int, until_ms: int, threshold: int) -> int:
    """The first millisecond in ``[from_ms, until_ms]`` with a score below ``threshold``; the
    earliest stretches first."""
    stretches = [(from_ms, until_ms)]
    while stretches:
        start, end = stretches.pop()
        negative = curve.negative(start)
        if whole(curve.positive(start) + negative) < threshold:
            return start
        if start >= end or whole(curve.positive(end) + negative) >= threshold:
            continue
        middle = (start + end) // 2
        stretches.append((middle + 1, end))
        stretches.append((start, middle))
    raise AssertionError("a score without entries is below every threshold")

"""When a score falls below a threshold by time alone.

Between events the positive part of a score only falls (points decay and leave their window, capped or not) and the negative part
only shrinks. So with the negative part frozen as it is at a moment the score can only be too low, and it only falls: where that
falls below the threshold is never later than where the score does. If the score itself is below there, that is the moment; else
the same is asked again from there. Where a falling score crosses, Newton's method guesses, and the exact score is asked around the
guess until the first millisecond below the threshold is enclosed.

Where the score just touches the threshold these steps become small; after some of them the stretch that is left is halved instead,
leaving out what cannot be below: on a stretch no score is below the positive part at its end plus the negative part at its beginning.
"""

from __future__ import annotations

from bisect import bisect_right
from math import log2
from typing import Final

from services.scorer.counting import MARK
from services.scorer.decay import FINE
from services.scorer.scoring import GroupSum, sums
from services.scorer.table import ScoreTable

_HALF: Final = FINE // 2
_LN2: Final = 0.6931471805599453
_NEWTON_STEPS: Final = 12
_FROZEN_STEPS: Final = 24


def falls_below(marks: bytes, table: ScoreTable, now: int, threshold_micro: int) -> int | None:
    """The first millisecond after ``now`` at which the score is below ``threshold_micro``, if nothing happens until then.

    None if ``threshold_micro`` is not above 0: a score is never below that.
    """
    if threshold_micro <= 0:
        return None
    course = Course(marks, table, now)
    wanted = threshold_micro * FINE - _HALF
    at = now + 1
    for _ in range(_FROZEN_STEPS):
        negative = course.negative(at)
        at = _falls(course, at, wanted - negative)
        if negative == 0 or course.positive(at) + course.negative(at) < wanted:
            return at
    return _first_on(course, at, course.end, wanted)


class Course:
    """The score from ``now`` on as two functions of time, positive and negative part, in fine units. ``end``: nothing is left then."""

    def __init__(self, marks: bytes, table: ScoreTable, now: int) -> None:
        self.groups = sums(marks, table, now)
        keeps = [line.keeps_ms for line in table.groups]
        self._leaving = [
            (at_ms + keeps[group], group, points, exponent)
            for at_ms, points, exponent, group, _, _ in MARK.iter_unpack(marks)
            if points and at_ms > now - keeps[group]
        ]
        self.first_leaves = min(self._leaving)[0] if self._leaving else now + 1
        self.end = max(self._leaving)[0] if self._leaving else now + 1
        self._ordered: list[int] = []
        self._left: dict[int, list[GroupSum]] = {}

    def leaves(self) -> list[int]:
        """The moments at which entries leave their window, in order."""
        if not self._ordered and self._leaving:
            self._leaving.sort()
            self._ordered = [each[0] for each in self._leaving]
        return self._ordered

    def at(self, at_ms: int) -> list[GroupSum]:
        """The sums of what is still in its window at ``at_ms``."""
        if at_ms < self.first_leaves:
            return self.groups
        gone = bisect_right(self.leaves(), at_ms)
        left = self._left.get(gone)
        if left is None:
            by_number = {
                each.number: GroupSum(each.number, each.line, each.base, each.positive, each.negative) for each in self.groups
            }
            for _, group, points, exponent in self._leaving[:gone]:
                total = by_number[group]
                if points > 0:
                    total.positive -= points << (exponent - total.base)
                else:
                    total.negative -= points << (exponent - total.base)
            left = self._left[gone] = list(by_number.values())
        return left

    def positive(self, at_ms: int) -> int:
        """The capped positive part."""
        return sum([each.capped_fine(at_ms) for each in self.at(at_ms) if each.positive])

    def negative(self, at_ms: int) -> int:
        """The negative part, 0 or below."""
        return sum([each.negative_fine(at_ms) for each in self.at(at_ms) if each.negative])


def _falls(course: Course, from_ms: int, wanted: int) -> int:
    """The first millisecond from ``from_ms`` on at which the positive part is below ``wanted``, or the end."""
    if course.positive(from_ms) < wanted:
        return from_ms
    at = min(max(_guess(course, from_ms, float(wanted)), from_ms + 1), course.end)
    low, high, step = from_ms, course.end, 1
    if course.positive(at) < wanted:
        high = at
        while high - step > low and course.positive(high - step) < wanted:
            high, step = high - step, step * 2
        low = max(low, high - step)
    else:
        low = at
        while low + step < high and course.positive(low + step) >= wanted:
            low, step = low + step, step * 2
        high = min(high, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        if course.positive(middle) < wanted:
            high = middle
        else:
            low = middle
    return high


def _guess(course: Course, from_ms: int, wanted: float) -> int:
    """About where the positive part falls to ``wanted``, looked for from one leaving entry to the next."""
    at = from_ms
    found = _solve(course.at(at), at, wanted)
    if found < course.first_leaves:
        return found
    for until in course.leaves():
        if until <= at:
            continue
        if _solve(course.at(at), at, wanted) < until or course.positive(until) < wanted:
            return min(_solve(course.at(at), at, wanted), until)
        at = until
    return course.end


def _solve(groups: list[GroupSum], at: int, wanted: float) -> int:
    """Where the sums alone fall to ``wanted`` at or after ``at``, if nothing leaves; far away where they never do."""
    fixed = 0.0
    decaying: list[tuple[float, float, float]] = []
    for each in groups:
        if each.positive and each.line.half_life_ms:
            decaying.append((float(each.positive_fine(at)), float(each.line.half_life_ms), float(each.line.cap_fine)))
        elif each.positive:
            fixed += float(each.capped_fine(at))
    after = 0.0
    for _ in range(_NEWTON_STEPS + len(decaying)):
        value, slope, kink = fixed, 0.0, float("inf")
        for amount, half_life, cap in decaying:
            left = amount * float(2.0 ** (-after / half_life))
            if 0.0 <= cap < left * (1 - 1e-12):
                value += cap
                kink = min(kink, half_life * log2(amount / cap) if cap else kink)
            else:
                value += left
                slope += left * _LN2 / half_life
        if value <= wanted:
            break
        ahead = after + (value - wanted) / slope if slope else kink
        if ahead == float("inf"):
            return 1 << 62
        if ahead - after < 0.5:
            break
        after = min(ahead, kink)
    return at + int(after)


def _first_on(course: Course, from_ms: int, until_ms: int, wanted: int) -> int:
    """The first millisecond in ``[from_ms, until_ms]`` with a score below ``wanted``; the earliest stretches first."""
    stretches = [(from_ms, until_ms)]
    while stretches:
        start, end = stretches.pop()
        negative = course.negative(start)
        if course.positive(start) + negative < wanted:
            return start
        if start >= end or course.positive(end) + negative >= wanted:
            continue
        middle = (start + end) // 2
        stretches.append((middle + 1, end))
        stretches.append((start, middle))
    raise AssertionError("a score without entries is below every threshold")

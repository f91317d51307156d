"""When a score falls below a threshold by time alone.

Between events the positive part of a score only falls (points decay and leave their window, capped or not) and the negative part
only shrinks. Without negative points the score itself only falls: a closed form, or Newton's method where groups with several
half-lives meet, says where to look, and the exact score is asked from there until the first millisecond below the threshold is
enclosed. With negative points the score may rise in between; then stretches of time are cleared by a bound that cannot be
undercut on them (the positive part at their end plus the negative part at their beginning), and the others halved.
"""

from __future__ import annotations

from bisect import bisect_right
from math import log2
from typing import Final

from services.scorer.counting import MARK
from services.scorer.decay import FINE
from services.scorer.scoring import GroupSum, engagement_micro, sums
from services.scorer.table import ScoreTable

_LN2: Final = 0.6931471805599453
_NEWTON_STEPS: Final = 12


def falls_below(marks: bytes, table: ScoreTable, now: int, threshold_micro: int) -> int | None:
    """The first millisecond after ``now`` at which the score is below ``threshold_micro``, if nothing happens until then.

    None if ``threshold_micro`` is not above 0: a score is never below that.
    """
    if threshold_micro <= 0:
        return None
    course = Course(marks, table, now)
    end = max(course.leaves_at, default=now + 1)
    if any(each.negative for each in course.groups):
        return _first_on(course, now + 1, end, threshold_micro)
    return _enclosed(course, course.guess(threshold_micro), end, threshold_micro)


class Course:
    """The score as a function of time from ``now`` on."""

    def __init__(self, marks: bytes, table: ScoreTable, now: int) -> None:
        self.now = now
        self.groups = sums(marks, table, now)
        keeps = [line.keeps_ms for line in table.groups]
        self.leaving = sorted(
            (at_ms + keeps[group], group, points, exponent)
            for at_ms, points, exponent, group, _, _ in MARK.iter_unpack(marks)
            if points and at_ms > now - keeps[group]
        )
        self.leaves_at: list[int] = [each[0] for each in self.leaving]
        self._left: dict[int, list[GroupSum]] = {0: self.groups}

    def groups_at(self, at_ms: int) -> list[GroupSum]:
        """The sums of what is still in its window at ``at_ms``."""
        gone = bisect_right(self.leaves_at, at_ms)
        left = self._left.get(gone)
        if left is None:
            left = [GroupSum(each.line, each.base, each.positive, each.negative) for each in self.groups]
            for _, group, points, exponent in self.leaving[:gone]:
                if points > 0:
                    left[group].positive -= points << (exponent - left[group].base)
                else:
                    left[group].negative -= points << (exponent - left[group].base)
            self._left[gone] = left
        return left

    def score(self, at_ms: int) -> int:
        """The exact score at ``at_ms``."""
        return engagement_micro(self.groups_at(at_ms), at_ms)

    def clears(self, from_ms: int, until_ms: int, threshold_micro: int) -> bool:
        """Whether certainly no score in ``[from_ms, until_ms]`` is below the threshold."""
        positive = sum(each.capped_fine(until_ms) for each in self.groups_at(until_ms))
        negative = sum(each.negative_fine(from_ms) for each in self.groups_at(from_ms))
        return positive + negative + FINE // 2 >= threshold_micro * FINE

    def guess(self, threshold_micro: int) -> int:
        """About when the score falls to the threshold; positive points only."""
        wanted = float(threshold_micro) * FINE
        at, leaves = self.now, iter(sorted(set(self.leaves_at)))
        for until in (*leaves, None):
            found = _solve(self.groups_at(at), at, wanted, until)
            if found is not None:
                return found
            assert until is not None
            at = until
            if self.score(at) < threshold_micro:
                return at
        return at


def _solve(groups: list[GroupSum], at: int, wanted: float, until: int | None) -> int | None:
    """Where the sums alone fall to ``wanted`` at or after ``at``, None if that is not before ``until``."""
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
        if value <= wanted or (until is not None and at + after >= until):
            break
        if slope == 0.0 and kink == float("inf"):
            return None
        ahead = after + (value - wanted) / slope if slope else kink
        if ahead - after < 0.5:
            break
        after = min(ahead, kink)
    found = at + int(after)
    return None if until is not None and found >= until else found


def _enclosed(course: Course, guess: int, end: int, threshold: int) -> int:
    """The first millisecond below ``threshold`` of a score that only falls, looked for outwards from ``guess``."""
    low, high, step = course.now, max(end, course.now + 1), 1
    at = min(max(guess, low + 1), high)
    if course.score(at) < threshold:
        high = at
        while high - step > low and course.score(high - step) < threshold:
            high, step = high - step, step * 2
        low = max(low, high - step)
    else:
        low = at
        while low + step < high and course.score(low + step) >= threshold:
            low, step = low + step, step * 2
        high = min(high, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        if course.score(middle) < threshold:
            high = middle
        else:
            low = middle
    return high


def _first_on(course: Course, from_ms: int, until_ms: int, threshold: int) -> int | None:
    """The first millisecond in ``[from_ms, until_ms]`` below ``threshold``; a stack instead of recursion, earliest first."""
    stretches = [(from_ms, until_ms)]
    while stretches:
        start, end = stretches.pop()
        if course.score(start) < threshold:
            return start
        if start >= end or course.clears(start, end, threshold):
            continue
        middle = (start + end) // 2
        stretches.append((middle + 1, end))
        stretches.append((start, middle))
    return None

"""Time until something happens, those it has not happened to yet included (Kaplan and Meier, 1958).

Closed ones alone look too fast, open ones taken as closed look wrong either way. A quantile that
the curve does not reach is None: print "not reached", and the longest time seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """``steps``: from each time on, the share to whom it has not happened. ``longest``: the longest
    time seen, ended or not."""

    steps: tuple[tuple[int, Fraction], ...]
    longest: int
    ended: int
    open: int

    def quantile(self, share: float | Fraction) -> int | None:
        """The first time by which it has happened to ``share`` of them; None: not reached."""
        left = 1 - Fraction(share).limit_denominator(10_000)
        return next((time for time, surviving in self.steps if surviving <= left), None)

    def within(self, time: int) -> Fraction:
        """The share to whom it has happened by ``time``."""
        surviving = Fraction(1)
        for at, share in self.steps:
            if at > time:
                break
            surviving = share
        return 1 - surviving


def survival(
    ended: Iterable[int] | Mapping[int, int], still_open: Iterable[int] | Mapping[int, int] = ()
) -> Survival:
    """From how long it took where it happened, and how long it has been going on where it has not;
    each as times, or as numbers by time. Of equal times the ended ones are counted first."""
    happened: Counter[int] = Counter(ended)
    censored: Counter[int] = Counter(still_open)
    at_risk = happened.total() + censored.total()
    surviving, steps = Fraction(1), []
    for time in sorted(happened | censored):
        if happened[time]:
            surviving *= Fraction(at_risk - happened[time], at_risk)
            steps.append((time, surviving))
        at_risk -= happened[time] + censored[time]
    longest = max((*happened, *censored), default=0)
    return Survival(
        steps=tuple(steps), longest=longest, ended=happened.total(), open=censored.total()
    )

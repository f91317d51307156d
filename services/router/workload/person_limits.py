"""Whether a person is beyond a limit over all pools. Pure arithmetic over what the pools report."""

from collections.abc import Iterable
from dataclasses import dataclass

from baton.agreement.compiled.pools import Limits
from baton.contracts.workload import Keeps
from services.router.limit_words import (
    DAY_LIMIT_ALL,
    FULL_ALL,
    OFFERS_OPEN_ALL,
    UNREPORTED,
    WEEK_LIMIT_ALL,
)
from services.router.workload.state import PoolShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What somebody has over all pools: offers unanswered, open leads, leads handed out in the day
    and in the week."""

    offered: int = 0
    open: int = 0
    today: int = 0
    this_week: int = 0


def sums_of(shares: Iterable[PoolShare], *, day: str, monday: str) -> Sums:
    """The sums on ``day`` and in the week from ``monday`` on, without what was denied."""
    offered = accepted = today = week = 0
    for share in shares:
        offered += share.offered - len(share.denied)
        accepted += share.accepted
        if share.day == day:
            today += share.today - sum(denial.day == day for denial in share.denied)
        if share.day >= monday:
            week += share.this_week - sum(denial.day >= monday for denial in share.denied)
    return Sums(offered=offered, open=offered + accepted, today=today, this_week=week)


def limit_reached(sums: Sums, limits: Limits, keeps: str, *, more: int = 0) -> str | None:
    """The first limit that ``sums`` and ``more`` leads on top are beyond, the most lasting first;
    None: they keep all of those that count."""
    if keeps == Keeps.NONE:
        return None
    table = (
        (FULL_ALL, sums.open, limits.capacity if keeps == Keeps.ALL else None),
        (OFFERS_OPEN_ALL, sums.offered, limits.offers),
        (DAY_LIMIT_ALL, sums.today, limits.per_day),
        (WEEK_LIMIT_ALL, sums.this_week, limits.per_week),
    )
    return next(
        (word for word, has, limit in table if limit is not None and has + more > limit), None
    )


def unreported(shares: Iterable[PoolShare], pools: Iterable[str]) -> str | None:
    """The word for it if some of ``pools`` has not said yet what the person has from it."""
    return UNREPORTED if set(pools) - {share.pool for share in shares} else None

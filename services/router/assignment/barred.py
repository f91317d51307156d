"""Who takes no further lead in a pool since another pool has filled a limit of theirs."""

from dataclasses import dataclass

from services.router.assignment.pool_view import PoolView
from services.router.limit_words import DAY_LIMIT_ALL, WEEK_LIMIT_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Somebody who is at a limit over all pools: ``limit`` says which, since ``day``."""

    person: str
    limit: str
    day: str


def still_barred(barred: Barred, pool_view: PoolView) -> bool:
    """A limit of the day ends with it, one of the week with the week, any other when workload
    publishes that there is room."""
    if barred.limit == DAY_LIMIT_ALL:
        return barred.day == pool_view.day
    return barred.limit != WEEK_LIMIT_ALL or barred.day >= pool_view.monday

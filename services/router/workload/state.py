"""What workload keeps of a person who has limits over all pools: what each pool says they have.

Bounded by the pools that they are in, and by the proposals of which the pool does not know yet that
they were denied.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A proposal that was denied, of which the pool has not said yet that it is undone; it was
    counted on ``day``."""

    handoff_id: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShare:
    """What the person has from one pool, as its latest note says; the ``denied`` are among it."""

    pool: str
    day: str
    offered: int
    accepted: int
    today: int
    this_week: int
    denied: tuple[Denial, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLoad:
    """The head of a person. ``waiting`` are the pools that were denied a proposal and want to know
    when there is room again."""

    person: str
    shares: tuple[PoolShare, ...] = ()
    waiting: tuple[str, ...] = ()

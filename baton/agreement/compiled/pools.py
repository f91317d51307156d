"""The compiled sections ``people``, ``pools`` and ``routing``: who there is, and which pool a lead belongs to.

Taking turns inside a pool is the router's; so are the steps before named accounts, which need its state.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRule:
    """A person. ``calendar`` None: the pool's, else the house's; ask ``CompiledAgreement.calendar_for``."""

    id: str
    name: str
    calendar: str | None
    active: bool
    skills: frozenset[str]
    manager: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A membership. ``capacity``: leads offered and accepted, ``offers``: unanswered offers; None: no limit.
    ``skills`` are the person's."""

    person: str
    weight: int
    capacity: int | None
    offers: int | None
    skills: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A queue of ``kind`` ``sdr`` or ``sales``; ``members`` by person id.

    ``nobody``: ``hold``, ``overflow`` (to pool ``overflow_to``) or ``watch`` (by person ``watcher``). ``period``: week, month,
    quarter or ever, in the agreement's time zone. ``changing``: ``level`` or ``accrue``. ``calendar`` is always set.
    """

    name: str
    kind: str
    members: tuple[Member, ...]
    nobody: str
    overflow_to: str | None
    watcher: str | None
    calendar: str
    ignore_hours: bool
    period: str
    changing: str
    owner_uses_turn: bool
    manager: str | None

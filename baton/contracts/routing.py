"""What the router asks itself and what it decides. Times are ``..._ms``: milliseconds since the
epoch, UTC.

A hand-off is (qualification, attempt); its id is derived from the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.contracts.leads import LeadQualified
from baton.evolve import quick


class RequestKind(StrEnum):
    """What travels from dispatch to assignment, in one order per account and then per pool.

    ``request`` wants a holder, ``accepted`` turns an offer into open work, ``release`` gives it
    back. ``offered`` reinstates an offer that was taken away too soon. ``amended`` reports what has
    changed of a lead that waits or is offered: a raised hand, a consent. From workload to
    assignment: ``denied`` gives back a lead whose person is at a limit over all pools, ``room``
    says that they are not any more.
    """

    REQUEST = "request"
    AMENDED = "amended"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    RELEASE = "release"
    DENIED = "denied"
    ROOM = "room"


class OpenWork(StrEnum):
    """What happens to the accepted leads of whoever is away: they stay, go to the deputy, or to
    whose turn it is."""

    KEEP = "keep"
    DEPUTY = "deputy"
    RELEASE = "release"


class Relax(StrEnum):
    """What is not asked any more of a person, for a lead that nobody else will take: that they did
    not let it pass, did not say no to it, were not the last to have it; the skills it needs."""

    LET_PASS = "let_pass"
    SAID_NO = "said_no"
    HAD_IT_LAST = "had_it_last"
    SKILLS = "skills"


ASK_AGAIN: Final = (Relax.LET_PASS, Relax.SAID_NO, Relax.HAD_IT_LAST)
"""What is given up, in this order, where the agreement names nothing."""


class UnroutedOutcome(StrEnum):
    """Where a lead is that no person was given. ``recalled``: the pool gives it back, to be matched
    anew: whoever was offered it is away, or the pool is no more. ``relieved``: the same for a lead
    that was accepted, since whoever has it is away and the pool does not keep it for them."""

    HELD = "held"
    WATCH = "watch"
    SUPPRESSED = "suppressed"
    RECALLED = "recalled"
    RELIEVED = "relieved"


MANUAL: Final = "manual"
"""The step of a routed record's path that says what a person decided."""
NOBODY_EVER: Final = "nobody_ever"
"""How the reason of a ``held`` lead begins that nobody of the pool will ever be able to take:
nobody holds it."""


class HandoffKind(StrEnum):
    """What happened to a hand-off besides being routed."""

    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    NOTED = "noted"


REINSTATED: Final = "reinstated"
"""The reason of a ``noted`` hand-off that stands again."""

ACCEPTED_BEFORE: Final = "accepted_before"
"""The rule of a routed record whose lead somebody took up before the pool had answered: they have
it, whoever was chosen."""

HAND_RAISED: Final = "hand_raised"
HOTTER: Final = "hotter"
"""The reasons of a ``noted`` hand-off that has become more urgent: the buyer asked for a contact,
or the level has risen."""

URGENCY: Final[Mapping[str, int]] = {"hot": 0, "warm": 1, "cold": 2}
"""Levels in the order in which leads are handed out."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequest:
    """``router.accounts.v1`` (keyed by account, or ``lead:<id>`` without one): one wish of
    dispatch.

    ``qualified`` comes with a request only. ``exclude`` are people not to ask (rejecters,
    breachers). ``person`` and ``pool`` force the choice (claim, assign). ``fault`` in a release
    says whether the turn is used up (``breach``, ``rejected``, None) or given back (``no_fault``:
    misrouted, bad data, absence, taken back before it was accepted). ``owner`` holds the lead's
    open cycle: asked first, not forced. ``watcher`` is a human whose fallback queue is to have the
    lead. ``offered`` and ``accepted`` name ``person`` and ``pool``. ``rejecters`` are those of
    ``exclude`` who said no; the last of ``exclude`` is whom the lead was just taken from.
    ``deputy`` takes over from whoever is away: asked first, not forced.
    """

    kind: str
    handoff_id: str
    qualification_id: str
    attempt: int
    lead_id: str
    account_id: str | None
    cause_id: str
    at_ms: int
    qualified: LeadQualified | None = None
    exclude: tuple[str, ...] = ()
    person: str | None = None
    pool: str | None = None
    reason: str | None = None
    fault: str | None = None
    owner: str | None = None
    watcher: str | None = None
    rejecters: tuple[str, ...] = ()
    deputy: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingStep:
    """One rule that routing looked at, and what it said."""

    rule: str
    outcome: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """``router.queue.v1`` (keyed by pool): a request whose pool is chosen, or what became of it.

    ``rule`` chose the pool. ``person`` is to have the lead: for certain if ``forced``, else if they
    are there. ``beside`` is a colleague's hand-off: whoever holds that one is to have this one too.
    ``skills`` are required of a person chosen in turn. ``denied`` and ``room`` name whoever is
    ``limited`` over all pools; ``denied`` has the ``limit`` that was reached (None: the day of the
    proposal is over), ``at_ms`` of the proposal, whether that ``took_turn``, and
    ``waited_since_ms``, since when the lead has waited in the queue (None: it came just now).
    """

    kind: str
    handoff_id: str
    qualification_id: str
    attempt: int
    lead_id: str
    pool: str
    cause_id: str
    at_ms: int
    qualified: LeadQualified | None = None
    path: tuple[RoutingStep, ...] = ()
    exclude: tuple[str, ...] = ()
    person: str | None = None
    overflowed_from: tuple[str, ...] = ()
    reason: str | None = None
    fault: str | None = None
    rule: str = ""
    forced: bool = False
    beside: str | None = None
    skills: tuple[str, ...] = ()
    watcher: str | None = None
    rejecters: tuple[str, ...] = ()
    limited: str | None = None
    limit: str | None = None
    waited_since_ms: int | None = None
    took_turn: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person who could have been given the lead: who has the smallest ``score`` among those below
    their share gets it.

    ``target`` is the share of the turns so far, with this one, that is theirs to have. Fractions
    are exact, ``numerator/denominator``. ``capacity`` None: no limit. ``excluded``: why the person
    was not eligible.
    """

    person: str
    weight: int
    turns: int
    load: int
    capacity: int | None
    score: str
    excluded: str | None = None
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRouted:
    """``leads.routed.sdr.v1`` and ``leads.routed.sales.v1``: the lead has a holder, and here is the
    story. ``marketing``: whom of marketing the agreement names for its campaign or segment."""

    handoff_id: str
    qualification_id: str
    attempt: int
    lead_id: str
    cycle: int
    leg: str
    pool: str
    owner: str
    level: str
    segment: str | None
    hand_raised: bool
    routed_at_ms: int
    qualified_at_ms: int
    path: tuple[RoutingStep, ...]
    candidates: tuple[Candidate, ...]
    rule: str
    turn_used: bool
    qualified: LeadQualified
    agreement: str
    accept_by_ms: int | None = None
    trace_cut: bool = False
    marketing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadUnrouted:
    """``leads.unrouted.v1``: no person yet or not at all. ``outcome``: ``held`` (waits in the
    pool's queue, which is its holder), ``watch`` (a human's fallback queue), ``suppressed`` (with
    the reason), ``recalled`` (given back, to be matched anew), ``relieved`` (accepted work of
    somebody who is away, to be matched anew; ``deputy`` is asked first).

    ``next_try_at_ms``: when somebody of the pool will next be there for it; None: nobody can say,
    an answer or an end is waited for.
    """

    handoff_id: str
    qualification_id: str
    attempt: int
    lead_id: str
    cycle: int
    outcome: str
    reason: str
    pool: str | None
    at_ms: int
    path: tuple[RoutingStep, ...]
    candidates: tuple[Candidate, ...]
    agreement: str
    next_try_at_ms: int | None = None
    watcher: str | None = None
    leg: str | None = None
    level: str | None = None
    deputy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNoted:
    """``leads.handoffs.v1``: a hand-off was withdrawn, a wish about one was refused, or something
    about it is worth noting.

    ``withdrawn``: whoever was notified of it holds it no longer, by no act of theirs. ``noted``
    with reason ``reinstated``: it stands again, held by ``owner``, after another one was asked for
    too soon; that one is withdrawn ``in_favour_of`` this.
    """

    handoff_id: str
    qualification_id: str
    attempt: int
    lead_id: str
    kind: str
    reason: str
    cause_id: str
    at_ms: int
    by: str | None = None
    owner: str | None = None
    pool: str | None = None
    agreement: str | None = None
    in_favour_of: str | None = None
    leg: str | None = None

"""The kinds of clock, one row each: what starts it, what meets it, what ends or pauses it, who owes
it.

A new kind is a row here: the agreement's words (:class:`Clock`, :class:`Side`), its checks, the
handlers of the SLA watcher, its recycling and the simulated quarter read the table. Only what no
kind has waited for yet is an :class:`Occasion` more, with the acts that are one
(:data:`ACTS_OF`), and a handler that reports it. A row names occasions, never records: which record
is which occasion is known to the handlers alone. What ends every clock of a lead (it left the
cycle, was suppressed, merged, erased) is not repeated in each row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.contracts.acts import ActKind


class Clock(StrEnum):
    """The clocks, each started and stopped by events."""

    ROUTE = "route"
    ACCEPT = "accept"
    FIRST_TOUCH = "first_touch"
    QUALIFY = "qualify"
    FOLLOW_UP = "follow_up"
    NURTURE_START = "nurture_start"
    NURTURE = "nurture"
    ADVANCE = "advance"
    RETURN = "return"


class Side(StrEnum):
    """Who owes a promise."""

    MARKETING = "marketing"
    SALES = "sales"
    SALES_MANAGEMENT = "sales_management"


class Scope(StrEnum):
    """What a clock belongs to: there is one of a kind for each. Only a lead that somebody is to
    work on (a qualification or a hand-off) can be taken from them by a ladder."""

    QUALIFICATION = "qualification"
    HANDOFF = "handoff"
    STAGE = "stage"
    REST = "rest"


class Occasion(StrEnum):
    """What can happen to a clock.

    ``held``: the lead waits in a queue. ``offered``: somebody is to take it. ``accepted``,
    ``rejected`` and ``verdict`` are the holder's; ``touched`` is their attempt to reach the buyer,
    ``attempted`` each of them where several are promised. ``taken_up``: accepted, by word or by
    touch. ``passed_on``: the bridge team's verdict, as the next leg begins by it.
    ``awaiting_buyer``: the holder waits for an answer; ``buyer_replied``: it came. ``left``: a
    person ended the cycle.
    """

    QUALIFIED = "qualified"
    REQUALIFIED = "requalified"
    PASSED_ON = "passed_on"
    HELD = "held"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    TAKEN_UP = "taken_up"
    CLAIMED = "claimed"
    REJECTED = "rejected"
    TOUCHED = "touched"
    ATTEMPTED = "attempted"
    MEETING_BOOKED = "meeting_booked"
    NO_SHOW = "no_show"
    AWAITING_BUYER = "awaiting_buyer"
    BUYER_REPLIED = "buyer_replied"
    VERDICT = "verdict"
    LEFT = "left"
    STAGE_REACHED = "stage_reached"
    STAGE_LEFT = "stage_left"
    RECYCLED = "recycled"
    NURTURE_TOUCHED = "nurture_touched"
    RETURNED = "returned"
    NO_CONSENT = "no_consent"


_TOUCHES: Final = frozenset({ActKind.CALL, ActKind.MAIL, ActKind.MEETING, ActKind.MEETING_BOOKED})
_LEAVES_STAGE: Final = frozenset({ActKind.OPPORTUNITY, ActKind.WON, ActKind.LOST, ActKind.RECYCLED})

ACTS_OF: Final[Mapping[Occasion, frozenset[ActKind]]] = {
    Occasion.ACCEPTED: frozenset({ActKind.ACCEPTED}),
    Occasion.REJECTED: frozenset({ActKind.REJECTED}),
    Occasion.TOUCHED: _TOUCHES,
    Occasion.ATTEMPTED: _TOUCHES,
    Occasion.MEETING_BOOKED: frozenset({ActKind.MEETING_BOOKED}),
    Occasion.VERDICT: _LEAVES_STAGE | {ActKind.QUALIFIED, ActKind.DISQUALIFIED, ActKind.REJECTED},
    Occasion.STAGE_LEFT: _LEAVES_STAGE,
    Occasion.NURTURE_TOUCHED: frozenset({ActKind.NURTURE_TOUCH}),
}
"""By which acts of whoever owes a promise an occasion comes about, for who looks at the acts alone
and asks no clock. No entry: by none (the buyer's answer, what Baton does by itself)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockKind:
    """One row.

    ``met_by`` stops the clock as kept, in so far as it came in time; ``inferred_by`` does so too,
    though nobody said it in as many words. ``ended_by`` leaves nothing to wait for. ``paused_by``
    and ``resumed_by``: where the agreement says nothing else. ``takes``: the words of a promise
    that belong to this kind alone. ``excused_late``: late news of an act from before the deadline
    take a violation back even after the clock has ended. ``by_track``: a track's own limit goes
    before the promise for all.
    """

    clock: Clock
    scope: Scope
    side: Side
    starts_on: frozenset[Occasion]
    met_by: frozenset[Occasion]
    inferred_by: frozenset[Occasion] = frozenset()
    ended_by: frozenset[Occasion] = frozenset()
    paused_by: frozenset[Occasion] = frozenset()
    resumed_by: frozenset[Occasion] = frozenset()
    takes: frozenset[str] = frozenset()
    excused_late: bool = False
    by_track: bool = False

    @property
    def can_be_taken_away(self) -> bool:
        """Whether the ladder can give the lead to somebody else."""
        return self.scope in (Scope.QUALIFICATION, Scope.HANDOFF)


def _on(*occasions: Occasion) -> frozenset[Occasion]:
    return frozenset(occasions)


_O = Occasion
_WAITS: Final[frozenset[Occasion]] = _on(_O.AWAITING_BUYER)
_GOES_ON: Final[frozenset[Occasion]] = _on(_O.BUYER_REPLIED, _O.TOUCHED)

_ROWS: Final = (
    ClockKind(
        clock=Clock.ROUTE,
        scope=Scope.QUALIFICATION,
        side=Side.SALES_MANAGEMENT,
        starts_on=_on(_O.QUALIFIED, _O.HELD),
        met_by=_on(_O.OFFERED),
        inferred_by=_on(_O.ACCEPTED, _O.VERDICT),
        ended_by=_on(_O.REQUALIFIED, _O.PASSED_ON),
    ),
    ClockKind(
        clock=Clock.ACCEPT,
        scope=Scope.HANDOFF,
        side=Side.SALES,
        starts_on=_on(_O.OFFERED),
        met_by=_on(_O.ACCEPTED, _O.REJECTED),
        inferred_by=_on(_O.TOUCHED, _O.MEETING_BOOKED, _O.VERDICT, _O.PASSED_ON),
        ended_by=_on(_O.REQUALIFIED),
        excused_late=True,
    ),
    ClockKind(
        clock=Clock.FIRST_TOUCH,
        scope=Scope.HANDOFF,
        side=Side.SALES,
        starts_on=_on(_O.OFFERED, _O.CLAIMED),
        met_by=_on(_O.TOUCHED, _O.MEETING_BOOKED),
        ended_by=_on(_O.REJECTED, _O.REQUALIFIED, _O.PASSED_ON),
        excused_late=True,
    ),
    ClockKind(
        clock=Clock.QUALIFY,
        scope=Scope.HANDOFF,
        side=Side.SALES,
        starts_on=_on(_O.TAKEN_UP),
        met_by=_on(_O.VERDICT, _O.PASSED_ON, _O.REJECTED),
        ended_by=_on(_O.REQUALIFIED),
        paused_by=_WAITS,
        resumed_by=_GOES_ON,
    ),
    ClockKind(
        clock=Clock.FOLLOW_UP,
        scope=Scope.HANDOFF,
        side=Side.SALES,
        starts_on=_on(_O.TAKEN_UP, _O.NO_SHOW),
        met_by=_on(_O.ATTEMPTED),
        ended_by=_on(_O.VERDICT, _O.PASSED_ON, _O.REJECTED, _O.REQUALIFIED),
        paused_by=_WAITS,
        resumed_by=_GOES_ON,
        takes=frozenset({"attempts", "apart"}),
    ),
    ClockKind(
        clock=Clock.NURTURE_START,
        scope=Scope.REST,
        side=Side.MARKETING,
        starts_on=_on(_O.RECYCLED),
        met_by=_on(_O.NURTURE_TOUCHED),
        ended_by=_on(_O.RETURNED, _O.REQUALIFIED, _O.NO_CONSENT),
    ),
    ClockKind(
        clock=Clock.NURTURE,
        scope=Scope.REST,
        side=Side.MARKETING,
        starts_on=_on(_O.RECYCLED),
        met_by=_on(_O.REQUALIFIED, _O.LEFT),
        ended_by=_on(_O.RETURNED, _O.NO_CONSENT),
        by_track=True,
    ),
    ClockKind(
        clock=Clock.ADVANCE,
        scope=Scope.STAGE,
        side=Side.SALES,
        starts_on=_on(_O.STAGE_REACHED),
        met_by=_on(_O.STAGE_LEFT),
        ended_by=_on(_O.REQUALIFIED),
        paused_by=_WAITS,
        resumed_by=_GOES_ON,
        takes=frozenset({"stage"}),
    ),
    ClockKind(
        clock=Clock.RETURN,
        scope=Scope.REST,
        side=Side.MARKETING,
        starts_on=_on(_O.RETURNED),
        met_by=_on(_O.NURTURE_TOUCHED, _O.BUYER_REPLIED, _O.TOUCHED, _O.REQUALIFIED),
        ended_by=_on(_O.RETURNED, _O.NO_CONSENT),
    ),
)

CLOCK_KINDS: Final[Mapping[str, ClockKind]] = {row.clock.value: row for row in _ROWS}
"""Every kind by its word."""


def kind_of(clock: str) -> ClockKind:
    """The row of a clock."""
    return CLOCK_KINDS[clock]

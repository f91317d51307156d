"""What assignment answers to dispatch about a lead (routed, held, watched, suppressed, recalled),
and what it forwards to another pool.

An answer is published by dispatch, if the hand-off still stands. It carries how it came about: the
path to the pool, everybody's numbers, who was excluded and why, and the agreement's version. A list
that would be too long is cut, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton.agreement.compiled.agreement import NeverOpenError
from baton.agreement.reference import AgreementReference
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import (
    Candidate,
    LeadRouted,
    LeadUnrouted,
    QueueItem,
    RoutingStep,
    UnroutedOutcome,
)
from baton.contracts.streams import answer
from baton.contracts.topic_names import ROUTER_ANSWERS, ROUTER_QUEUE
from baton.engine.reducer import Fact
from services.router.assignment.availability import ABSENT
from services.router.assignment.person_selection import MOST_CANDIDATES, Chosen
from services.router.assignment.pool_view import PoolView
from services.router.assignment.state import OpenOffer
from services.router.turn_credit import ABSENCE

MOST_STEPS = 120
KEPT_AT_THE_END = 20
POOL_GONE = "pool_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingAnswers:
    """Makes the answers of one step of a pool."""

    pool_view: PoolView
    reference: AgreementReference
    cause: str
    now: int

    def routed(self, item: QueueItem, chosen: Chosen) -> Fact:
        """A person has it."""
        qualified = qualified_of(item)
        kind = self.pool_view.kind
        candidates = cut(chosen.candidates, chosen.person)
        value = LeadRouted(
            handoff_id=item.handoff_id,
            qualification_id=item.qualification_id,
            attempt=item.attempt,
            lead_id=item.lead_id,
            cycle=qualified.cycle,
            leg=kind,
            pool=self.pool_view.pool,
            owner=chosen.person,
            level=qualified.level,
            segment=qualified.segment,
            hand_raised=qualified.hand_raised,
            routed_at_ms=self.now,
            qualified_at_ms=qualified.qualified_at_ms,
            path=cut_path(item.path),
            candidates=candidates,
            rule=chosen.rule,
            turn_used=bool(chosen.share),
            qualified=qualified,
            agreement=self.reference.version,
            accept_by_ms=accept_by(
                self.reference,
                qualified,
                kind=kind,
                pool=self.pool_view.pool,
                person=chosen.person,
                now=self.now,
            ),
            marketing=self.reference.agreement.routing.contacts.contact_of(
                qualified.story.latest_campaign, qualified.segment
            ),
            trace_cut=len(candidates) < len(chosen.candidates) or len(item.path) > MOST_STEPS,
        )
        return _answer(value)

    def held(
        self,
        item: QueueItem,
        reason: str,
        candidates: Sequence[Candidate],
        *,
        next_try_at: int | None,
    ) -> Fact:
        """It waits in this pool's queue."""
        return self._unrouted(
            item, UnroutedOutcome.HELD, reason, candidates, next_try_at=next_try_at
        )

    def watched(
        self, item: QueueItem, reason: str, candidates: Sequence[Candidate], watcher: str | None
    ) -> Fact:
        """A human's fallback queue has it."""
        return self._unrouted(item, UnroutedOutcome.WATCH, reason, candidates, watcher=watcher)

    def suppressed(self, item: QueueItem, reason: str, path: Sequence[RoutingStep]) -> Fact:
        """It may not be handed to anybody, as things are now."""
        return self._unrouted(
            replace(item, path=(*item.path, *path)), UnroutedOutcome.SUPPRESSED, reason, ()
        )

    def recalled(self, item: QueueItem, reason: str) -> Fact:
        """It is to be matched anew."""
        return self._unrouted(item, UnroutedOutcome.RECALLED, reason, ())

    def offer_recalled(self, person: str, handoff_id: str, offer: OpenOffer) -> Fact:
        """It was offered to ``person``, who is away, and somebody else can take it sooner."""
        return self._taken_from_absent(UnroutedOutcome.RECALLED, person, handoff_id, offer)

    def relieved(self, person: str, handoff_id: str, work: OpenOffer, deputy: str | None) -> Fact:
        """``person`` accepted it and is away for longer than the pool keeps it for them."""
        outcome = UnroutedOutcome.RELIEVED
        return self._taken_from_absent(outcome, person, handoff_id, work, deputy=deputy)

    def _taken_from_absent(
        self,
        outcome: str,
        person: str,
        handoff_id: str,
        offer: OpenOffer,
        *,
        deputy: str | None = None,
    ) -> Fact:
        away = Candidate(
            person=person, weight=0, turns=0, load=0, capacity=None, score="", excluded=ABSENT
        )
        value = LeadUnrouted(
            handoff_id=handoff_id,
            qualification_id=offer.qualification_id,
            attempt=offer.attempt,
            lead_id=offer.lead_id,
            cycle=offer.cycle,
            outcome=outcome,
            reason=ABSENCE,
            pool=self.pool_view.pool,
            at_ms=self.now,
            path=(),
            candidates=(away,),
            agreement=self.reference.version,
            leg=self.pool_view.kind,
            level=offer.level,
            deputy=deputy,
        )
        return _answer(value)

    def overflowed(self, item: QueueItem, target: str, why: str) -> Fact:
        """Another pool is to have it."""
        step = RoutingStep(rule=f"overflow:{self.pool_view.pool}", outcome=why)
        return self.forwarded(
            replace(
                item,
                pool=target,
                path=(*item.path, step),
                overflowed_from=(*item.overflowed_from, self.pool_view.pool),
                cause_id=self.cause,
                at_ms=self.now,
            )
        )

    def forwarded(self, item: QueueItem) -> Fact:
        """An item on its way to another pool."""
        return Fact(ROUTER_QUEUE, item.pool, item)

    def _unrouted(
        self,
        item: QueueItem,
        outcome: str,
        reason: str,
        candidates: Sequence[Candidate],
        *,
        next_try_at: int | None = None,
        watcher: str | None = None,
    ) -> Fact:
        qualified = qualified_of(item)
        value = LeadUnrouted(
            handoff_id=item.handoff_id,
            qualification_id=item.qualification_id,
            attempt=item.attempt,
            lead_id=item.lead_id,
            cycle=qualified.cycle,
            outcome=outcome,
            reason=reason,
            pool=self.pool_view.pool,
            at_ms=self.now,
            path=cut_path(item.path),
            candidates=cut(candidates),
            agreement=self.reference.version,
            next_try_at_ms=next_try_at,
            watcher=watcher,
            leg=self.pool_view.kind,
            level=qualified.level,
        )
        return _answer(value)


def _answer(value: LeadRouted | LeadUnrouted) -> Fact:
    return Fact(ROUTER_ANSWERS, value.lead_id, answer(value))


def cut(candidates: Sequence[Candidate], chosen: str | None = None) -> tuple[Candidate, ...]:
    """At most so many candidates, the chosen one always among them."""
    first = [candidate for candidate in candidates if candidate.person == chosen]
    rest = [candidate for candidate in candidates if candidate.person != chosen]
    return (
        tuple(candidates)
        if len(candidates) <= MOST_CANDIDATES
        else tuple((first + rest)[:MOST_CANDIDATES])
    )


def cut_path(path: tuple[RoutingStep, ...]) -> tuple[RoutingStep, ...]:
    """At most so many steps of the path: its beginning, and its end, where the rule that won
    stands."""
    if len(path) <= MOST_STEPS:
        return path
    return (*path[: MOST_STEPS - KEPT_AT_THE_END], *path[-KEPT_AT_THE_END:])


def qualified_of(item: QueueItem) -> LeadQualified:
    """The qualification that a request carries."""
    if item.qualified is None:
        raise ValueError(f"request {item.handoff_id} carries no qualification")
    return item.qualified


def accept_by(
    reference: AgreementReference,
    qualified: LeadQualified,
    *,
    kind: str,
    pool: str,
    person: str,
    now: int,
) -> int | None:
    """Until when the person is to answer, if the offer were read at ``now``; None: nothing was
    promised. It is the deadline that the clock of the hand-off will keep."""
    rule = reference.agreement.slas.target(
        "accept",
        queue=kind,
        level=qualified.level,
        segment=qualified.segment,
        source=qualified.story.source,
        campaign=qualified.story.latest_campaign,
    )
    if rule is None:
        return None
    try:
        return rule.target.deadline(now, reference.hours_of(rule, person=person, pool=pool))
    except NeverOpenError:
        return None

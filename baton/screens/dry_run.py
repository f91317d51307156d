"""What would happen to a lead now: its events through the whole system in memory, then its request
against the pools as they stand on the cluster.

The scorer's part (score, level, qualification) is computed from the events alone, under the
agreement in force. The router's part runs its own reducers on their restored state: matching on one
account, assignment on each pool on the way. Nothing is published, and no turn is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text
from baton.agreement.reference import AgreementReference
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified, LeadScored
from baton.contracts.routing import Candidate, HandoffRequest, LeadRouted, LeadUnrouted, RoutingStep
from baton.contracts.streams import RoutingAnswer
from baton.contracts.topic_names import LEADS_SCORED, ROUTER_ACCOUNTS, ROUTER_QUEUE
from baton.engine.key_state import KeyState
from baton.engine.reducer import Fact, event_without_log
from baton.screens.live import ReducerStates
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

_MOST_POOLS = 20
_CAUSE = "dry run"


class States(Protocol):
    """Where a reducer's state comes from: a cluster's changelogs."""

    def states(self, reducer: str, keys: Sequence[str] | None = None) -> ReducerStates:
        """The states of these keys at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredAs:
    """The score after the last event; None where the events change none."""

    level: str
    grade: str
    fit_micro: int
    engagement_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A pool on the way and what it said: ``routed``, ``held``, ``watch``, ``suppressed``,
    ``overflow`` (to ``next_pool``) or ``recalled``."""

    pool: str | None
    outcome: str
    reason: str
    path: tuple[RoutingStep, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    next_pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """``qualified`` False: the lead would not be handed to anybody; ``score`` says why not.
    ``outcome`` is that of the last stop. ``owner`` gets it, must answer by ``accept_by_ms``; held:
    somebody is there at ``next_try_at_ms``."""

    agreement: str
    lead_id: str | None
    score: ScoredAs | None
    qualified: bool
    cause: str | None
    queue: str | None
    outcome: str
    reason: str
    stops: tuple[Stop, ...] = ()
    owner: str | None = None
    pool: str | None = None
    accept_by_ms: int | None = None
    next_try_at_ms: int | None = None


def dry_run(
    arrivals: Sequence[Arrival], reference: AgreementReference, states: States, *, now_ms: int
) -> DryRun:
    """What would happen to the lead of ``arrivals`` (in order of time, none after ``now_ms``)."""
    score, asked = _qualification(arrivals, reference, now_ms)
    if asked is None:
        return DryRun(
            agreement=reference.version,
            lead_id=None,
            score=score,
            qualified=False,
            cause=None,
            queue=None,
            outcome="not_qualified",
            reason="the events reach no level at which a lead is handed over, and none is a fast "
            "track",
        )
    key, request, qualified = asked
    common = {
        "agreement": reference.version,
        "lead_id": request.lead_id,
        "score": score,
        "qualified": True,
        "cause": "raised_hand" if qualified.hand_raised else "score",
        "queue": qualified.leg,
    }
    view = states.states("matching", [key]).view(key)
    return _routed(request, common, view, _Walk(reference, states, now_ms))


Asked = tuple[str, HandoffRequest, LeadQualified]
"""What dispatch asks for, by key, and the qualification it is about."""


def _qualification(
    arrivals: Sequence[Arrival], reference: AgreementReference, now_ms: int
) -> tuple[ScoredAs | None, Asked | None]:
    """The last score, and the first request about the last qualification."""
    seen: list[tuple[str, Any, str]] = []

    def note(stored: Any, _: Arrival | None) -> None:
        record = {
            LEADS_SCORED: LeadScored,
            ROUTER_ACCOUNTS: HandoffRequest,
        }.get(stored.topic)
        if record is not None and stored.value is not None:
            key = (stored.key or b"").decode()
            seen.append((stored.topic, codec_for(record).decode(stored.value), key))

    simulation = Simulation(
        text=canonical_text(reference.agreement.raw),
        version=reference.version,
        start_ms=arrivals[0].at_ms,
        known=book_records(reference.agreement.raw.attached),
        keep=False,
        watch=dict.fromkeys((LEADS_SCORED, ROUTER_ACCOUNTS), note),
    )
    for _ in simulation.run(arrivals, now_ms):
        pass
    scores = [value for topic, value, _ in seen if topic == LEADS_SCORED]
    asked: dict[str, Asked] = {}
    for topic, value, key in seen:
        if topic == ROUTER_ACCOUNTS and value.qualified is not None:
            asked.setdefault(value.qualification_id, (key, value, value.qualified))
    return _score_of(scores[-1]) if scores else None, next(reversed(asked.values()), None)


def _score_of(scored: LeadScored) -> ScoredAs:
    return ScoredAs(
        level=scored.level,
        grade=scored.grade,
        fit_micro=scored.fit_micro,
        engagement_micro=scored.engagement_micro,
    )


def _routed(
    request: HandoffRequest,
    common: Mapping[str, Any],
    view: KeyState,
    walk: "_Walk",
) -> DryRun:
    answer = walk.run(view, request)
    if isinstance(answer, LeadRouted):
        return DryRun(
            **common,
            stops=tuple(walk.stops),
            outcome="routed",
            reason=answer.rule,
            owner=answer.owner,
            pool=answer.pool,
            accept_by_ms=answer.accept_by_ms,
        )
    if answer is None:
        return DryRun(**common, stops=tuple(walk.stops), outcome="unknown", reason="no answer")
    return DryRun(
        **common,
        stops=tuple(walk.stops),
        outcome=answer.outcome,
        reason=answer.reason,
        pool=answer.pool,
        owner=answer.watcher,
        next_try_at_ms=answer.next_try_at_ms,
    )


class _Walk:
    """A request on its way from matching through the pools; ``stops`` are those so far."""

    def __init__(self, reference: AgreementReference, states: States, now_ms: int) -> None:
        self._reference, self._states, self._now_ms = reference, states, now_ms
        self.stops: list[Stop] = []

    def run(self, view: KeyState, request: HandoffRequest) -> LeadRouted | LeadUnrouted | None:
        """The last word on the request; None where a step said nothing of it."""
        matching = self._states.states("matching", [view.key])
        facts = self._step(matching, view, ROUTER_ACCOUNTS, request)
        for _ in range(_MOST_POOLS):
            answer = _answer(facts, request.handoff_id)
            following = _next_pool(facts, request.handoff_id)
            if answer is not None or following is None:
                self._note(answer, following)
                if following is None or isinstance(answer, LeadRouted):
                    return answer
            pool = self._states.states("assignment", [following.key])
            facts = self._step(pool, pool.view(following.key), ROUTER_QUEUE, following.value)
            overflowed = _next_pool(facts, request.handoff_id)
            if overflowed is not None and _answer(facts, request.handoff_id) is None:
                self.stops.append(
                    Stop(
                        pool=following.key,
                        outcome="overflow",
                        reason="nobody_eligible",
                        path=overflowed.value.path,
                        next_pool=overflowed.key,
                    )
                )
        return None

    def _note(self, answer: LeadRouted | LeadUnrouted | None, following: Fact | None) -> None:
        if answer is not None:
            self.stops.append(_stop_of(answer, next_pool=following.key if following else None))

    def _step(
        self, states: ReducerStates, view: KeyState, topic: str, value: Any
    ) -> Sequence[Fact]:
        view.cause = _CAUSE
        event = event_without_log(topic, view.key, value, id=_CAUSE, at_ms=self._now_ms)
        return states.reducer.step(view, event, now=self._now_ms, reference=self._reference).facts


def _answer(facts: Sequence[Fact], handoff_id: str) -> LeadRouted | LeadUnrouted | None:
    """What was decided of this hand-off; a step may also decide about others that waited."""
    for fact in facts:
        if isinstance(fact.value, RoutingAnswer):
            answer = fact.value.routed or fact.value.unrouted
            if answer is not None and answer.handoff_id == handoff_id:
                return answer
    return None


def _next_pool(facts: Sequence[Fact], handoff_id: str) -> Fact | None:
    return next(
        (
            fact
            for fact in facts
            if fact.topic == ROUTER_QUEUE and fact.value.handoff_id == handoff_id
        ),
        None,
    )


def _stop_of(answer: LeadRouted | LeadUnrouted, *, next_pool: str | None = None) -> Stop:
    if isinstance(answer, LeadRouted):
        return Stop(
            pool=answer.pool,
            outcome="routed",
            reason=answer.rule,
            path=answer.path,
            candidates=answer.candidates,
        )
    return Stop(
        pool=answer.pool,
        outcome=answer.outcome,
        reason=answer.reason,
        path=answer.path,
        candidates=answer.candidates,
        next_pool=next_pool,
    )

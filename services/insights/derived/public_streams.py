"""Public facts of a lead as the records of the private streams, which the projection of who holds a
lead reads. Pure.

The public topics report the same as the streams, one topic a kind of fact; here they are put
together again: a qualification with the move it came of, and what happened to a hand-off as a
change of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from baton.contracts.leads import LeadQualified, LeadStaged, StageEvent
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import (
    HandoffChange,
    HandoffEvent,
    LeadDecision,
    LeadMove,
    SlaDecision,
    StreamRecord,
)


def stream_records(facts: Sequence[Any]) -> Iterator[StreamRecord]:
    """The records for the facts of one lead, which are in the order of the log. A qualification
    whose move has not arrived waits for it."""
    qualified = {fact.cause_id: fact for fact in facts if isinstance(fact, LeadQualified)}
    for fact in facts:
        match fact:
            case LeadStaged():
                came = qualified.get(fact.cause_id) if fact.event == StageEvent.QUALIFIED else None
                yield LeadDecision(
                    lead_id=fact.lead_id,
                    at_ms=fact.at_ms,
                    moves=(LeadMove(staged=fact, qualified=came),),
                )
            case LeadRouted():
                yield _answer(
                    fact,
                    HandoffEvent.ROUTED,
                    at_ms=fact.routed_at_ms,
                    leg=fact.leg,
                    owner=fact.owner,
                    routed=fact,
                )
            case LeadUnrouted():
                yield _answer(
                    fact, HandoffEvent.UNROUTED, at_ms=fact.at_ms, leg=fact.leg or "", unrouted=fact
                )
            case HandoffNoted():
                yield from _noted(fact)
            case LeadRecycled():
                yield SlaDecision(lead_id=fact.lead_id, recycled=fact)
            case LeadReactivated():
                yield SlaDecision(lead_id=fact.lead_id, reactivated=fact)


def _answer(
    fact: LeadRouted | LeadUnrouted, event: HandoffEvent, *, at_ms: int, leg: str, **whole: Any
) -> HandoffChange:
    return HandoffChange(
        lead_id=fact.lead_id,
        event=event.value,
        handoff_id=fact.handoff_id,
        qualification_id=fact.qualification_id,
        attempt=fact.attempt,
        cycle=fact.cycle,
        leg=leg,
        at_ms=at_ms,
        cause_id="",
        agreement=fact.agreement,
        pool=fact.pool,
        **whole,
    )


def _noted(note: HandoffNoted) -> Iterator[HandoffChange]:
    stands_again = note.kind == HandoffKind.NOTED and note.reason == HandoffEvent.REINSTATED.value
    if note.kind != HandoffKind.WITHDRAWN and not stands_again:
        return
    yield HandoffChange(
        lead_id=note.lead_id,
        event=(HandoffEvent.REINSTATED if stands_again else HandoffEvent.WITHDRAWN).value,
        handoff_id=note.handoff_id,
        qualification_id=note.qualification_id,
        attempt=note.attempt,
        cycle=0,
        leg=note.leg or "",
        at_ms=note.at_ms,
        cause_id=note.cause_id,
        agreement=note.agreement or "",
        owner=note.owner,
        pool=note.pool,
        published=True,
    )

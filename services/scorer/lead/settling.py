"""A lead that is ready but whose hand-off still lacks something settles first: it waits for that,
and no longer than the agreement says.

A decision is to see all of the event that causes it and of what came with it. What the event itself
brings is in one record. What can come a moment later is awaited by marks, each with a bound:

- ``joins:EVENT``: identities that the event says are the same person: one answer from every one of
  them;
- ``book:LEAD``: the book of a lead that ends in this one;
- ``body:REQUEST``: the other events about this lead that came in the same request.

A lead also settles that cannot be reached yet, or whose profile lacks what its territory asks
for. One that lacks nothing does not wait. When the time is over the lead goes on with what is
known, and what comes later amends the hand-off.
"""

from __future__ import annotations

from typing import Final

from baton.agreement.condition_context import ConditionContext, is_reachable
from baton.contracts.intake import LeadInput, LeadMerge
from baton.evolve import evolve
from services.scorer.lead.state import NOBODY, ONLY, PERSON, Awaited, Settling, transfer_id_of
from services.scorer.lead.step import LeadStep

_MAX_AWAITED: Final = 16


def note_awaited(step: LeadStep, record: LeadInput) -> None:
    """Remember what the record says is still to come, and strike off what has come with it."""
    settle_ms = step.agreement.lifecycle.settle_ms
    if not settle_ms or not (step.head.awaited or record.joins or record.body or record.merge):
        return
    left = {item.mark: item for item in step.head.awaited if item.until_ms > step.now}
    until_ms = step.now + settle_ms
    if record.joins:
        mark = f"joins:{record.cause_id}"
        left[mark] = Awaited(mark=mark, left=record.joins, until_ms=until_ms)
    if record.answers:
        _strike(left, f"joins:{record.answers}")
    if (
        record.merge is not None
        and record.merge.survivor == step.lead_id
        and not _is_absorbed(step, record.merge)
    ):
        mark = f"book:{record.merge.loser}"
        left[mark] = Awaited(mark=mark, left=1, until_ms=until_ms)
    if record.body:
        mark = f"body:{record.body}"
        left.setdefault(mark, Awaited(mark=mark, left=record.body_events, until_ms=until_ms))
        _strike(left, mark)
    _keep(step, left)


def _is_absorbed(step: LeadStep, merge: LeadMerge) -> bool:
    """Whether the loser's book came before word of the merge: the two are on different topics."""
    book = transfer_id_of(merge.merge_id, merge.loser)
    return any(mark.startswith(book) for mark in step.cycle_state.absorbed)


def note_book(step: LeadStep, loser: str) -> None:
    """The book of ``loser`` is here."""
    if step.head.awaited:
        left = {item.mark: item for item in step.head.awaited}
        _strike(left, f"book:{loser}")
        _keep(step, left)


def _strike(left: dict[str, Awaited], mark: str) -> None:
    found = left.get(mark)
    if found is not None and found.left > 1:
        left[mark] = evolve(found, left=found.left - 1)
    elif found is not None:
        del left[mark]


def _keep(step: LeadStep, left: dict[str, Awaited]) -> None:
    kept = tuple(left.values())[-_MAX_AWAITED:]
    if kept != step.head.awaited:
        step.head = evolve(step.head, awaited=kept)


def lacking(step: LeadStep, context: ConditionContext) -> tuple[str, ...]:
    """What the hand-off of this lead lacks, in words; empty where it may be handed over now.
    ``context``: the lead as it is routed by."""
    lifecycle = step.agreement.lifecycle
    settling = step.head.settling
    until_ms = step.now + lifecycle.settle_ms if settling is None else settling.until_ms
    if until_ms <= step.now:
        return ()
    person = (step.get(PERSON, ONLY) or NOBODY).person
    found = [] if is_reachable(person) else ["a way to reach the lead"]
    found += [f"profile.{name}" for name in step.agreement.routing.undecided_by(context)]
    if any(item.until_ms > step.now for item in step.head.awaited):
        found.append("what came with it")
    return tuple(found)


def begin_settling(
    step: LeadStep, *, cause: str, occurred_at_ms: int, raised_by: tuple[str, ...]
) -> None:
    """The lead is ready from now on; it is handed over when it lacks nothing, or at the latest when
    the time is over."""
    former = step.head.settling
    settling = (
        evolve(former, raised_by=raised_by)
        if former is not None
        else Settling(
            cause_id=cause,
            occurred_at_ms=occurred_at_ms,
            received_at_ms=step.received_at_ms,
            raised_by=raised_by,
            until_ms=step.now + step.agreement.lifecycle.settle_ms,
        )
    )
    step.head = evolve(step.head, settling=settling)


def stop_settling(step: LeadStep) -> None:
    """The lead is handed over, or is ready no longer."""
    if step.head.settling is not None:
        step.head = evolve(step.head, settling=None)

"""A person has separated somebody from this lead: what was theirs goes with them.

Their acts, what they reported of themselves, what they read and what they consented to, event by
event, leave this lead as if they had never come and are joined to the lead that begins there, as a
book is joined in a merge; so a further merge brings them back. A refusal of consent stays with both
leads, whoever gave it: it is never lost, and each of the two may consent anew. What somebody works
on or has closed stays: cycles, deals, dates, and a hand-off that was accepted. A hand that they had
raised and nobody has taken up counts at their own lead.

What is too old for its event to be remembered, or came under identifiers of both, stays too.
"""

from __future__ import annotations

from collections.abc import Iterator

from baton.contracts.intake import LeadSeparation
from baton.contracts.leads import Stage
from baton.contracts.topic_names import SCORER_TRANSFERS
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead.handlers.events import RIDES, undo_events
from services.scorer.lead.merge_transfer import events_of, persons_of, transfer_parts
from services.scorer.lead.profile import consent_acts
from services.scorer.lead.raised_hands import young_hands
from services.scorer.lead.rescore import rescore
from services.scorer.lead.stage_moves import publish_consents
from services.scorer.lead.state import CONSENT
from services.scorer.lead.step import LeadStep
from services.scorer.score.content_touches import ContentBook
from services.scorer.score.content_touches import parted as content_parted
from services.scorer.score.ledger import id_bytes, parted, retractions, with_retractions


def on_separation(step: LeadStep, separation: LeadSeparation) -> None:
    """At the lead that is left: hand over what was theirs, and be rated without it."""
    if separation.begins or step.former is None:
        return
    theirs = frozenset(
        id_bytes(named)
        for event_id in separation.event_ids
        for named in (event_id, derived_id(event_id, RIDES))
    )
    raised_by = _hands(step, separation)
    _send(step, separation, theirs, raised_by)
    _part(step, separation, theirs)


def _send(
    step: LeadStep,
    separation: LeadSeparation,
    theirs: frozenset[bytes],
    raised_by: tuple[str, ...],
) -> None:
    head = step.head
    content, _ = content_parted(ContentBook(head.recent, head.origins), theirs)
    ledger, _ = parted(head.ledger, theirs)
    refusals = frozenset(_refusals(step))
    book = LeadTransfer(
        transfer_id=derived_id("parted", separation.separation_id, separation.leaver),
        loser=step.lead_id,
        survivor=separation.leaver,
        part=0,
        parts=0,
        events=tuple(
            event for event in events_of(step) if id_bytes(event.event_id) in theirs | refusals
        ),
        cycles=(),
        at_ms=step.now,
        retractions=with_retractions(
            b"", [one for one in retractions(head.retracted) if one[0] in theirs], b""
        ),
        recent=content.recent,
        origins=content.origins,
        persons=tuple(person for person in persons_of(step) if id_bytes(person.event_id) in theirs),
        hand_raised=bool(raised_by),
        raised_by=raised_by,
        settling=bool(raised_by),
        path=(step.lead_id,),
    )
    for part in transfer_parts(book, ledger):
        step.publish(SCORER_TRANSFERS, part, separation.leaver)


def _part(step: LeadStep, separation: LeadSeparation, theirs: frozenset[bytes]) -> None:
    """Rate the lead as if their acts had been retracted, then keep nothing of them: they are not
    retracted, but somebody else's."""
    retracted = step.head.retracted
    taken_back = [(event, separation.occurred_at_ms) for event in theirs]
    step.head = evolve(
        step.head, retracted=with_retractions(retracted, taken_back, step.head.ledger)
    )
    changed = undo_events(step, theirs - frozenset(_refusals(step)), cause=separation.separation_id)
    if changed:
        publish_consents(step, separation.separation_id)
    step.recount()
    rescore(
        step,
        cause=separation.separation_id,
        occurred_at_ms=separation.occurred_at_ms,
        retracts=True,
    )
    head = step.head
    _, content = content_parted(ContentBook(head.recent, head.origins), theirs)
    _, ledger = parted(head.ledger, theirs)
    step.head = evolve(
        head,
        ledger=ledger,
        retracted=retracted,
        recent=content.recent,
        origins=content.origins,
    )
    step.recount()


def _hands(step: LeadStep, separation: LeadSeparation) -> tuple[str, ...]:
    """The hands of those who leave that nobody has taken up here."""
    head, work = step.head, step.cycle_state.work
    if head.stage not in (Stage.INQUIRY.value, Stage.MQL.value) or work.kept:
        return ()
    settling = head.settling.raised_by if head.settling else ()
    theirs = frozenset(separation.event_ids)
    raised = (*work.raised_by, *settling, *head.hands_held)
    return young_hands(step, [event_id for event_id in raised if event_id in theirs])


def _refusals(step: LeadStep) -> Iterator[bytes]:
    for _, known in step.items(CONSENT):
        for act in consent_acts(known):
            if not act.granted:
                yield id_bytes(act.event_id)

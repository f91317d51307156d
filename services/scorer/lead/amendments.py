"""What becomes known after a qualification and matters to the person who works on the lead: an
amendment of the same qualification.

After each step of a lead that is somebody's work, what the hand-off said is compared with what it
would say now: the person, the profile, the account, the consents, the raised hand with its level,
and the segment. Where anything differs the whole brief is published again with the names of
what changed. Reading and scores amend nothing: they are in ``leads.scored.v1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baton.contracts.leads import LeadAmended
from baton.contracts.topic_names import LEADS_AMENDMENTS
from baton.derived_ids import derived_id
from services.scorer.lead.consents import consents_from
from services.scorer.lead.cycle_state import NO_CYCLE, CycleState
from services.scorer.lead.handoff_brief import brief_of
from services.scorer.lead.level import grade_now
from services.scorer.lead.profile import PERSON_FIELDS
from services.scorer.lead.state import (
    CONSENT,
    CYCLE_STATE,
    NO_PROFILE,
    NOBODY,
    ONLY,
    PERSON,
    PROFILE,
)
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN

_SHOWN: Final = (CYCLE_STATE, PERSON, PROFILE, CONSENT)
"""What a hand-off shows of the entries of a lead."""
_OPEN: Final = frozenset(stage.value for stage in OPEN)


def amend_qualification(step: LeadStep) -> None:
    """Publish what the step changed of a qualification that stood before it and stands after it."""
    former = step.former
    if former is None or former.stage not in _OPEN or step.head.stage not in _OPEN:
        return
    if former.account_id == step.head.account_id and not step.touches(*_SHOWN):
        return
    before, now = step.view.get(CYCLE_STATE, ONLY) or NO_CYCLE, step.cycle_state
    if now.qualification_id is None or now.qualification_id != before.qualification_id:
        return
    changed = tuple(_changed(step, before, now))
    if not changed:
        return
    head = step.head
    step.amended = amended = LeadAmended(
        amendment_id=derived_id(step.cause, "amendment", step.lead_id),
        lead_id=step.lead_id,
        cycle=head.cycle,
        qualification_id=now.qualification_id,
        handoff_id=now.handoff_id,
        changed=changed,
        brief=brief_of(step),
        leg=now.work.leg,
        level=now.work.level,
        grade=grade_now(step),
        fit_micro=head.fit_micro,
        hand_raised=now.hand_raised,
        segment=step.agreement.segment_of(step.profile),
        at_ms=step.now,
        cause_id=step.cause,
        agreement=step.agreement.version,
    )
    step.publish(LEADS_AMENDMENTS, amended)


def _changed(step: LeadStep, before: CycleState, now: CycleState) -> Iterator[str]:
    """The names of what differs, as ``person.phone`` or ``profile.country``."""
    view = step.view
    former, person = (
        (view.get(PERSON, ONLY) or NOBODY).person,
        (step.get(PERSON, ONLY) or NOBODY).person,
    )
    if person is not former:
        for name in PERSON_FIELDS:
            if getattr(person, name) != getattr(former, name):
                yield f"person.{name}"
    former_book = view.get(PROFILE, ONLY) or NO_PROFILE
    book = step.get(PROFILE, ONLY) or NO_PROFILE
    if book is not former_book:
        was, profile = former_book.plain(), book.plain()
        for name in sorted({*was, *profile}):
            if was.get(name) != profile.get(name):
                yield f"profile.{name}"
        if step.agreement.segment_of(was) != step.agreement.segment_of(profile):
            yield "segment"
    if view.head is not None and view.head.account_id != step.head.account_id:
        yield "account_id"
    acts = [act for _, act in step.items(CONSENT)]
    known = [act for _, act in view.scan(CONSENT, limit=len(acts) + 1)]
    if acts != known:
        had, has = consents_from(known), consents_from(acts)
        for name in sorted({*had, *has}):
            if had.get(name) != has.get(name):
                yield f"consents.{name}"
    if now.hand_raised != before.hand_raised:
        yield "hand_raised"
    if now.work.level != before.work.level:
        yield "level"

"""What accepted events do to a lead: engagement, profile, consent, retraction, the person.

Each function changes the step and says whether anything changed; scoring and qualifying follow
once, in ``rescore``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from baton.contracts.intake import LeadEvent, LeadPerson, Person
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.topic_names import LEADS_PERSONS
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.scorer.lead.profile import (
    PERSON_FIELDS,
    consent_without_retracted,
    newest_consent,
    person_without_retracted,
    with_person,
    with_values,
    without_retracted,
)
from services.scorer.lead.publish_score import publish_account_part
from services.scorer.lead.repeated_reports import enter_repeats
from services.scorer.lead.stage_moves import CONTRACT_END, by_system, place, publish_consents
from services.scorer.lead.state import (
    CONSENT,
    NO_PROFILE,
    NOBODY,
    ONLY,
    PERSON,
    PROFILE,
    PersonBook,
    ProfileBook,
)
from services.scorer.lead.step import LeadStep
from services.scorer.score.content_touches import ContentBook, touched
from services.scorer.score.entry_counting import Counted, entered
from services.scorer.score.entry_status import MARK, MARK_SIZE, Why
from services.scorer.score.ledger import (
    find,
    id_bytes,
    packed,
    retracted_ids,
    retractions_after,
    with_retractions,
)

ACCOUNT_FIELD = "domain"
"""The profile field that names the account: the company's registered domain; intake puts no
free-mail domain there."""

RIDES: Final = "profile"
"""The profile that an act of the firm brings is an event of its own, whose id ``identify`` derives
from the act's with this word."""
MAX_CONSENTS: Final = 64
"""Purposes and channels that are remembered; an agreement knows a handful."""


def record_engagement(step: LeadStep, event: LeadEvent) -> bool:
    """Enter an act into the ledger; False for one that is there already or that a machine did."""
    engagement = event.engagement
    assert engagement is not None
    if engagement.automatic and not step.table.acts.count_automatic:
        return False
    head = step.head
    at_ms = min(event.occurred_at_ms, event.received_at_ms)
    record = packed(event.event_id, at_ms, engagement, backfill=event.backfill)
    former = Counted(head.ledger, head.marks, head.totals)
    derived = entered(former, record, head.retracted, head.since_ms, step.table, step.now)
    if derived is None:
        return False
    content = touched(ContentBook(head.recent, head.origins), event, at_ms)
    step.head = evolve(
        head,
        ledger=derived.ledger,
        marks=derived.marks,
        totals=derived.totals,
        recent=content.recent,
        origins=content.origins,
    )
    return True


def is_hand_raise(step: LeadStep, event: LeadEvent) -> bool:
    """Whether the act is a fast-track one that counts: young enough when it came, no backfill, of
    this cycle, not retracted."""
    engagement = event.engagement
    if engagement is None or event.backfill or engagement.act not in step.table.fast_acts:
        return False
    index = find(step.head.ledger, id_bytes(event.event_id))
    if index < 0:
        return False
    at_ms, _, _, _, why, number = MARK.unpack_from(step.head.marks, index * MARK_SIZE)
    rule = step.table.rules[number].rule
    return (
        rule is not None
        and rule.fast_track
        and why in (Why.COUNTS, Why.DAILY_LIMIT)
        and event.received_at_ms - at_ms <= rule.max_age_ms
    )


def speaks_against(step: LeadStep, event: LeadEvent) -> bool:
    """Whether the event is a refusal, or an act that takes points away: neither makes a lead ready
    for a person."""
    if event.consent is not None:
        return not event.consent.granted
    rule = (
        step.agreement.engagement.rule_for(event.engagement)
        if event.engagement is not None
        else None
    )
    return rule is not None and rule.points_micro < 0


def record_profile(step: LeadStep, event: LeadEvent) -> bool:
    """Take what was reported of the profile: fit, account and role follow. A report that was
    retracted already counts as never made."""
    if is_retracted(step, event.event_id):
        return False
    enter_repeats(step)
    book = step.get(PROFILE, ONLY) or NO_PROFILE
    changed = with_values(book, event)
    if changed is book:
        return False
    rewrite_profile(step, changed, cause=event.event_id)
    return True


def is_retracted(step: LeadStep, event_id: str) -> bool:
    """Whether the event was taken back, before or after it came."""
    return bool(step.head.retracted) and id_bytes(event_id) in retracted_ids(step.head.retracted)


def rewrite_profile(step: LeadStep, book: ProfileBook, *, cause: str) -> None:
    """Put another profile in place; a lead that moves leaves its former account."""
    former_account = step.head.account_id
    profile = book.plain()
    account = profile.get(ACCOUNT_FIELD)
    if account != former_account:
        publish_account_part(step, "remove", former_account, None, cause=cause)
    step.role_moved = step.role_moved or step.agreement.role_of(
        step.profile
    ) != step.agreement.role_of(profile)
    learnt = profile.get(CONTRACT_END) != step.profile.get(CONTRACT_END)
    step.put_profile(book, profile)
    step.enter_account(account)
    step.head = evolve(step.head, fit_micro=step.fit.points_micro)
    if learnt and step.head.stage == Stage.RECYCLED.value:
        place(step, StageEvent.CONTRACT_END_LEARNT, by_system(step, cause), Stage.RECYCLED)


def record_consent(step: LeadStep, event: LeadEvent) -> bool:
    """Take an explicit act of consent or refusal. Whether what the lead allows is another than
    before."""
    assert event.consent is not None
    item = f"{event.consent.purpose}/{event.consent.channel}"
    known = step.get(CONSENT, item)
    if is_retracted(step, event.event_id) or (
        known is None and step.view.count(CONSENT) >= MAX_CONSENTS
    ):
        return False
    newest = newest_consent(known, event.consent, event)
    if newest is known:
        return False
    step.put(CONSENT, item, newest)
    return known is None or newest.event_id != known.event_id


def retract_event(step: LeadStep, event: LeadEvent) -> bool:
    """An event is taken back, whether it has come yet or not: from now on it is as if it had never
    happened."""
    assert event.retracts is not None
    head = step.head
    gone = (event.retracts, derived_id(event.retracts, RIDES))
    kept = with_retractions(
        head.retracted,
        [(id_bytes(event_id), event.occurred_at_ms) for event_id in gone],
        head.ledger,
    )
    kept = retractions_after(kept, step.now, head.ledger)
    if kept == head.retracted:
        return False
    step.head = evolve(head, retracted=kept)
    if find(head.ledger, id_bytes(event.retracts)) >= 0:
        step.recount()
    if undo_retracted(step, cause=event.event_id):
        publish_consents(step, event.event_id)
    return True


def undo_retracted(step: LeadStep, *, cause: str) -> bool:
    """Profile, person and consents are what they would be had the retracted events never come: the
    former values are back. Whether a consent is another than before."""
    gone = retracted_ids(step.head.retracted)
    return undo_events(step, gone, cause=cause) if gone else False


def undo_events(step: LeadStep, gone: Collection[bytes], *, cause: str) -> bool:
    """Profile, person and consents are what they would be had these events never come. Whether a
    consent is another than before."""
    enter_repeats(step)
    book = step.get(PROFILE, ONLY) or NO_PROFILE
    left = without_retracted(book, gone)
    if left is not book:
        rewrite_profile(step, left, cause=cause)
    person = step.get(PERSON, ONLY) or NOBODY
    _keep_person(step, person, person_without_retracted(person, gone), cause=cause)
    changed = False
    for item, known in step.items(CONSENT):
        act = consent_without_retracted(known, gone)
        if act is None:
            step.drop(CONSENT, item)
        elif act is not known:
            step.put(CONSENT, item, act)
        changed = changed or act is None or act.event_id != known.event_id
    return changed


def record_person(step: LeadStep, person: Person, occurred_at_ms: int, *, cause: str) -> None:
    """Learn who the lead is from the event ``cause``."""
    update_person(step, person, dict.fromkeys(PERSON_FIELDS, occurred_at_ms), cause=cause)


def update_person(step: LeadStep, person: Person, times: Mapping[str, int], *, cause: str) -> None:
    """Learn fields of the person, with the event time of each, from the event ``cause``."""
    if is_retracted(step, cause):
        return
    enter_repeats(step)
    book = step.get(PERSON, ONLY) or NOBODY
    _keep_person(step, book, with_person(book, person, times, event_id=cause), cause=cause)


def join_persons(step: LeadStep, reports: Iterable[LeadPerson], *, cause: str) -> None:
    """Learn what was reported of a lead that ended in this one, each report from its own event."""
    enter_repeats(step)
    book = joined = step.get(PERSON, ONLY) or NOBODY
    for report in reports:
        if not is_retracted(step, report.event_id):
            times = dict.fromkeys(PERSON_FIELDS, report.occurred_at_ms)
            joined = with_person(joined, report.person, times, event_id=report.event_id)
    _keep_person(step, book, joined, cause=cause)


def _keep_person(step: LeadStep, book: PersonBook, changed: PersonBook, *, cause: str) -> None:
    """Keep what is known of the person now. Where any field changes, the whole person is
    published."""
    if changed is book:
        return
    if changed == NOBODY:
        step.drop(PERSON, ONLY)
    else:
        step.store(PERSON, ONLY, changed)
    if changed.person != book.person:
        occurred_at_ms = max(changed.times.values(), default=step.now)
        known = LeadPerson(
            lead_id=step.lead_id,
            event_id=cause,
            occurred_at_ms=occurred_at_ms,
            person=changed.person,
        )
        step.publish(LEADS_PERSONS, known)

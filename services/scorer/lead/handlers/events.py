"""What accepted events do to a lead: engagement, profile, consent, retraction, the person.

Each function changes the turn and says whether anything changed; scoring and qualifying follow once, in ``settle``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from baton.contracts.intake import LeadEvent, LeadPerson, Person
from baton.evolve import evolve
from services.scorer.lead.profile import consented, known_as, told
from services.scorer.lead.publish_score import tell_account
from services.scorer.lead.state import CONSENT, NOBODY, ONLY, PERSON, PROFILE, ProfileBook
from services.scorer.lead.step import Turn
from services.scorer.score.content_touches import ContentBook, touched
from services.scorer.score.entry_counting import Counted, entered
from services.scorer.score.entry_status import MARK, MARK_SIZE, Why
from services.scorer.score.ledger import find, id_bytes, packed, retracted_ids, retractions_after, with_retractions

ACCOUNT_FIELD = "domain"
"""The profile field that names the account: the company's registered domain; intake puts no free-mail domain there."""

MAX_CONSENTS: Final = 64
"""Purposes and channels that are remembered; an agreement knows a handful."""


def engaged(turn: Turn, event: LeadEvent) -> bool:
    """Enter an act into the ledger; False for one that is there already or that a machine did."""
    engagement = event.engagement
    assert engagement is not None
    if engagement.automatic and not turn.table.acts.count_automatic:
        return False
    head = turn.head
    at_ms = min(event.occurred_at_ms, event.received_at_ms)
    record = packed(event.event_id, at_ms, engagement, backfill=event.backfill)
    former = Counted(head.ledger, head.marks, head.totals)
    derived = entered(former, record, head.retracted, head.since_ms, turn.table, turn.now)
    if derived is None:
        return False
    content = touched(ContentBook(head.recent, head.origins), event, at_ms)
    turn.head = evolve(
        head,
        ledger=derived.ledger,
        marks=derived.marks,
        totals=derived.totals,
        recent=content.recent,
        origins=content.origins,
    )
    return True


def hand_raised(turn: Turn, event: LeadEvent) -> bool:
    """Whether the act is a fast-track one that counts: young enough when it came, no backfill, of this cycle, not retracted."""
    engagement = event.engagement
    if engagement is None or event.backfill or engagement.act not in turn.table.fast_acts:
        return False
    index = find(turn.head.ledger, id_bytes(event.event_id))
    if index < 0:
        return False
    at_ms, _, _, _, why, number = MARK.unpack_from(turn.head.marks, index * MARK_SIZE)
    rule = turn.table.rules[number].rule
    return (
        rule is not None
        and rule.fast_track
        and why in (Why.COUNTS, Why.DAILY_LIMIT)
        and event.received_at_ms - at_ms <= rule.max_age_ms
    )


def profiled(turn: Turn, event: LeadEvent) -> bool:
    """Take what was told of the profile: fit, account and role follow. What was taken back already leaves its fields unknown."""
    taken_back = turn.head.retracted and id_bytes(event.event_id) in retracted_ids(turn.head.retracted)
    profile = dict.fromkeys(event.profile, "") if taken_back else event.profile
    book = turn.get(PROFILE, ONLY) or ProfileBook()
    changed = told(book, profile, at_ms=event.occurred_at_ms, source=event.source, event_id=event.event_id)
    if changed is book:
        return False
    rewrite_profile(turn, changed, cause=event.event_id)
    return True


def rewrite_profile(turn: Turn, book: ProfileBook, *, cause: str) -> None:
    """Put another profile in place; a lead that moves leaves its former account."""
    former_account = turn.head.account_id
    profile = book.plain()
    account = profile.get(ACCOUNT_FIELD)
    if account != former_account:
        tell_account(turn, "remove", former_account, None, cause=cause)
    turn.role_moved = turn.role_moved or turn.agreement.role_of(turn.profile) != turn.agreement.role_of(profile)
    turn.put(PROFILE, ONLY, book)
    turn.head = evolve(turn.head, account_id=account, fit_micro=turn.agreement.fit.evaluate(profile).points_micro)


def consent_given(turn: Turn, event: LeadEvent) -> bool:
    """Take an explicit act of consent or refusal."""
    assert event.consent is not None
    item = f"{event.consent.purpose}/{event.consent.channel}"
    known = turn.get(CONSENT, item)
    if known is None and turn.view.count(CONSENT) >= MAX_CONSENTS:
        return False
    newest = consented(known, event.consent, event)
    if newest is not known:
        turn.put(CONSENT, item, newest)
    return newest is not known


def retracted(turn: Turn, event: LeadEvent) -> bool:
    """An event is taken back, whether it has come yet or not: from now on it is as if it had never happened."""
    assert event.retracts is not None
    head = turn.head
    kept = with_retractions(head.retracted, [(id_bytes(event.retracts), event.occurred_at_ms)], head.ledger)
    kept = retractions_after(kept, turn.now, head.ledger)
    if kept == head.retracted:
        return False
    turn.head = evolve(head, retracted=kept)
    if find(head.ledger, id_bytes(event.retracts)) >= 0:
        turn.recount()
    untold(turn, cause=event.event_id)
    return True


def untold(turn: Turn, *, cause: str) -> None:
    """Forget what retracted events told of the profile: nobody knows these fields until they are told anew. What was told before them
    does not come back, in whatever order all that arrived."""
    gone = retracted_ids(turn.head.retracted)
    values = (turn.get(PROFILE, ONLY) or ProfileBook()).values
    left = {name: replace(each, value="") if id_bytes(each.event_id) in gone else each for name, each in values.items()}
    if left != values:
        rewrite_profile(turn, ProfileBook(values=left), cause=cause)


def met(turn: Turn, told_of: LeadPerson) -> bool:
    """Learn who the lead is."""
    times = dict.fromkeys(Person.__dataclass_fields__, told_of.occurred_at_ms)
    return acquainted(turn, told_of.person, times)


def acquainted(turn: Turn, person: Person, times: dict[str, int]) -> bool:
    """Learn fields of the person with the event time of each."""
    book = turn.get(PERSON, ONLY) or NOBODY
    changed = known_as(book, person, times)
    if changed is not book:
        turn.put(PERSON, ONLY, changed)
    return changed is not book

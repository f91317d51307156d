"""Erasure, return dates and the verdicts of people, by the published facts of one lead and the
agreement's words.

Pure: all records of one lead go in, findings come out; no reducer is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.recycling import RecycleReason
from baton.contracts.intake import (
    ActKind,
    EventKind,
    LeadAct,
    LeadEvent,
    LeadInput,
    LeadMerge,
    LeadPerson,
    Person,
)
from baton.contracts.leads import BY_TOUCH, Actor, LeadQualified, LeadScored, LeadStaged, StageEvent
from baton.contracts.routing import REINSTATED, HandoffKind, HandoffNoted, LeadRouted
from baton.contracts.slas import RETURN_DATE, LeadReactivated, LeadRecycled
from baton.proof.audit.findings import Add, Dated, Finding, Invariant
from baton.proof.audit.groups import IN_ACCOUNT, WAS_PERSON

Agreements = Callable[[str], CompiledAgreement | None]
_DAY_MS = 86_400_000
_HELD_VERDICTS = frozenset({StageEvent.ACCEPTED, StageEvent.REJECTED, StageEvent.QUALIFIED})


def check_erasure(records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """Once a lead is erased the scorer says nothing of it any more, and nothing of the person is
    left to read. An erasure that was asked for is carried out. ``until_ms``: what was asked for
    later may be on its way."""
    erased = next(
        (
            record
            for record in records
            if isinstance(record.value, LeadStaged) and record.value.event == StageEvent.ERASED
        ),
        None,
    )
    asked = next((record for record in records if _asks_erasure(record)), None)
    merged = any(isinstance(record.value, LeadMerge) for record in records)
    if erased is None:
        known = any(isinstance(record.value, LeadScored | LeadStaged) for record in records)
        if asked is not None and known and not merged and asked.at_ms < until_ms:
            add(
                Finding(
                    invariant=Invariant.ERASED,
                    words="the lead was to be erased and was not",
                    place=asked.place,
                )
            )
        return
    _check_silence(records, erased, add)
    people = [record for record in records if isinstance(record.value, LeadPerson)]
    if (
        people
        and erased.at_ms < until_ms
        and (not people[-1].value.erased or people[-1].value.person != Person())
    ):
        words = "the lead is erased and the person is not"
        add(Finding(invariant=Invariant.ERASED, words=words, place=people[-1].place))


def _asks_erasure(record: Dated) -> bool:
    return isinstance(record.value, LeadEvent) and record.value.kind == EventKind.ERASURE


def _check_silence(records: Sequence[Dated], erased: Dated, add: Add) -> None:
    for record in records:
        later = record.at_ms > erased.at_ms
        if isinstance(record.value, LeadStaged):
            later = (
                record.place.partition == erased.place.partition
                and record.place.offset > erased.place.offset
            )
        if later and isinstance(record.value, LeadStaged | LeadScored | LeadQualified):
            words = f"the lead was erased by {erased.place}"
            add(Finding(invariant=Invariant.ERASED, words=words, place=record.place))


def check_returns(records: Sequence[Dated], agreements: Agreements, add: Add) -> None:
    """A recycled lead's return date is what its reason says, and it is not back before."""
    due: dict[str, int | None] = {}
    for record in records:
        match record.value:
            case LeadRecycled(outcome="recycle") as recycled:
                due[recycled.recycle_id] = recycled.return_at_ms
                agreement = agreements(recycled.agreement)
                if agreement is not None:
                    _check_return(record, recycled, agreement, add)
            case LeadReactivated(reason=reason) as back if reason == RETURN_DATE:
                promised = due.get(back.recycle_id)
                if promised is not None and back.at_ms < promised:
                    words = f"the lead is back {promised - back.at_ms} ms before its return date"
                    add(Finding(invariant=Invariant.RETURNS, words=words, place=record.place))
                due[back.recycle_id] = back.return_at_ms


def _check_return(
    record: Dated, recycled: LeadRecycled, agreement: CompiledAgreement, add: Add
) -> None:
    recycling = agreement.recycling
    rule = recycling.reasons.get(recycled.reason) or recycling.reasons[recycling.fallback]
    if (
        not recycled.revised
        and recycled.cool_off_until_ms is not None
        and recycled.cool_off_until_ms != recycled.at_ms + rule.cool_off_ms
    ):
        words = f"{recycled.reason}: the cool-off is not what the agreement says"
        add(Finding(invariant=Invariant.RETURNS, words=words, place=record.place))
    if (
        recycled.revised
        or recycled.return_at_ms is None
        or (rule.before_contract_end_ms is not None and recycled.needs is None)
    ):
        return
    expected = _return_at(agreement, recycled.at_ms, rule.after_ms, rule)
    long_term = max(
        expected, _return_at(agreement, recycled.at_ms, recycling.long_term_after_ms, None)
    )
    allowed = {expected} | ({long_term} if recycled.track == recycling.long_term_track else set())
    if recycled.return_at_ms not in allowed:
        words = (
            f"{recycled.reason}: the return date is {recycled.return_at_ms - expected} ms from "
            "what the agreement says"
        )
        add(Finding(invariant=Invariant.RETURNS, words=words, place=record.place))


def _return_at(
    agreement: CompiledAgreement, at_ms: int, after_ms: int, rule: RecycleReason | None
) -> int:
    """Elapsed time; or whole days, to the opening of the first working day from then on. Never
    inside the cool-off."""
    not_before = at_ms + (rule.cool_off_ms if rule is not None else 0)
    if after_ms % _DAY_MS:
        return max(at_ms + after_ms, not_before)
    calendar = agreement.recycling.calendar
    begins = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(calendar.zone).date()
    free = datetime.fromtimestamp(not_before // 1000, UTC).astimezone(calendar.zone).date()
    day = max(begins + timedelta(days=after_ms // _DAY_MS), free)
    while calendar.working_day_from(day) != day:
        day += timedelta(days=1)
    return max(calendar.opening_of(day), not_before)


def check_claims(
    lead_id: str, records: Sequence[Dated], claims: Sequence[Dated], *, until_ms: int, add: Add
) -> None:
    """What identities and accounts say of the lead: one that is in an account is there, and one
    that is somebody's no longer is not."""
    left = any(_ends(record, lead_id) or _parts(record, lead_id) for record in records)
    for claim in claims:
        if claim.value == WAS_PERSON and not left and claim.at_ms < until_ms:
            words = (
                f"the identity went on to another lead, and {lead_id} has neither ended in one nor "
                "been erased or left by anybody"
            )
            add(Finding(invariant=Invariant.IDENTITY, words=words, place=claim.place))
        moves = [record for record in records if isinstance(record.value, LeadStaged)]
        gone = (
            moves
            and moves[-1].value.event in (StageEvent.MERGED, StageEvent.ERASED)
            and moves[-1].at_ms < until_ms
        )
        if claim.value == IN_ACCOUNT and gone:
            words = f"lead {lead_id} is counted, though it was {moves[-1].value.event}"
            add(Finding(invariant=Invariant.ACCOUNTS, words=words, place=claim.place))


def _ends(record: Dated, lead_id: str) -> bool:
    return _asks_erasure(record) or (
        isinstance(record.value, LeadMerge) and record.value.loser == lead_id
    )


def _parts(record: Dated, lead_id: str) -> bool:
    """Whether a person separated somebody from the lead."""
    separation = record.value.separation if isinstance(record.value, LeadInput) else None
    return separation is not None and separation.lead_id == lead_id


def check_acts(records: Sequence[Dated], *, grace_ms: int, add: Add) -> None:
    """A verdict moves the hand-off that it names, by whom it came from, if they held it, and not
    long after it was taken from them."""
    acts = {
        record.value.event_id: record.value
        for record in records
        if isinstance(record.value, LeadAct)
    }
    owners = {
        record.value.handoff_id: record.value.owner
        for record in records
        if isinstance(record.value, LeadRouted)
    }
    for record in records:
        staged = record.value
        act = acts.get(staged.cause_id) if isinstance(staged, LeadStaged) else None
        if act is None or staged.by is None:
            continue
        words = ""
        if staged.by != act.act.by:
            words = f"{staged.event} by {staged.by}, but it was {act.act.by} who said so"
        elif act.act.handoff_id is not None:
            words = _moved_what_it_names(records, staged, act, owners, grace_ms=grace_ms)
        if words:
            add(Finding(invariant=Invariant.JUDGED, words=words, place=record.place))


def _moved_what_it_names(
    records: Sequence[Dated],
    staged: LeadStaged,
    act: LeadAct,
    owners: Mapping[str, str],
    *,
    grace_ms: int,
) -> str:
    """What is wrong with a move by an act that names its hand-off; empty: nothing."""
    named = act.act.handoff_id or ""
    if staged.handoff_id not in (None, named) and not _crossed_withdrawal(
        records, staged, act, owners
    ):
        return f"the act is about hand-off {named} and moved {staged.handoff_id}"
    judged = staged.event in _HELD_VERDICTS and staged.actor in (Actor.SDR, Actor.SALES)
    if not judged or any(isinstance(record.value, LeadMerge) for record in records):
        return ""
    if owners.get(named, staged.by) != staged.by:
        return f"{staged.event} by {staged.by}, but {owners[named]} holds hand-off {named}"
    if staged.event != StageEvent.ACCEPTED and _was_taken(
        records, named, act.occurred_at_ms - grace_ms
    ):
        return (
            f"{staged.event} about hand-off {named}, which had been taken from {staged.by} "
            "long before"
        )
    return ""


def _crossed_withdrawal(
    records: Sequence[Dated], staged: LeadStaged, act: LeadAct, owners: Mapping[str, str]
) -> bool:
    """An acceptance, in words or by a touch, by whoever held the hand-off, done before it was
    withdrawn and reported afterwards: the lead is theirs by a new one."""
    named = act.act.handoff_id or ""
    return (
        (act.act.kind == ActKind.ACCEPTED or staged.reason == BY_TOUCH)
        and owners.get(named) == act.act.by
        and any(
            isinstance(record.value, HandoffNoted)
            and (record.value.handoff_id, record.value.kind) == (named, HandoffKind.WITHDRAWN)
            and act.occurred_at_ms <= record.value.at_ms
            for record in records
        )
    )


def _was_taken(records: Sequence[Dated], handoff_id: str, before_ms: int) -> bool:
    taken = False
    for record in records:
        note = record.value
        if not isinstance(note, HandoffNoted) or note.handoff_id != handoff_id:
            continue
        taken = taken or (note.kind == HandoffKind.WITHDRAWN and record.at_ms < before_ms)
        if note.kind == HandoffKind.NOTED and note.reason == REINSTATED:
            return False
    return taken

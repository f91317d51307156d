"""Every hand-out of a lead against what was accepted and agreed: consent, what the event brought,
whom it goes to, what is promised.

Pure: all records of one lead and the agreements go in, findings come out. It asks no reducer; the
agreement's rules are read, not run. A hand-out may know more than what was accepted ``grace_ms``
before it, and need know no more than that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.intake import LeadInput, Person
from baton.contracts.leads import LeadQualified, LeadScored, LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import ClockState, SlaClock
from baton.proof.audit.consent_given import check_consent
from baton.proof.audit.findings import Add, Dated, Finding, Invariant
from baton.proof.audit.turns import ASKS_REJECTERS, by_turn, turn_rule

Agreements = Callable[[str], CompiledAgreement | None]
_RELAXES_REJECTERS = frozenset({"said_no", "had_it_last"})
"""What a pool gives up before it goes back to somebody who rejected the lead."""


def check_handouts(
    records: Sequence[Dated], agreements: Agreements, *, grace_ms: int, add: Add
) -> None:
    """All records of one lead in the order of appending."""
    for record in records:
        match record.value:
            case LeadRouted():
                agreement = agreements(record.value.agreement)
                if agreement is not None:
                    check_consent(record, records, agreement, grace_ms, add)
                    _check_person(record, agreement, add)
                _check_brought(record, record.value.qualified, records, agreements, grace_ms, add)
                _check_rejecters(record, records, agreement, add)
            case LeadQualified():
                _check_brought(record, record.value, records, agreements, grace_ms, add)
            case LeadUnrouted() if record.value.next_try_at_ms is not None:
                _check_next_try(record, add)
    _check_promises(records, add)


# ---------------------------------------------------------------------- to whom, with what


def _check_person(record: Dated, agreement: CompiledAgreement, add: Add) -> None:
    routed: LeadRouted = record.value
    person = agreement.people.get(routed.owner)
    if person is None or not person.active:
        add(
            _finding(
                Invariant.EMPLOYED,
                f"{routed.owner} is nobody in the agreement that decided",
                record,
            )
        )
        return
    pool = agreement.pools.get(routed.pool)
    if by_turn(routed.rule) and (
        pool is None or all(member.person != routed.owner for member in pool.members)
    ):
        add(
            _finding(
                Invariant.EMPLOYED,
                f"{routed.owner} had a turn in {routed.pool} and is no member of it",
                record,
            )
        )


def _check_rejecters(
    record: Dated, records: Sequence[Dated], agreement: CompiledAgreement | None, add: Add
) -> None:
    """Who had rejected the lead: by its hand-off brief, or in this very qualification."""
    routed: LeadRouted = record.value
    said_no = set(routed.qualified.rejecters) | {
        other.value.by
        for other in records
        if isinstance(other.value, LeadStaged)
        and other.value.event == StageEvent.REJECTED
        and other.value.qualification_id == routed.qualification_id
        and other.at_ms < routed.routed_at_ms
    }
    if routed.owner in said_no and by_turn(routed.rule) and not _asks_again(routed, agreement):
        words = f"{routed.owner} had rejected the lead, and was given it as if they had not"
        add(_finding(Invariant.REJECTERS, words, record))


def _asks_again(routed: LeadRouted, agreement: CompiledAgreement | None) -> bool:
    """Whether the rule goes back to people who rejected the lead, and the pool may: without its
    steps it passes."""
    if turn_rule(routed.rule) not in ASKS_REJECTERS:
        return False
    pool = agreement.pools.get(routed.pool) if agreement is not None else None
    return pool is None or not _RELAXES_REJECTERS.isdisjoint(pool.relax)


def _check_brought(
    record: Dated,
    qualified: LeadQualified,
    records: Sequence[Dated],
    agreements: Agreements,
    grace_ms: int,
    add: Add,
) -> None:
    """What the event that caused it reported, and what had come long before, is in the story; its
    value may be a newer one."""
    inputs = [other for other in records if isinstance(other.value, LeadInput)]
    gone = {other.value.event.retracts for other in inputs if other.value.event is not None}
    gone |= {
        event_id
        for other in inputs
        if other.value.separation is not None and other.at_ms <= record.at_ms
        for event_id in other.value.separation.event_ids
    }
    agreement = agreements(qualified.agreement)
    renamed = {} if agreement is None else agreement.synonyms.profile
    lacks: dict[str, None] = {}
    for other in inputs:
        reported: LeadInput = other.value
        known = (
            reported.cause_id == qualified.cause_id
            or other.at_ms < qualified.qualified_at_ms - grace_ms
        )
        if known and reported.cause_id not in gone:
            lacks |= dict.fromkeys(_lacking(reported, qualified, renamed))
    if lacks:
        add(
            _finding(
                Invariant.BROUGHT,
                f"the hand-off lacks what had been reported: {', '.join(lacks)}",
                record,
            )
        )


def _lacking(
    reported: LeadInput, qualified: LeadQualified, renamed: Mapping[str, str]
) -> Iterator[str]:
    person = qualified.story.person or Person()
    if reported.person is not None:
        for name in Person.__dataclass_fields__:
            if getattr(reported.person, name) is not None and getattr(person, name) is None:
                yield f"person.{name}"
    if reported.event is not None:
        yield from (
            f"profile.{name}"
            for name in reported.event.profile
            if {name, renamed.get(name, name)}.isdisjoint(qualified.story.profile)
        )


# ---------------------------------------------------------------------- what is promised


def _check_promises(records: Sequence[Dated], add: Add) -> None:
    """The deadline that the person reads is the one that the clock of the same hand-off keeps,
    where both began at one moment."""
    clocks: dict[str, SlaClock] = {}
    for record in records:
        clock = record.value
        if (
            isinstance(clock, SlaClock)
            and (clock.clock, clock.state) == ("accept", ClockState.RUNNING)
            and clock.handoff_id
        ):
            clocks.setdefault(clock.handoff_id, clock)
    for record in records:
        routed = record.value
        if (
            not isinstance(routed, LeadRouted)
            or routed.accept_by_ms is None
            or routed.handoff_id not in clocks
        ):
            continue
        clock = clocks[routed.handoff_id]
        same = clock.started_at_ms == routed.routed_at_ms and clock.agreement == routed.agreement
        if same and clock.deadline_ms != routed.accept_by_ms:
            words = (
                f"{routed.owner} reads a deadline that is "
                f"{routed.accept_by_ms - clock.deadline_ms} ms from the one that is kept"
            )
            add(_finding(Invariant.PROMISED, words, record))


def _check_next_try(record: Dated, add: Add) -> None:
    if record.value.next_try_at_ms <= record.value.at_ms:
        add(
            _finding(
                Invariant.PROMISED,
                "the next try is said to be at a time that was past already",
                record,
            )
        )


def check_next_change(records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """The last score names the moment of its next change; once that is long past, there is a newer
    score."""
    scored = [record for record in records if isinstance(record.value, LeadScored)]
    ended = any(
        isinstance(record.value, LeadStaged) and record.value.event in ("merged", "erased")
        for record in records
    )
    if not scored or ended:
        return
    due = scored[-1].value.next_change_at_ms
    if due is not None and due < until_ms:
        add(
            _finding(
                Invariant.PROMISED,
                f"the score was to change {until_ms - due} ms ago and there is no newer one",
                scored[-1],
            )
        )


def _finding(invariant: Invariant, words: str, record: Dated) -> Finding:
    return Finding(invariant=invariant, words=words, place=record.place)

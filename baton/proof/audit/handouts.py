"""Every hand-out of a lead against what was accepted and agreed: consent, what the event brought,
whom it goes to, what is promised.

Pure: all records of one lead and the agreements go in, findings come out. It asks no reducer; the
agreement's rules are read, not run. A hand-out may know more than what was accepted ``grace_ms``
before it, and need know no more than that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.consent import ConsentRule
from baton.contracts.intake import LeadEvent, LeadInput, LeadMerge, Person
from baton.contracts.leads import LeadQualified, LeadScored, LeadStaged, StageEvent
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem, RequestKind
from baton.contracts.slas import ClockState, SlaClock
from baton.proof.audit.findings import Add, Dated, Finding, Invariant
from baton.proof.audit.turns import by_turn

Agreements = Callable[[str], CompiledAgreement | None]
_ENDS = frozenset(
    {
        StageEvent.WITHDRAWN,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.WON,
        StageEvent.LOST,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)
_GRANTED, _REFUSED = "granted", "refused"


def check_handouts(
    records: Sequence[Dated], agreements: Agreements, *, grace_ms: int, add: Add
) -> None:
    """All records of one lead in the order of appending."""
    for record in records:
        match record.value:
            case LeadRouted():
                agreement = agreements(record.value.agreement)
                if agreement is not None:
                    _check_consent(record, records, agreement, grace_ms, add)
                    _check_person(record, agreement, add)
                _check_brought(record, record.value.qualified, records, grace_ms, add)
            case LeadQualified():
                _check_brought(record, record.value, records, grace_ms, add)
            case LeadUnrouted() if record.value.next_try_at_ms is not None:
                _check_next_try(record, add)
    _check_promises(records, add)


# ---------------------------------------------------------------------- consent


def _check_consent(
    record: Dated, records: Sequence[Dated], agreement: CompiledAgreement, grace_ms: int, add: Add
) -> None:
    """Refused by the record's own story; or by what was accepted, whatever of the last moments was
    known already."""
    routed: LeadRouted = record.value
    rule = agreement.consent.hand_off
    raised = routed.hand_raised and rule.hand_raise_allows
    if raised:
        return
    if not _allows(rule, routed.qualified.story.consents):
        add(
            _finding(
                Invariant.CONSENT,
                f"{routed.owner} is given a lead whose story refuses {rule.purpose}",
                record,
            )
        )
        return
    if any(isinstance(other.value, LeadMerge) for other in records):
        return  # consents of the other lead are not here
    said = [
        other
        for other in records
        if isinstance(other.value, LeadEvent) and other.at_ms <= routed.routed_at_ms
    ]
    gone = {other.value.retracts for other in said}
    acts = [
        other
        for other in said
        if other.value.consent is not None and other.value.event_id not in gone
    ]
    sure = [act for act in acts if act.at_ms < routed.routed_at_ms - grace_ms]
    later = acts[len(sure) :]
    if not any(
        _allows(rule, _newest([act.value for act in (*sure, *later[:number])]))
        for number in range(len(later) + 1)
    ):
        add(
            _finding(
                Invariant.CONSENT,
                f"{routed.owner} is given a lead that had refused {rule.purpose}",
                record,
            )
        )


def _newest(events: Sequence[LeadEvent]) -> dict[str, str]:
    """``purpose/channel`` to the newest word on it; a word on ``any`` channel is one on each whose
    own is older."""
    words: dict[tuple[str, str], tuple[int, bool, str]] = {}
    for event in events:
        if event.consent is not None:
            place = event.consent.purpose, event.consent.channel
            word = event.occurred_at_ms, not event.consent.granted, event.event_id
            words[place] = max(word, words.get(place, word))
    found = {}
    for (purpose, channel), word in words.items():
        newest = max(word, words.get((purpose, "any"), word))
        found[f"{purpose}/{channel}"] = _REFUSED if newest[1] else _GRANTED
    return found


def _allows(rule: ConsentRule, consents: Mapping[str, str]) -> bool:
    overall = consents.get(f"{rule.purpose}/any")
    words = [consents.get(f"{rule.purpose}/{channel}", overall) for channel in rule.channels]
    if _GRANTED in words:
        return True
    return not rule.opt_in and any(word != _REFUSED for word in words)


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


def _check_brought(
    record: Dated, qualified: LeadQualified, records: Sequence[Dated], grace_ms: int, add: Add
) -> None:
    """What the event that caused it told, and what had come long before, is in the story; its value
    may be a newer one."""
    inputs = [other for other in records if isinstance(other.value, LeadInput)]
    gone = {other.value.event.retracts for other in inputs if other.value.event is not None} - {
        None
    }
    lacks: dict[str, None] = {}
    for other in inputs:
        told: LeadInput = other.value
        known = (
            told.cause_id == qualified.cause_id
            or other.at_ms < qualified.qualified_at_ms - grace_ms
        )
        if known and told.cause_id not in gone:
            lacks |= dict.fromkeys(_lacking(told, qualified))
    if lacks:
        add(
            _finding(
                Invariant.BROUGHT,
                f"the hand-off lacks what had been told: {', '.join(lacks)}",
                record,
            )
        )


def _lacking(told: LeadInput, qualified: LeadQualified) -> Iterator[str]:
    person = qualified.story.person or Person()
    if told.person is not None:
        for name in Person.__dataclass_fields__:
            if getattr(told.person, name) is not None and getattr(person, name) is None:
                yield f"person.{name}"
    if told.event is not None:
        yield from (
            f"profile.{name}" for name in told.event.profile if name not in qualified.story.profile
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


# ---------------------------------------------------------------------- what is given back


def check_releases(records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """A lead whose qualification ended is in no queue and on nobody's load: each of its hand-offs
    was given back to its pool."""
    released = {
        record.value.handoff_id
        for record in records
        if isinstance(record.value, QueueItem) and record.value.kind == RequestKind.RELEASE
    }
    ended: dict[str, Dated] = {}
    for record in records:
        staged = record.value
        if (
            isinstance(staged, LeadStaged)
            and staged.event in _ENDS
            and staged.qualification_id
            and record.at_ms < until_ms
        ):
            ended.setdefault(staged.qualification_id, record)
    for record in records:
        handed = record.value
        if (
            not isinstance(handed, LeadRouted | LeadUnrouted)
            or handed.qualification_id not in ended
        ):
            continue
        if isinstance(handed, LeadUnrouted) and handed.outcome not in ("held", "watch"):
            continue
        if handed.handoff_id not in released and record.at_ms < until_ms:
            end = ended[handed.qualification_id].value.event
            words = f"the lead was {end}, and its hand-off was never given back to {handed.pool}"
            add(_finding(Invariant.RELEASED, words, record))


def _finding(invariant: Invariant, words: str, record: Dated) -> Finding:
    return Finding(invariant=invariant, words=words, place=record.place)

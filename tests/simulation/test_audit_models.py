"""The audit's own models: for each promise that they check a planted bug, found by name, and by its
place where it has one.

The tasks are not computed again here: what is found is found from the facts alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from baton.contracts.accounts import AccountScored
from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress
from baton.contracts.intake import (
    Consent,
    IdentityAlias,
    LeadEvent,
    LeadInput,
    LeadMerge,
    LeadSeparation,
    Person,
)
from baton.contracts.leads import LeadScored
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.routing import LeadRouted, QueueItem
from baton.contracts.slas import SlaClock
from baton.contracts.topic_names import INTAKE_LEADS, ROUTER_ANSWERS, SCORER_TRANSFERS
from baton.contracts.topics import TOPICS
from baton.engine.memory import MemoryLog, Stored
from baton.proof.audit.findings import MEANING, Basis, Invariant, basis_of
from baton.proof.audit.turns import by_turn
from tests.simulation.test_audit import PLANTED as PLANTED_BEFORE
from tests.simulation.test_audit import _append, _find, _put, _write, audited
from tests.simulation.test_audit import log as log
from tests.simulation.test_audit import sound as sound

ROUTED = "leads.routed.sdr.v1"


def _all(log: MemoryLog, topic: str) -> Iterator[tuple[int, int, Any]]:
    """Partition, offset and value of each record."""
    record_type = TOPICS[topic].record
    assert record_type is not None
    for partition in range(log.partitions_of(topic)):
        for stored in tuple(log.records(topic, partition)):
            yield partition, stored.offset, codec_for(record_type).decode(stored.value or b"")


def _merged(log: MemoryLog) -> set[str]:
    return {
        lead
        for _, _, value in _all(log, "leads.merges.v1")
        for lead in (value.loser, value.survivor)
    }


def _routed(
    log: MemoryLog, wanted: Callable[[LeadRouted], bool] = lambda routed: True
) -> tuple[int, int, LeadRouted]:
    merged = _merged(log)
    return _find(log, ROUTED, lambda routed: routed.lead_id not in merged and wanted(routed))


def _encoded(value: Any) -> bytes:
    record_type: Any = type(value)
    return codec_for(record_type).encode(value)


def _end(log: MemoryLog) -> int:
    """The append time of the last record."""
    return max(stored.timestamp for stored in log.history)


def _place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}/{partition}/{offset}"


# ---------------------------------------------------------------------- identity, accounts


def _one_identity_of_two_leads(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "intake.aliases.v1", lambda alias: alias.kind == "resolved"
    )
    assert isinstance(value, IdentityAlias)
    for lead in ("7" * 32, "8" * 32):
        again = codec_for(IdentityAlias).encode(replace(value, identity="5" * 32, lead_id=lead))
        last = _append(log, "intake.aliases.v1", partition, offset, value=again)
    return _place("intake.aliases.v1", partition, last - 1)


def _keep_a_merged_part(log: MemoryLog) -> str:
    """A lead ends in another, and its account is not notified."""
    stands = {
        part.lead_id: (partition, offset, part)
        for partition, offset, part in _all(log, "scorer.accounts.v1")
    }
    moved = {staged.lead_id for _, _, staged in _all(log, "leads.stages.v1")}
    number, place, part = next(
        row for lead, row in stands.items() if row[2].kind != "remove" and lead in moved
    )
    partition, like, staged = _find(
        log, "leads.stages.v1", lambda staged: staged.lead_id == part.lead_id
    )
    merged = _encoded(replace(staged, event="merged", to_stage=staged.from_stage))
    _append(log, "leads.stages.v1", partition, like, value=merged, timestamp=_end(log) - 10_000)
    return _place("scorer.accounts.v1", number, place)


def _miscount_an_account(log: MemoryLog) -> str:
    """Of the account that nobody has come to or left for the longest time."""
    joined: dict[tuple[str, str], int] = {}
    for *_, part in _all(log, "scorer.accounts.v1"):
        joined.setdefault((part.account_id, part.lead_id), part.at_ms)
    latest: dict[str, int] = {}
    for (account, _), at_ms in joined.items():
        latest[account] = max(at_ms, latest.get(account, 0))
    chosen = min(latest, key=latest.__getitem__)
    partition, offset, value = [
        row for row in _all(log, "accounts.scored.v1") if row[2].account_id == chosen
    ][-1]
    assert isinstance(value, AccountScored)
    _write(log, "accounts.scored.v1", partition, offset, replace(value, people=value.people + 1))
    return _place("accounts.scored.v1", partition, offset)


# ---------------------------------------------------------------------- hand-outs


def _hand_out_what_the_story_refuses(log: MemoryLog) -> str:
    partition, offset, value = _routed(log, lambda routed: not routed.hand_raised)
    story = replace(value.qualified.story, consents={"sales/any": "refused"})
    _write(
        log,
        ROUTED,
        partition,
        offset,
        replace(value, qualified=replace(value.qualified, story=story)),
    )
    return _place(ROUTED, partition, offset)


def _hand_out_what_was_refused(log: MemoryLog) -> str:
    """The refusal was accepted long before, and the story does not know of it."""
    partition, offset, value = _routed(log, lambda routed: not routed.hand_raised)
    at_ms = value.routed_at_ms - 5_000
    like = _find(log, "leads.accepted.v1")
    refusal = _encoded(_refusal(value.lead_id, at_ms))
    _append(
        log,
        "leads.accepted.v1",
        like[0],
        like[1],
        key=value.lead_id.encode(),
        value=refusal,
        timestamp=at_ms,
    )
    return _place(ROUTED, partition, offset)


def _hand_out_what_was_refused_before_a_separation(log: MemoryLog) -> str:
    """The refusal came with those whom the lead left, and the story does not know of it."""
    partition, offset, value = _routed(log, lambda routed: not routed.hand_raised)
    at_ms = value.routed_at_ms - 5_000
    place, like, book = _find(log, SCORER_TRANSFERS)
    book = replace(
        book, survivor=value.lead_id, events=(_refusal(value.lead_id, at_ms),), at_ms=at_ms
    )
    _append(
        log,
        SCORER_TRANSFERS,
        place,
        like,
        key=value.lead_id.encode(),
        value=_encoded(book),
        timestamp=at_ms,
    )
    return _place(ROUTED, partition, offset)


def _lose_a_refusal_at_a_separation(log: MemoryLog) -> str:
    """Somebody refuses, is separated, and nothing goes along."""
    merged = _merged(log)
    place, like, known = _find(log, INTAKE_LEADS, lambda heard: heard.lead_id not in merged)
    parting = LeadSeparation(
        separation_id="s", lead_id=known.lead_id, leaver="9" * 32, occurred_at_ms=1
    )
    blank = LeadInput(lead_id=known.lead_id, cause_id="s", occurred_at_ms=1)
    for said in (
        replace(blank, event=_refusal(known.lead_id, 1)),
        replace(blank, separation=parting),
    ):
        last = _append(
            log, INTAKE_LEADS, place, like, value=_encoded(said), timestamp=_end(log) - 10_000
        )
    return _place(INTAKE_LEADS, place, last)


def _refusal(lead_id: str, at_ms: int) -> LeadEvent:
    return LeadEvent(
        event_id="4" * 32,
        lead_id=lead_id,
        source="x",
        kind="consent",
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        consent=Consent(purpose="sales", channel="any", granted=False),
    )


def _forget_the_person(log: MemoryLog) -> str:
    """The event that made the lead qualify reported who it is, and the person who gets it is not
    named."""
    partition, offset, value = _routed(log)
    for number, place, reported in _all(log, "intake.leads.v1"):
        if isinstance(reported, LeadInput) and reported.cause_id == value.qualified.cause_id:
            _write(
                log,
                "intake.leads.v1",
                number,
                place,
                replace(reported, person=Person(phone="+49 30 1234567")),
            )
    return _place(ROUTED, partition, offset)


def _forget_the_profile(log: MemoryLog) -> str:
    partition, offset, value = _routed(log)
    story = replace(value.qualified.story, profile={})
    _write(
        log,
        ROUTED,
        partition,
        offset,
        replace(value, qualified=replace(value.qualified, story=story)),
    )
    return _place(ROUTED, partition, offset)


def _give_it_to_a_stranger(log: MemoryLog) -> str:
    partition, offset, value = _routed(log)
    _write(log, ROUTED, partition, offset, replace(value, owner="nobody-here"))
    return _place(ROUTED, partition, offset)


def _give_a_turn_to_a_guest(log: MemoryLog) -> str:
    partition, offset, value = _routed(log, lambda routed: routed.rule == "in_turn")
    _write(log, ROUTED, partition, offset, replace(value, owner="ae-greta"))
    return _place(ROUTED, partition, offset)


def _promise_another_deadline(log: MemoryLog) -> str:
    started = {
        clock.handoff_id: clock.started_at_ms
        for _, _, clock in _all(log, "leads.sla-clocks.v1")
        if isinstance(clock, SlaClock) and (clock.clock, clock.state) == ("accept", "running")
    }
    partition, offset, value = _routed(
        log,
        lambda routed: (
            routed.accept_by_ms is not None
            and started.get(routed.handoff_id) == routed.routed_at_ms
        ),
    )
    _write(
        log, ROUTED, partition, offset, replace(value, accept_by_ms=(value.accept_by_ms or 0) + 1)
    )
    return _place(ROUTED, partition, offset)


def _announce_a_change_that_never_comes(log: MemoryLog) -> str:
    gone = {
        value.lead_id
        for _, _, value in _all(log, "leads.stages.v1")
        if value.event in ("merged", "erased")
    }
    scored = {
        value.lead_id: (partition, offset, value)
        for partition, offset, value in _all(log, "leads.scored.v1")
    }
    partition, offset, value = next(row for lead, row in scored.items() if lead not in gone)
    assert isinstance(value, LeadScored)
    _write(
        log,
        "leads.scored.v1",
        partition,
        offset,
        replace(value, next_change_at_ms=_end(log) - 5_000),
    )
    return _place("leads.scored.v1", partition, offset)


def _keep_the_load(log: MemoryLog) -> None:
    """No hand-off is given back to its pool."""
    codec = codec_for(QueueItem)
    for partition in range(log.partitions_of("router.queue.v1")):
        kept = [
            stored
            for stored in log.records("router.queue.v1", partition)
            if codec.decode(stored.value or b"").kind != "release"
        ]
        log._records["router.queue.v1", partition] = [
            stored._replace(offset=number) for number, stored in enumerate(kept)
        ]


# ---------------------------------------------------------------------- acts, returns, erasure


def _judge_another_hand_off(log: MemoryLog) -> str:
    acts = {
        value.event_id: value for _, _, value in _all(log, "leads.acts.v1") if value.act.handoff_id
    }
    partition, offset, value = _find(
        log, "leads.stages.v1", lambda staged: staged.cause_id in acts and staged.handoff_id
    )
    _write(log, "leads.stages.v1", partition, offset, replace(value, handoff_id="3" * 32))
    return _place("leads.stages.v1", partition, offset)


def _let_another_person_answer(log: MemoryLog) -> None:
    """The hand-off was somebody else's."""
    for topic in (ROUTED, "leads.routed.sales.v1"):
        for partition, offset, value in _all(log, topic):
            _write(
                log,
                topic,
                partition,
                offset,
                replace(value, owner="sdr-cleo" if value.owner != "sdr-cleo" else "sdr-ben"),
            )


def _return_a_second_late(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.recycled.v1", lambda recycled: recycled.outcome == "recycle"
    )
    _write(
        log,
        "leads.recycled.v1",
        partition,
        offset,
        replace(value, return_at_ms=value.return_at_ms + 1_000),
    )
    return _place("leads.recycled.v1", partition, offset)


def _return_too_early(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.reactivated.v1", lambda back: back.reason == "return_date"
    )
    _write(
        log, "leads.reactivated.v1", partition, offset, replace(value, at_ms=value.at_ms - 60_000)
    )
    return _place("leads.reactivated.v1", partition, offset)


def _score_after_an_erasure(log: MemoryLog) -> str:
    moved = {staged.lead_id for _, _, staged in _all(log, "leads.stages.v1")}
    partition, offset, value = _find(log, "leads.scored.v1", lambda scored: scored.lead_id in moved)
    lead = value.lead_id
    _, like, staged = _find(log, "leads.stages.v1", lambda staged: staged.lead_id == lead)
    erased = _encoded(replace(staged, event="erased", to_stage=staged.from_stage))
    _append(log, "leads.stages.v1", partition, like, value=erased, timestamp=_end(log) - 10_000)
    again = _append(log, "leads.scored.v1", partition, offset, timestamp=_end(log) - 5_000)
    return _place("leads.scored.v1", partition, again)


def _forget_an_erasure(log: MemoryLog) -> str:
    merged = _merged(log)
    partition, offset, value = _find(
        log, "leads.accepted.v1", lambda event: event.lead_id not in merged
    )
    wish = codec_for(LeadEvent).encode(
        replace(value, kind="erasure", event_id="2" * 32, engagement=None)
    )
    again = _append(log, "leads.accepted.v1", partition, offset, value=wish)
    return _place("leads.accepted.v1", partition, again)


# ---------------------------------------------------------------------- goals


def _count_a_tally_twice(log: MemoryLog) -> str:
    last = {
        value.goal: (partition, offset, value)
        for partition, offset, value in _all(log, "goals.progress.v1")
    }
    partition, offset, value = next(row for row in last.values() if row[2].achieved)
    assert isinstance(value, GoalProgress)
    _write(log, "goals.progress.v1", partition, offset, replace(value, achieved=value.achieved + 1))
    return _place("goals.progress.v1", partition, offset)


def _count_a_tally_twice(log: MemoryLog) -> str:
    partition, offset, _ = _find(log, "sla.tallies.v1", lambda tally: tally.metric == "mql")
    return _place("sla.tallies.v1", partition, _append(log, "sla.tallies.v1", partition, offset))


def _count_what_never_happened(log: MemoryLog) -> str:
    partition, offset, value = _find(log, "sla.tallies.v1", lambda tally: tally.metric == "mql")
    more = _encoded(replace(value, tally_id="1" * 32))
    return _place(
        "sla.tallies.v1",
        partition,
        _append(log, "sla.tallies.v1", partition, offset, value=more, timestamp=log.now),
    )


def _count_one_less(log: MemoryLog) -> None:
    merged = _merged(log)
    partition, offset, value = _find(
        log, "sla.tallies.v1", lambda tally: tally.metric == "mql" and tally.lead_id not in merged
    )
    _put(log, "sla.tallies.v1", partition, offset, value=_encoded(replace(value, lead_id="0" * 32)))


def _judge_late_what_came_in_time(log: MemoryLog) -> str:
    """A clock that was met is said to be broken, with the deadline it had."""
    partition, offset, value = _find(
        log,
        "leads.sla-clocks.v1",
        lambda clock: (clock.clock, clock.state) == ("accept", "met") and not clock.inferred,
    )
    _write(log, "leads.sla-clocks.v1", partition, offset, replace(value, state="breached"))
    return _place("leads.sla-clocks.v1", partition, offset)


def _break_half_a_second_early(log: MemoryLog) -> str:
    """The breach is recorded when it is due, and says itself that it was decided before."""
    partition, offset, value = _find(
        log, "leads.sla-violations.v1", lambda violation: violation.kind == "breach"
    )
    early = replace(value, at_ms=value.deadline_ms - 500)
    _write(log, "leads.sla-violations.v1", partition, offset, early)
    return _place("leads.sla-violations.v1", partition, offset)


def _count_a_load_that_nobody_has(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, ROUTER_ANSWERS, lambda answer: answer.routed is not None and answer.routed.turn_used
    )
    heavier = tuple(
        replace(candidate, load=candidate.load + 50) for candidate in value.routed.candidates
    )
    routed = replace(value.routed, candidates=heavier)
    _write(log, ROUTER_ANSWERS, partition, offset, replace(value, routed=routed))
    return _place(ROUTER_ANSWERS, partition, offset)


def _ask_somebody_away(log: MemoryLog) -> str:
    partition, offset, value = _routed(log, lambda routed: by_turn(routed.rule))
    away = PeopleRecord(
        record_id="off",
        person=value.owner,
        from_ms=value.routed_at_ms - 1,
        until_ms=value.routed_at_ms + 1,
    )
    log.records("baton.people.v1", 0).insert(
        0,
        Stored("baton.people.v1", 0, 0, value.routed_at_ms - 20_000, b"off", _encoded(away), ()),
    )
    return _place(ROUTED, partition, offset)


def _ask_a_rejecter_as_if_nothing_was(log: MemoryLog) -> str:
    partition, offset, value = _routed(log, lambda routed: routed.rule == "in_turn")
    story = replace(value.qualified, rejecters=(value.owner,))
    _write(log, ROUTED, partition, offset, replace(value, qualified=story))
    return _place(ROUTED, partition, offset)


def _forget_the_cool_off(log: MemoryLog) -> str:
    partition, offset, value = _find(
        log, "leads.recycled.v1", lambda recycled: recycled.cool_off_until_ms is not None
    )
    sooner = replace(value, cool_off_until_ms=value.cool_off_until_ms - 1)
    _write(log, "leads.recycled.v1", partition, offset, sooner)
    return _place("leads.recycled.v1", partition, offset)


def _overflow_in_a_circle(log: MemoryLog) -> str:
    partition, offset, value = _find(log, "router.queue.v1", lambda item: item.kind == "request")
    circle = replace(value, overflowed_from=(value.pool, "helpers"))
    _write(log, "router.queue.v1", partition, offset, circle)
    return _place("router.queue.v1", partition, offset)


PLANTED: list[tuple[Invariant, Callable[[MemoryLog], str | None]]] = [
    (Invariant.IDENTITY, _one_identity_of_two_leads),
    (Invariant.ACCOUNTS, _keep_a_merged_part),
    (Invariant.ACCOUNTS, _miscount_an_account),
    (Invariant.CONSENT, _hand_out_what_the_story_refuses),
    (Invariant.CONSENT, _hand_out_what_was_refused),
    (Invariant.CONSENT, _hand_out_what_was_refused_before_a_separation),
    (Invariant.PARTED, _lose_a_refusal_at_a_separation),
    (Invariant.BROUGHT, _forget_the_person),
    (Invariant.BROUGHT, _forget_the_profile),
    (Invariant.EMPLOYED, _give_it_to_a_stranger),
    (Invariant.EMPLOYED, _give_a_turn_to_a_guest),
    (Invariant.PROMISED, _promise_another_deadline),
    (Invariant.PROMISED, _announce_a_change_that_never_comes),
    (Invariant.RELEASED, _keep_the_load),
    (Invariant.JUDGED, _judge_another_hand_off),
    (Invariant.JUDGED, _let_another_person_answer),
    (Invariant.RETURNS, _return_a_second_late),
    (Invariant.RETURNS, _return_too_early),
    (Invariant.ERASED, _score_after_an_erasure),
    (Invariant.ERASED, _forget_an_erasure),
    (Invariant.TALLIES, _count_a_tally_twice),
    (Invariant.TALLIES, _count_a_tally_twice),
    (Invariant.VERDICTS, _count_what_never_happened),
    (Invariant.VERDICTS, _count_one_less),
    (Invariant.LATENESS, _judge_late_what_came_in_time),
    (Invariant.CLOCKS, _break_half_a_second_early),
    (Invariant.LOADS, _count_a_load_that_nobody_has),
    (Invariant.PRESENT, _ask_somebody_away),
    (Invariant.REJECTERS, _ask_a_rejecter_as_if_nothing_was),
    (Invariant.RETURNS, _forget_the_cool_off),
    (Invariant.OVERFLOW, _overflow_in_a_circle),
]


@pytest.mark.parametrize(
    ("invariant", "plant"), PLANTED, ids=[plant.__name__.strip("_") for _, plant in PLANTED]
)
def test_a_planted_bug_is_found_from_the_facts_alone(
    log: MemoryLog, invariant: Invariant, plant: Callable[[MemoryLog], str | None]
) -> None:
    assert invariant not in audited(log, recompute=False).broken
    place = plant(log)
    found = [
        finding
        for finding in audited(log, recompute=False).findings
        if finding.invariant is invariant
    ]
    assert found
    if place is not None:
        assert place in {str(finding.place) for finding in found}


def test_every_invariant_has_a_planted_bug_a_meaning_and_a_basis() -> None:
    elsewhere = {Invariant.ACKNOWLEDGED, Invariant.OFFERS, Invariant.PERSON_LIMITS}
    """Tested in tests/simulation/test_audit.py, tests/audit/test_pools.py and
    tests/audit/test_limits_across_pools.py."""
    assert (
        {invariant for invariant, _ in (*PLANTED_BEFORE, *PLANTED)} | elsewhere
        == set(Invariant)
        == set(MEANING)
    )
    assert {invariant for invariant in Invariant if basis_of(invariant) is Basis.RECOMPUTED} == {
        Invariant.REBUILT,
        Invariant.STATE,
    }


def test_the_merges_that_the_bugs_need_are_in_the_run(sound: MemoryLog) -> None:
    assert any(isinstance(value, LeadMerge) for _, _, value in _all(sound, "leads.merges.v1"))

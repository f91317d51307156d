"""dispatch: what happens to a hand-off in every state, for everything that can happen; and that
nothing happens twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.routing import HandoffNoted, HandoffRequest, LeadRouted, LeadUnrouted
from baton.contracts.streams import answer
from baton.engine.reducer import EntryKind, Event, Step
from services.router.dispatch.reducer import Dispatch
from services.router.dispatch.state import OPEN_QUALIFICATION, DispatchState, HandoffState
from services.router.dispatch.transitions import TABLE, Trigger
from tests.services.router.router_world import (
    MINUTE,
    MONDAY_0900,
    PEOPLE,
    action,
    agreement,
    command,
    handoff_id,
    qualification_id,
    qualified,
    staged,
)
from tests.streams import stream_of

REFERENCE = reference_of(agreement())
LEAD = "lead"


@dataclass
class Lead:
    """One key of dispatch: a view over plain values, to which steps are applied."""

    key: str = LEAD
    head: DispatchState | None = None
    wake_at: int | None = None
    cause: str = "cause"
    proven: bool = True
    now: int = MONDAY_0900
    entries: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        return self.entries.get((kind.name, item))

    def scan(self, kind: EntryKind[Any], **_: Any) -> Sequence[tuple[str, Any]]:
        raise AssertionError("dispatch scans nothing")

    def count(self, kind: EntryKind[Any]) -> int:
        return sum(name == kind.name for name, _ in self.entries)

    def take(self, value: Any) -> list[str]:
        """Let dispatch read ``value`` now; what it said, in words."""
        self.now += MINUTE
        if isinstance(value, LeadRouted | LeadUnrouted):
            value = answer(value)
        else:
            _, value = stream_of(value)
        event = Event(
            topic="",
            partition=0,
            offset=0,
            key=LEAD,
            value=value,
            id="e",
            at_ms=self.now,
            received_at_ms=self.now,
        )
        return self.apply(Dispatch().step(self, event, now=self.now, reference=REFERENCE))

    def apply(self, step: Step[DispatchState]) -> list[str]:
        self.head = step.head
        for put in step.put:
            self.entries[put.kind.name, put.item] = put.value
        for drop in step.drop:
            self.entries.pop((drop.kind.name, drop.item), None)
        return [words(fact.value) for fact in step.facts if fact.topic != "router.handoffs.v1"]

    @property
    def state(self) -> str:
        current = self.head.current if self.head else None
        return f"{current.state}#{current.attempt}" if current else "none"


def words(value: Any) -> str:
    match value:
        case HandoffRequest():
            more = [value.person, value.pool, value.reason, value.fault]
            more += [f"not {'+'.join(value.exclude)}" if value.exclude else None]
            more += [
                f"watch {value.watcher}" if value.watcher else None,
                f"owner {value.owner}" if value.owner else None,
                f"deputy {value.deputy}" if value.deputy else None,
            ]
            return " ".join([f"{value.kind}#{value.attempt}", *(fact for fact in more if fact)])
        case HandoffNoted():
            return f"{value.kind}#{value.attempt}({value.reason})"
        case LeadRouted():
            return f"routed#{value.attempt}({value.owner})"
        case LeadUnrouted():
            return f"unrouted#{value.attempt}({value.outcome})"
        case other:
            raise AssertionError(f"dispatch does not say {type(other).__name__}")


def routed(attempt: int = 1, owner: str = "ann", **more: Any) -> LeadRouted:
    base = LeadRouted(
        handoff_id=handoff_id(LEAD, attempt),
        qualification_id=qualification_id(LEAD),
        attempt=attempt,
        lead_id=LEAD,
        cycle=1,
        leg="sdr",
        pool="bridge",
        owner=owner,
        level="warm",
        segment=None,
        hand_raised=False,
        routed_at_ms=MONDAY_0900,
        qualified_at_ms=MONDAY_0900,
        path=(),
        candidates=(),
        rule="in_turn",
        turn_used=True,
        qualified=qualified(LEAD),
        agreement="v",
    )
    return replace(base, **more)


def unrouted(outcome: str, attempt: int = 1) -> LeadUnrouted:
    return LeadUnrouted(
        handoff_id=handoff_id(LEAD, attempt),
        qualification_id=qualification_id(LEAD),
        attempt=attempt,
        lead_id=LEAD,
        cycle=1,
        outcome=outcome,
        reason="competitor" if outcome == "suppressed" else "closed",
        pool=None if outcome == "suppressed" else "bridge",
        at_ms=MONDAY_0900,
        path=(),
        candidates=(),
        agreement="v",
        watcher="olaf" if outcome == "watch" else None,
        leg="sdr",
    )


OPENED = (qualified(LEAD),)
OFFERED = (*OPENED, routed())
ACCEPTED = (*OFFERED, staged(LEAD, "accepted", by="ann"))
STATES: dict[str, tuple[Any, ...]] = {
    "none": (),
    "requested": OPENED,
    "held": (*OPENED, unrouted("held")),
    "watched": (*OPENED, unrouted("watch")),
    "offered": OFFERED,
    "accepted": ACCEPTED,
    "returned": (*OFFERED, staged(LEAD, "rejected", by="ann", reason="not_icp")),
    "closed": (*ACCEPTED, staged(LEAD, "won", by="ann")),
    "second asked": (*OFFERED, action(LEAD, "reassign", at=MONDAY_0900 + 3 * MINUTE)),
    "second offered": (
        *OFFERED,
        action(LEAD, "reassign", at=MONDAY_0900 + 3 * MINUTE),
        routed(2, "bob"),
    ),
}
LATER = MONDAY_0900 + 60 * MINUTE
EVENTS: dict[str, Any] = {
    "qualified again": qualified(LEAD),
    "qualified for sales": qualified(LEAD, leg="sales", n=1),
    "qualified anew": qualified(LEAD, cycle=2),
    "routed": routed(),
    "held": unrouted("held"),
    "watched": unrouted("watch"),
    "suppressed": unrouted("suppressed"),
    "recalled": unrouted("recalled"),
    "relieved": replace(unrouted("relieved"), reason="absence", deputy="bob"),
    "accepted": staged(LEAD, "accepted", by="ann"),
    "accepted without id": staged(LEAD, "accepted", by="ann", attempt=None),
    "rejected": staged(LEAD, "rejected", by="ann", reason="not_icp"),
    "rejected as misrouted": staged(LEAD, "rejected", by="ann", reason="misrouted"),
    "accepted by a stranger": staged(LEAD, "accepted", by="ghost"),
    "accepted by another team": staged(LEAD, "accepted", by="rex"),
    "misrouted by another team": staged(LEAD, "rejected", by="rex", reason="misrouted"),
    "hand raised": staged(LEAD, "hand_raised", attempt=None, level="hot", hand_raised=True),
    "hand raised before": staged(
        LEAD, "hand_raised", attempt=None, level="hot", qualification_id="another"
    ),
    "consent refused": staged(
        LEAD, "consent_changed", attempt=None, consents={"sales/any": "refused"}
    ),
    "sql": staged(LEAD, "qualified", by="ann"),
    "withdrawn": staged(LEAD, "withdrawn", attempt=None, reason="cooled"),
    "recycled": staged(LEAD, "recycled", attempt=None, reason="no_budget", by="ann"),
    "disqualified": staged(LEAD, "disqualified", attempt=None, reason="bad_data"),
    "won": staged(LEAD, "won", by="ann"),
    "merged": staged(LEAD, "merged", attempt=None),
    "erased": staged(LEAD, "erased", attempt=None),
    "reassign": action(LEAD, "reassign", at=LATER, n=1, exclude=("rex",)),
    "manager_queue": action(LEAD, "manager_queue", at=LATER),
    "restore": action(LEAD, "restore", at=LATER),
    "notify": action(LEAD, "notify", at=LATER),
    "claim": command(LEAD, "claim", "bob"),
    "pass_on": command(LEAD, "pass_on", "ann", to_person="cid"),
    "assign": command(LEAD, "assign", "mona", to_person="sue"),
}


def outcome(state: str, event: str) -> str:
    lead = Lead()
    for value in STATES[state]:
        lead.take(value)
    said = lead.take(EVENTS[event])
    return "; ".join([lead.state, *said])


EXPECTED = {
    (state.strip(), event.strip()): outcome.strip()
    for line in Path(__file__).with_name("dispatch_table.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
    for state, event, outcome in [line.split("|")]
}


@pytest.mark.parametrize(
    ("state", "event"), [(state, event) for state in STATES for event in EVENTS]
)
def test_every_event_in_every_state_has_the_outcome_of_the_table(state: str, event: str) -> None:
    assert outcome(state, event) == EXPECTED[state, event]


def test_the_table_has_no_line_that_nothing_tests() -> None:
    assert set(EXPECTED) == {(state, event) for state in STATES for event in EVENTS}


def test_every_pair_of_state_and_trigger_has_a_move() -> None:
    assert set(TABLE) == {
        (state, trigger) for state in (None, *HandoffState) for trigger in Trigger
    }


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_the_same_event_again_asks_and_releases_nothing_more(state: str, event: str) -> None:
    lead = Lead()
    for value in (*STATES[state], EVENTS[event]):
        lead.take(value)
    before = lead.state
    again = lead.take(EVENTS[event])
    assert (
        lead.state,
        [text for text in again if text.startswith(("request", "release", "accepted"))],
    ) == (before, [])


@pytest.mark.parametrize(
    "end", ["won", "merged", "erased", "recycled", "withdrawn", "disqualified"]
)
def test_a_hand_off_is_closed_exactly_once(end: str) -> None:
    lead = Lead()
    for value in ACCEPTED:
        lead.take(value)
    said = [
        take
        for event in (end, "recycled", "erased", "merged", end)
        for take in lead.take(EVENTS[event])
    ]
    assert [fact for fact in said if fact.startswith("release")] == said[:1]
    assert lead.state == "closed#1"


def test_an_erased_lead_is_never_handed_to_anybody_again() -> None:
    lead = Lead()
    for value in (*OFFERED, EVENTS["erased"]):
        lead.take(value)
    assert lead.take(qualified(LEAD, cycle=2)) == []
    assert lead.take(routed()) == []
    assert lead.count(OPEN_QUALIFICATION) == 0


def test_a_merged_lead_is_handed_over_again_only_if_it_qualifies_after_the_merge() -> None:
    lead = Lead()
    for value in (*OFFERED, EVENTS["merged"]):
        lead.take(value)
    assert lead.take(routed()) == []
    assert lead.count(OPEN_QUALIFICATION) == 0
    assert lead.take(qualified(LEAD, cycle=2)) == ["request#1"]


@pytest.mark.parametrize("end", ["withdrawn", "recycled", "disqualified", "won"])
def test_an_end_ends_the_qualification_that_it_names_and_no_other(end: str) -> None:
    lead = Lead()
    lead.take(qualified(LEAD))
    lead.take(qualified(LEAD, n=1))
    assert lead.take(EVENTS[end]) == []
    assert lead.state == "requested#1"
    assert lead.take(replace(EVENTS[end], qualification_id=qualification_id(LEAD, n=1)))[
        0
    ].startswith("release#1")


def test_nothing_of_a_person_is_kept_once_the_hand_off_is_closed() -> None:
    lead = Lead()
    for value in ACCEPTED:
        lead.take(value)
    assert lead.count(OPEN_QUALIFICATION) == 1
    lead.take(EVENTS["recycled"])
    assert lead.count(OPEN_QUALIFICATION) == 0


def test_an_acceptance_wins_over_a_reassignment_that_was_decided_without_knowing_it() -> None:
    lead = Lead()
    for value in OFFERED:
        lead.take(value)
    lead.take(EVENTS["accepted"])
    assert lead.take(action(LEAD, "reassign", at=lead.now)) == ["refused#1(accepted)"]
    assert lead.state == "accepted#1"
    assert (
        lead.take(action(LEAD, "reassign", at=lead.now + 1, n=1))[0]
        == "release#1 ann reassigned breach"
    )


def test_a_reassignment_that_was_decided_before_a_rejection_gives_way_to_it() -> None:
    lead = Lead()
    for value in STATES["returned"]:
        lead.take(value)
    assert lead.take(action(LEAD, "reassign", at=lead.now - 1)) == ["refused#1(rejected)"]
    assert lead.take(action(LEAD, "reassign", at=lead.now, n=1)) == ["request#2 reassigned not ann"]


def test_attempts_are_never_numbered_twice() -> None:
    lead = Lead()
    for value in STATES["second offered"]:
        lead.take(value)
    lead.take(EVENTS["accepted"])
    lead.take(action(LEAD, "reassign", at=lead.now + 1, n=7))
    assert lead.state == "requested#3"


def test_a_move_of_an_older_cycle_does_not_touch_the_hand_off_of_the_new_one() -> None:
    lead = Lead()
    for value in (*ACCEPTED, qualified(LEAD, cycle=2)):
        lead.take(value)
    assert lead.take(EVENTS["recycled"]) == []
    assert lead.state == "requested#1"


def test_who_holds_an_open_cycle_is_asked_first_when_it_qualifies_again() -> None:
    lead = Lead()
    for value in ACCEPTED:
        lead.take(value)
    assert lead.take(qualified(LEAD, n=1, level="hot", raised=True)) == [
        "release#1 ann requalified",
        "withdrawn#1(requalified)",
        "request#1 owner ann",
    ]


def test_an_owner_who_left_is_relieved_when_the_agreement_says_so() -> None:
    gone = reference_of(agreement(people={**PEOPLE, "ann": {"name": "Ann", "active": False}}))
    lead = Lead()
    for value in ACCEPTED:
        lead.take(value)
    step = Dispatch().adopt(lead, old="v", new=gone, now=lead.now)
    assert lead.apply(step) == [
        "release#1 ann owner_left no_fault",
        "withdrawn#1(owner_left)",
        "request#2 owner_left not ann",
    ]
    assert Dispatch().adopt(Lead(), old="v", new=gone, now=lead.now) == Step(head=None)


def test_ids_follow_from_the_qualification_and_the_attempt() -> None:
    lead = Lead()
    lead.take(qualified(LEAD))
    lead.take(routed())
    lead.take(action(LEAD, "reassign", at=LATER))
    assert lead.head is not None
    assert [former.handoff_id for former in (*lead.head.former, lead.head.current) if former] == [
        handoff_id(LEAD),
        handoff_id(LEAD, 2),
    ]


def test_what_is_remembered_of_a_lead_is_bounded() -> None:
    lead = Lead()
    for number in range(60):
        lead.take(qualified(LEAD, cycle=number))
    assert lead.head is not None
    assert (len(lead.head.former), len(lead.head.done)) == (12, 24)

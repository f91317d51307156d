"""Custody, fact by fact: on its way is no orphan, too long on its way is, and who is held again is
reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.amounts import Amount
from baton.contracts.codec import codec_for
from baton.contracts.custody import (
    IN_FLIGHT_MS,
    Holder,
    HolderKind,
    Holding,
    Missing,
    holder_of,
    updated,
)
from baton.contracts.leads import LeadStaged
from baton.contracts.metric_catalogue import Business
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadOrphan, LeadReactivated, LeadRecycled
from baton.contracts.streams import HandoffChange, LeadDecision, SlaDecision
from baton.contracts.topics import TOPICS
from baton.engine.core import Core
from services.sla_watcher.custody.reducer import Custody
from tests.engine.test_input_merge import Fetched
from tests.services.router.router_world import (
    MINUTE,
    MONDAY_0900,
    Book,
    agreement,
    handoff_id,
    qualified,
)
from tests.streams import move_of, stream_of

DAY = 24 * 60 * MINUTE
Q = qualified("l1")
HANDOFF, SECOND = handoff_id("l1"), "b" * 32
AT: dict[str, Any] = {"at_ms": 1, "cause_id": "c", "agreement": "v"}


def routed(
    owner: str, *, handoff: str = HANDOFF, attempt: int = 1, qualification: str = Q.qualification_id
) -> LeadRouted:
    return LeadRouted(
        handoff_id=handoff,
        qualification_id=qualification,
        attempt=attempt,
        lead_id="l1",
        cycle=1,
        leg="sdr",
        pool="bridge",
        owner=owner,
        level="warm",
        segment=None,
        hand_raised=False,
        routed_at_ms=1,
        qualified_at_ms=1,
        path=(),
        candidates=(),
        rule="in_turn",
        turn_used=True,
        qualified=Q,
        agreement="v",
    )


def unrouted(
    outcome: str = "held", *, handoff: str = HANDOFF, attempt: int = 1, watcher: str | None = None
) -> LeadUnrouted:
    return LeadUnrouted(
        handoff_id=handoff,
        qualification_id=Q.qualification_id,
        attempt=attempt,
        lead_id="l1",
        cycle=1,
        outcome=outcome,
        reason="r",
        pool="bridge",
        at_ms=1,
        path=(),
        candidates=(),
        agreement="v",
        watcher=watcher,
    )


def staged(
    event: str,
    stage: str,
    actor: str = "sdr",
    *,
    by: str | None = "ann",
    cycle: int = 1,
    **more: Any,
) -> LeadStaged:
    more = {"handoff_id": HANDOFF, "qualification_id": Q.qualification_id} | more
    more = {"cycle": cycle, "actor": actor, "by": by, **AT} | more
    return move_of("l1", event, after=stage, occurred_at_ms=1, evidence_at_ms=1, **more)


def noted(
    kind: str, reason: str, *, handoff: str = HANDOFF, owner: str | None = None
) -> HandoffNoted:
    return HandoffNoted(
        handoff_id=handoff,
        qualification_id=Q.qualification_id,
        attempt=1,
        lead_id="l1",
        kind=kind,
        reason=reason,
        owner=owner,
        **AT,
    )


def recycled(return_at_ms: int | None, *, cycle: int = 1, outcome: str = "recycle") -> LeadRecycled:
    return LeadRecycled(
        recycle_id=f"r{cycle}",
        lead_id="l1",
        cycle=cycle,
        outcome=outcome,
        reason="no_budget",
        track="calm",
        return_at_ms=return_at_ms,
        qualification_id=Q.qualification_id,
        **AT,
    )


def back(return_at_ms: int | None, *, recycle_id: str = "r1") -> LeadReactivated:
    return LeadReactivated(
        lead_id="l1",
        cycle=1,
        recycle_id=recycle_id,
        reason="return_date",
        return_at_ms=return_at_ms,
        **AT,
    )


def nobody(missing: Missing) -> Holder:
    return Holder(kind=HolderKind.NOBODY, missing=missing)


ANN, BOB = (Holder(kind=HolderKind.PERSON, who=name) for name in ("ann", "bob"))
QUEUE = Holder(kind=HolderKind.QUEUE, who="bridge")
CALM = Holder(kind=HolderKind.NURTURE, who="calm", next_at_ms=9)
MQL = staged("qualified", "mql", "system", by=None, handoff_id=None)
PERSON_RECYCLES = staged("recycled", "recycled")
SYSTEM_RECYCLES = staged("recycled", "recycled", "system", by=None)
WITHDRAWN = staged("withdrawn", "inquiry", "system", by=None)
STORIES: list[tuple[str, list[Any], Holder]] = [
    ("qualified, in either order of its two records", [MQL, Q], nobody(Missing.ROUTE)),
    ("qualified, the other way round", [Q, MQL], nobody(Missing.ROUTE)),
    ("handed to somebody", [Q, MQL, routed("ann")], ANN),
    (
        "of another qualification",
        [Q, MQL, routed("ann", qualification="z" * 32)],
        nobody(Missing.ROUTE),
    ),
    ("waits in the pool's queue", [Q, MQL, unrouted()], QUEUE),
    ("waits, and then somebody is free", [Q, MQL, unrouted(), routed("ann")], ANN),
    (
        "the same, reported in the other order in one millisecond",
        [Q, MQL, routed("ann"), unrouted()],
        ANN,
    ),
    (
        "in a human's fallback queue",
        [Q, MQL, unrouted("watch", watcher="olaf")],
        Holder(kind=HolderKind.QUEUE, who="olaf"),
    ),
    (
        "held where nobody will ever be able to take it",
        [Q, MQL, replace(unrouted("held"), reason="nobody_ever:lacks_skill")],
        nobody(Missing.STRANDED),
    ),
    ("suppressed, which ends somewhere", [Q, MQL, unrouted("suppressed")], nobody(Missing.ROUTE)),
    ("accepted", [Q, MQL, routed("ann"), staged("accepted", "tal")], ANN),
    ("taken out of the queue", [Q, MQL, unrouted(), staged("accepted", "tal", by="bob")], BOB),
    ("rejected", [Q, MQL, routed("ann"), staged("rejected", "mql")], nobody(Missing.DECISION)),
    (
        "rejected, and on to another",
        [
            Q,
            MQL,
            routed("ann"),
            staged("rejected", "mql"),
            routed("bob", handoff=SECOND, attempt=2),
        ],
        BOB,
    ),
    (
        "the same, reported in the other order in one millisecond",
        [
            Q,
            MQL,
            routed("ann"),
            routed("bob", handoff=SECOND, attempt=2),
            staged("rejected", "mql"),
        ],
        BOB,
    ),
    (
        "taken back",
        [Q, MQL, routed("ann"), noted("withdrawn", "reassigned")],
        nobody(Missing.HOLDER),
    ),
    (
        "a former one is taken back",
        [Q, MQL, routed("ann"), noted("withdrawn", "r", handoff=SECOND)],
        ANN,
    ),
    (
        "a former one stands again",
        [
            Q,
            MQL,
            routed("ann"),
            routed("bob", handoff=SECOND, attempt=2),
            noted("noted", "reinstated", owner="ann"),
        ],
        ANN,
    ),
    ("a wish that was refused", [Q, MQL, routed("ann"), noted("refused", "stale_handoff")], ANN),
    (
        "an answer to a former attempt",
        [Q, MQL, routed("bob", handoff=SECOND, attempt=2), routed("ann")],
        BOB,
    ),
    (
        "recycled by a person, no date yet",
        [Q, MQL, routed("ann"), PERSON_RECYCLES],
        nobody(Missing.TRACK),
    ),
    (
        "recycled by a person, and planned",
        [Q, MQL, routed("ann"), PERSON_RECYCLES, recycled(9)],
        CALM,
    ),
    ("planned, and carried out", [Q, MQL, routed("ann"), recycled(9), SYSTEM_RECYCLES], CALM),
    (
        "planned while a person said so too",
        [Q, MQL, routed("ann"), recycled(9), PERSON_RECYCLES],
        CALM,
    ),
    ("planned without a date", [Q, MQL, PERSON_RECYCLES, recycled(None)], nobody(Missing.TRACK)),
    ("withdrawn, no date yet", [Q, MQL, WITHDRAWN], nobody(Missing.TRACK)),
    ("withdrawn, and planned", [Q, MQL, WITHDRAWN, recycled(9)], CALM),
    ("came back, with a further date", [Q, MQL, WITHDRAWN, recycled(5), back(9)], CALM),
    ("another rest came back", [Q, MQL, WITHDRAWN, recycled(9), back(None, recycle_id="r7")], CALM),
    (
        "qualified again in its cycle and withdrawn again: the former date is over",
        [
            Q,
            MQL,
            WITHDRAWN,
            recycled(9),
            qualified("l2"),
            staged("withdrawn", "inquiry", qualification_id="z"),
        ],
        nobody(Missing.TRACK),
    ),
    (
        "disqualified",
        [Q, MQL, staged("disqualified", "disqualified", reason="student")],
        Holder(kind=HolderKind.END, who="student"),
    ),
    (
        "disqualified, nobody knows why",
        [Q, MQL, staged("disqualified", "disqualified")],
        nobody(Missing.REASON),
    ),
    (
        "disqualified, and then it changed its mind about consent",
        [
            Q,
            MQL,
            staged("disqualified", "disqualified", reason="student"),
            staged("consent_changed", "disqualified", "system"),
        ],
        Holder(kind=HolderKind.END, who="student"),
    ),
    (
        "won",
        [Q, MQL, routed("ann"), staged("won", "customer", "sales")],
        Holder(kind=HolderKind.END, who="customer"),
    ),
    (
        "an opportunity out of nowhere",
        [staged("opportunity", "opportunity", "sales", by="bob", handoff_id=None)],
        BOB,
    ),
    (
        "merged into another",
        [Q, MQL, staged("merged", "mql", "system", by=None)],
        Holder(kind=HolderKind.LEAD),
    ),
    (
        "erased, and nothing brings it back",
        [Q, MQL, staged("erased", "mql", "system"), PERSON_RECYCLES],
        Holder(kind=HolderKind.END, who="erased"),
    ),
]


@pytest.mark.parametrize(
    ("facts", "holder"), [story[1:] for story in STORIES], ids=[story[0] for story in STORIES]
)
def test_who_holds_a_lead(facts: list[Any], holder: Holder) -> None:
    holding = Holding()
    for fact in facts:
        holding = updated(holding, stream_of(fact)[1])
    assert holder_of(holding) == holder


class Post:
    """Custody alone, as the host runs it; every batch is committed."""

    def __init__(self) -> None:
        self.core = Core(Custody(), Book(reference_of(agreement())))
        self.offsets: dict[str, int] = {}
        self.changelog: list[tuple[bytes, bytes | None]] = []

    def hear(self, at_ms: int, *facts: Any) -> tuple[list[LeadOrphan], float]:
        """What it says to these facts, and by how much ``baton_orphans`` changes."""
        self.core.begin(0)
        for fact in facts:
            topic, record = stream_of(fact)
            offset = self.offsets.get(topic, 0)
            self.offsets[topic] = offset + 1
            self.core.process(
                topic,
                Fetched(
                    offset, MONDAY_0900 + at_ms, b"l1", codec_for(type(record)).encode(record), ()
                ),
            )
        self.core.advance(MONDAY_0900 + at_ms)
        batch = self.core.seal()
        assert batch is not None
        self.core.commit()
        self.changelog += batch.changelog
        change = batch.counts.measured.get((Business.ORPHANS, ()), 0)
        return [
            codec_for(LeadOrphan).decode(outgoing.value or b"") for outgoing in batch.outgoing
        ], change


def test_on_its_way_is_no_orphan_and_too_long_on_its_way_is_until_somebody_has_it() -> None:
    post = Post()
    assert post.hear(0, Q, MQL) == ([], 0)
    assert post.hear(IN_FLIGHT_MS - 1) == ([], 0)
    (found,), change = post.hear(IN_FLIGHT_MS)
    assert (found.kind, found.cause, found.since_ms, found.holder) == (
        "found",
        Missing.ROUTE,
        MONDAY_0900,
        None,
    )
    assert (found.stage, found.cycle, found.qualification_id, change) == (
        "mql",
        1,
        Q.qualification_id,
        1,
    )
    assert list(post.core.gauges()) == [Amount(Business.ORPHANS)]
    (held,), change = post.hear(IN_FLIGHT_MS + 5, routed("ann"))
    assert (held.kind, held.cause, held.since_ms, held.holder) == (
        "held",
        Missing.ROUTE,
        MONDAY_0900,
        "person ann",
    )
    assert change == -1
    assert list(post.core.gauges()) == []
    assert post.core.timers == 0


def test_a_hand_off_in_time_leaves_nothing_behind() -> None:
    post = Post()
    post.hear(0, Q, MQL)
    assert post.hear(40, routed("ann")) == ([], 0)
    assert (post.hear(IN_FLIGHT_MS * 3), post.core.timers) == (([], 0), 0)


def test_a_return_date_that_nobody_kept_is_one_and_a_further_date_mends_it() -> None:
    post, due = Post(), 30 * DAY
    post.hear(0, Q, MQL, WITHDRAWN, recycled(MONDAY_0900 + due))
    assert post.hear(due + IN_FLIGHT_MS - 1) == ([], 0)
    (found,), change = post.hear(due + IN_FLIGHT_MS)
    assert (found.cause, found.since_ms, change) == (Missing.RETURN, MONDAY_0900 + due, 1)
    (held,), change = post.hear(due + IN_FLIGHT_MS + 1, back(MONDAY_0900 + 2 * due))
    assert (held.kind, held.holder, change) == ("held", "nurture calm", -1)


def test_an_orphan_that_waits_for_something_else_now_is_reported_anew_and_counts_once() -> None:
    post = Post()
    post.hear(0, Q, MQL)
    post.hear(IN_FLIGHT_MS)
    (again,), change = post.hear(IN_FLIGHT_MS + 1, WITHDRAWN)
    assert (again.kind, again.cause, again.since_ms, change) == (
        "found",
        Missing.TRACK,
        MONDAY_0900,
        0,
    )


def test_time_without_a_holder_runs_on_from_one_service_to_the_next() -> None:
    post = Post()
    post.hear(0, Q, MQL)
    post.hear(IN_FLIGHT_MS - 10, WITHDRAWN)
    (found,), _ = post.hear(IN_FLIGHT_MS)
    assert found.since_ms == MONDAY_0900


def test_a_lead_that_was_never_anybody_s_leaves_no_state_when_it_ends() -> None:
    post = Post()
    post.hear(0, staged("erased", "inquiry", "system"), staged("merged", "inquiry", "system"))
    assert post.core.keys == 0


def test_a_restored_task_counts_what_it_had_counted() -> None:
    post = Post()
    post.hear(0, Q, MQL)
    post.hear(IN_FLIGHT_MS)
    after = Post()
    for key, value in post.changelog:
        after.core.restore(key, value)
    after.core.restored()
    assert list(after.core.gauges()) == [Amount(Business.ORPHANS)]


def test_it_reads_what_the_three_publish_who_decide_it_and_no_more() -> None:
    assert set(Custody.inputs) == {"scorer.leads.v1", "router.handoffs.v1", "sla.leads.v1"}
    assert {TOPICS[topic].record for topic in Custody.inputs} == {
        LeadDecision,
        HandoffChange,
        SlaDecision,
    }

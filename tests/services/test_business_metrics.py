"""What the facts of the services count as, and what a pool stands at."""

from collections.abc import Mapping
from typing import Any

import pytest

from baton.contracts.amounts import Amount
from baton.contracts.codec import codec_for
from baton.contracts.fact_metrics import MEASURES
from baton.contracts.goals import GoalProgress
from baton.contracts.intake import AliasKind, IdentityAlias
from baton.contracts.leads import LeadRefused
from baton.contracts.metric_catalogue import METRICS, Business, Kind
from baton.contracts.routing import LeadRouted, QueueItem
from baton.contracts.slas import LeadRecycled, SlaViolation
from baton.contracts.topic_names import LEADS_ROUTED_SALES, LEADS_ROUTED_SDR
from baton.contracts.topics import TOPICS
from baton.engine.core import Core
from baton.engine.task_config import TaskConfig
from services.router.assignment.reducer import Assignment
from tests.engine.test_input_merge import Fetched
from tests.services.router.router_world import (
    MINUTE,
    MONDAY_0900,
    POOLS,
    Book,
    agreement,
    handoff_id,
    qualified,
    reference_of,
)

AT = {"at_ms": 1, "cause_id": "c", "agreement": "v"}


def alias(kind: str) -> IdentityAlias:
    return IdentityAlias(
        identity="i",
        lead_id="l",
        kind=kind,
        known=True,
        cause_id="c",
        from_identity="i",
        occurred_at_ms=1,
    )


def progress(state: str) -> GoalProgress:
    return GoalProgress(
        goal="mqls",
        metric="mql",
        side="marketing",
        period="2026-11",
        segment=None,
        target=100,
        achieved=30,
        pace_ppm=1_250_000,
        working_days_gone=5,
        working_days=21,
        state=state,
        **AT,
    )


FACTS: list[tuple[str, Any, Amount | None]] = [
    (
        "leads.qualified.v1",
        qualified("l", level="hot", leg="sales"),
        Amount(Business.QUALIFIED, ("hot", "sales")),
    ),
    (
        "leads.sla-violations.v1",
        SlaViolation(
            violation_id="v", kind="breach", clock="accept", side="sales", deadline_ms=1, **AT
        ),
        Amount(Business.VIOLATIONS, ("accept", "breach")),
    ),
    (
        "leads.recycled.v1",
        LeadRecycled(
            recycle_id="r", lead_id="l", cycle=1, outcome="recycle", reason="no_budget", **AT
        ),
        Amount(Business.RECYCLED, ("recycle", "no_budget")),
    ),
    (
        "leads.recycled.v1",
        LeadRecycled(
            recycle_id="r",
            lead_id="l",
            cycle=1,
            outcome="disqualify",
            reason="Ann Lee left, ann@acme.example",
            **AT,
        ),
        Amount(Business.RECYCLED, ("disqualify", "other")),
    ),
    (
        "leads.refusals.v1",
        LeadRefused(
            lead_id="l",
            event="accepted",
            stage="mql",
            actor="sales",
            reason="stale_handoff",
            at_ms=1,
            cause_id="c",
        ),
        Amount(Business.REFUSALS, ("stale_handoff",)),
    ),
    ("intake.aliases.v1", alias(AliasKind.DUPLICATE), Amount(Business.DUPLICATES)),
    ("intake.aliases.v1", alias(AliasKind.CONFLICT), Amount(Business.CONFLICTS)),
    ("intake.aliases.v1", alias(AliasKind.RESOLVED), None),
    (
        "goals.progress.v1",
        progress("running"),
        Amount(Business.PACE, ("mqls", "marketing"), 1.25, sets=True),
    ),
    ("goals.progress.v1", progress("missed"), None),
]


@pytest.mark.parametrize(("topic", "fact", "amount"), FACTS)
def test_a_fact_counts_as(topic: str, fact: Any, amount: Amount | None) -> None:
    assert type(fact) is TOPICS[topic].record
    assert MEASURES[topic](fact) == amount


class Desk:
    """Assignment alone, as the host runs it, with one pool whose only member has room for one
    lead."""

    def __init__(self) -> None:
        pools: Mapping[str, Any] = {
            **POOLS,
            "bridge": {"kind": "sdr", "members": {"ann": {"capacity": 1}}},
        }
        book = Book(reference_of(agreement(pools=pools)))
        self.core = Core(Assignment(), book, TaskConfig(measures=MEASURES))
        self.offset = 0

    def batch(
        self, *items: QueueItem, commits: bool = True
    ) -> dict[tuple[str, tuple[str, ...]], float]:
        """What a batch of these items is measured by."""
        self.core.begin(0)
        for number, item in enumerate(items, start=self.offset):
            at_ms = MONDAY_0900 + number * MINUTE
            value = codec_for(QueueItem).encode(item)
            self.core.process(
                "router.queue.v1", Fetched(number, at_ms, item.pool.encode(), value, ())
            )
        batch = self.core.seal()
        assert batch is not None
        if commits:
            self.core.commit()
            self.offset += len(items)
        else:
            self.core.discard()
        return batch.counts.measured | batch.counts.gauges


def item(lead: str, kind: str = "request") -> QueueItem:
    who = qualified(lead)
    return QueueItem(
        kind=kind,
        handoff_id=handoff_id(lead),
        qualification_id=who.qualification_id,
        attempt=1,
        lead_id=lead,
        pool="bridge",
        cause_id="c",
        at_ms=MONDAY_0900,
        qualified=who if kind == "request" else None,
    )


def test_a_pool_measures_how_many_wait_and_its_answers_count_only_where_they_are_published() -> (
    None
):
    desk = Desk()
    waiting = (Business.WAITING, ("bridge",))
    assert desk.batch(item("a")) == {waiting: 0}
    assert desk.batch(item("b"), item("c"), commits=False) == {waiting: 2}
    assert desk.batch(item("b"), item("c")) == {waiting: 2}
    assert [amount.value for amount in desk.core.gauges()] == [2]
    assert desk.batch(item("a", "release")) == {waiting: 1}


@pytest.mark.parametrize("topic", [LEADS_ROUTED_SDR, LEADS_ROUTED_SALES])
def test_a_published_routed_record_counts_for_its_pool_and_leg(topic: str) -> None:
    routed = LeadRouted(
        handoff_id="h",
        qualification_id="q",
        attempt=1,
        lead_id="l",
        cycle=1,
        leg="sdr",
        pool="bridge",
        owner="ann",
        level="hot",
        segment=None,
        hand_raised=False,
        routed_at_ms=1,
        qualified_at_ms=1,
        path=(),
        candidates=(),
        rule="in_turn",
        turn_used=True,
        qualified=qualified("l"),
        agreement="v",
    )
    amount = MEASURES[topic](routed)
    assert amount is not None
    assert (amount.metric, amount.labels) == (Business.ROUTED, ("bridge", "sdr"))


def test_every_measured_topic_is_one_of_the_catalogue_and_every_amount_fits_its_metric() -> None:
    assert set(MEASURES) <= set(TOPICS)
    for _, _, amount in FACTS:
        if amount is not None:
            spec = METRICS[amount.metric]
            assert (len(amount.labels), amount.sets) == (len(spec.labels), spec.kind is Kind.GAUGE)

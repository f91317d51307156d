"""No lead without a holder and a next date: who has a lead at each turn of its life, by what was
said of it."""

from __future__ import annotations

from typing import Any

from baton.agreement.reference import reference_of
from baton.contracts.custody import Holder, HolderKind, Holding, Missing, holder_of, updated
from baton.contracts.intake import Act, Engagement, LeadAct, LeadEvent
from baton.contracts.leads import LeadQualified, LeadRefused
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import LeadDecision
from baton.derived_ids import derived_id
from services.scorer.lead.state import DATES, StageDates
from tests.services.scorer.scorer_view import Shelf
from tests.services.scorer.scorer_world import DAY, FROM_OTHERS, MONDAY_0900, agreement, routed
from tests.streams import stream_of

NOW = MONDAY_0900


class Life:
    """A lead going its way, and who holds it."""

    def __init__(self) -> None:
        self.shelf = Shelf(reference_of(agreement()))
        self.now = NOW
        self.holding = Holding()
        self._number = 0
        self._heard = 0
        self._event("profile", profile={"country": "NO"})

    def _event(self, kind: str, **more: Any) -> None:
        self._number += 1
        event = LeadEvent(
            event_id=derived_id(self._number),
            lead_id="l1",
            source="http",
            kind=kind,
            occurred_at_ms=self.now,
            received_at_ms=self.now,
            **more,
        )
        self._take(event)

    def _take(self, value: Any) -> None:
        """What came to the lead from the others, and what it said to that."""
        if isinstance(value, FROM_OTHERS):
            self.holding = updated(self.holding, stream_of(value)[1])
        self.shelf.take(value, now=self.now)
        self.hear()

    def hear(self) -> None:
        """What the lead said since."""
        for fact in self.shelf.facts[self._heard :]:
            if isinstance(fact.value, LeadDecision):
                self.holding = updated(self.holding, fact.value)
        self._heard = len(self.shelf.facts)

    def passes(self, to_ms: int) -> None:
        self.now = to_ms
        self.shelf.pass_time(to_ms)
        self.hear()

    def does(self, act: str) -> None:
        self._event("engagement", engagement=Engagement(act=act))

    def routed_to(self, owner: str) -> None:
        qualified = [
            fact.value for fact in self.shelf.facts if isinstance(fact.value, LeadQualified)
        ][-1]
        self._take(routed(qualified, owner))

    def act(self, kind: str, by: str, actor: str = "sdr", reason: str | None = None) -> None:
        self._number += 1
        act = Act(kind=kind, by=by, actor=actor, reason=reason)
        event_id = derived_id(self._number)
        self._take(
            LeadAct(
                event_id=event_id,
                lead_id="l1",
                source="crm",
                occurred_at_ms=self.now,
                received_at_ms=self.now,
                act=act,
            )
        )

    def recycled(self, cycle: int, return_at_ms: int | None, *, reason: str = "not_ready") -> None:
        self._take(
            LeadRecycled(
                recycle_id=f"r{cycle}",
                lead_id="l1",
                cycle=cycle,
                outcome="recycle",
                reason=reason,
                at_ms=self.now,
                cause_id="c",
                agreement="v",
                track="calm",
                return_at_ms=return_at_ms,
            )
        )

    @property
    def holder(self) -> Holder:
        return holder_of(self.holding)


NOBODY_YET = Holder(kind=HolderKind.NOBODY, missing=Missing.ROUTE)


def test_whoever_holds_a_lead_can_be_read_off_its_state() -> None:
    life = Life()
    life.does("webinar")
    assert life.holder == NOBODY_YET
    life.routed_to("ann")
    assert life.holder == Holder(kind=HolderKind.PERSON, who="ann")
    life.act("accepted", "ann")
    assert life.holder == Holder(kind=HolderKind.PERSON, who="ann")
    life.act("qualified", "ann")
    assert life.holder == NOBODY_YET
    life.routed_to("rex")
    life.act("rejected", "rex", "sales", "not_ready")
    assert life.holder == Holder(kind=HolderKind.NOBODY, missing=Missing.DECISION)
    life.recycled(1, None)
    assert life.holder == Holder(kind=HolderKind.NOBODY, missing=Missing.TRACK)
    life.now += 1
    life.does("demo_request")
    life.act("won", "rex", "sales")
    assert life.holder == Holder(kind=HolderKind.END, who="customer")


def test_a_person_s_recycling_has_no_holder_until_the_watcher_gave_it_a_date() -> None:
    life = Life()
    life.does("demo_request")
    life.act("recycled", "rex", "sales", "no_budget")
    assert life.holder == Holder(kind=HolderKind.NOBODY, missing=Missing.TRACK)
    life.recycled(1, NOW + 90 * DAY)
    assert life.holder == Holder(kind=HolderKind.NURTURE, who="calm", next_at_ms=NOW + 90 * DAY)


def test_a_withdrawn_lead_rests_in_its_cycle_and_what_it_did_goes_on_counting() -> None:
    life = Life()
    life.does("webinar")
    life.passes(NOW + 11 * DAY)
    assert life.holder == Holder(kind=HolderKind.NOBODY, missing=Missing.TRACK)
    life.recycled(1, NOW + 60 * DAY, reason="cooled")
    assert life.holder == Holder(kind=HolderKind.NURTURE, who="calm", next_at_ms=NOW + 60 * DAY)
    life.now += 1
    life.does("page_view")
    life.does("page_view")
    assert (life.shelf.head.stage, life.shelf.head.cycle) == ("mql", 1)


def test_a_rest_that_was_planned_for_a_withdrawn_lead_does_not_end_what_qualified_since() -> None:
    life = Life()
    life.does("webinar")
    life.passes(NOW + 11 * DAY)
    life.does("form")
    life.recycled(1, NOW + 60 * DAY, reason="cooled")
    assert life.holder == NOBODY_YET
    assert [
        fact.value.reason for fact in life.shelf.facts if isinstance(fact.value, LeadRefused)
    ] == ["qualified_again"]


def test_a_lead_that_came_back_has_a_further_date() -> None:
    life = Life()
    life.does("form")
    life.recycled(1, NOW + 30 * DAY)
    for number in (1, 2):
        life.now = NOW + 30 * number * DAY
        life._take(
            LeadReactivated(
                lead_id="l1",
                cycle=1,
                recycle_id="r1",
                reason="return_date",
                at_ms=life.now,
                cause_id="c",
                agreement="v",
                return_at_ms=life.now + 30 * DAY,
            )
        )
        assert life.holder == Holder(
            kind=HolderKind.NURTURE, who="calm", next_at_ms=life.now + 30 * DAY
        )


def test_first_and_latest_dates_are_kept_for_each_stage_and_marked_where_they_are_inferred() -> (
    None
):
    life = Life()
    life.does("demo_request")
    life.now += DAY
    life.act("qualified", "rex", "sales")
    life.act("recycled", "rex", "sales", "no_budget")
    life.recycled(1, None)
    life.now += 100 * DAY
    life.does("demo_request")
    life.act("accepted", "rex", "sales")
    dates = {
        stage: life.shelf.get(DATES, stage) for stage in ("mql", "sal", "sql", "recycled", "tal")
    }
    first, second, again = NOW, NOW + DAY, NOW + 101 * DAY
    assert dates == {
        "mql": StageDates(first_ms=first, latest_ms=again),
        "sal": StageDates(first_ms=second, latest_ms=again, first_inferred=True),
        "sql": StageDates(first_ms=second, latest_ms=second),
        "recycled": StageDates(first_ms=second, latest_ms=second),
        "tal": None,
    }

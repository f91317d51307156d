"""Laws of an account: its numbers are those of its people at the moment they are reported, and it
costs no more than it should."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.contracts.accounts import (
    GATHER_MS,
    GATHER_SMALL_MS,
    SMALL_ACCOUNT,
    AccountPart,
    AccountScored,
)
from baton.contracts.intake import Engagement
from baton.derived_ids import derived_id
from services.scorer.accounts import reducer as rules
from services.scorer.score.account_contribution import (
    ENGAGED_MICRO,
    SHOWN_STEP_MICRO,
    Falling,
    Moment,
    packed,
)
from services.scorer.score.engagement_sum import engagement_micro, standing
from services.scorer.score.entry_counting import counted
from services.scorer.score.ledger import id_bytes, with_retractions
from services.scorer.score.ledger import packed as entry
from services.scorer.score.rule_table import table_of
from tests.services.scorer.score.test_laws import RULES
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, World, agreement

TERMS = agreement(engagement=RULES)
TABLE = table_of(TERMS)
LEADS = ("l1", "l2", "l3")
ACTS = (
    "page_view",
    "webinar",
    "form",
    "pricing_view",
    "unsubscribe",
    "careers_view",
    "email_click",
    "not_in_the_agreement",
)
LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Company:
    """An account whose people act, and what each of them is worth by its acts alone."""

    def __init__(self, leads: Sequence[str] = LEADS) -> None:
        self.world = World(TERMS)
        self.leads = leads
        self._records: dict[str, list[bytes]] = {lead: [] for lead in leads}
        self._retracted: dict[str, bytes] = dict.fromkeys(leads, b"")
        self._ids: dict[str, list[str]] = {lead: [] for lead in leads}
        self.reported: list[AccountScored] = []
        for lead in leads:
            self.world.fits(lead, domain="acme.example")
        self.world.facts()

    def does(self, lead: str, act: str) -> None:
        self.hear()
        event_id = self.world.does(lead, act)
        self._ids[lead].append(event_id)
        self._records[lead].append(entry(event_id, self.world.now, Engagement(act=act)))
        self.hear()

    def retracts(self, lead: str) -> None:
        """The lead's last act never happened."""
        if self._ids[lead]:
            self.world.retract(lead, event_id := self._ids[lead].pop())
            self._retracted[lead] = with_retractions(
                self._retracted[lead],
                [(id_bytes(event_id), self.world.now)],
                b"".join(sorted(self._records[lead])),
            )
            self.hear()

    def waits(self, ms: int) -> None:
        self.world.wait(ms)
        self.hear()

    def hear(self) -> None:
        """Each number that was reported, held against the people at that moment."""
        for fact in self.world.facts(AccountScored):
            own = [self.own(lead, fact.at_ms) for lead in self.leads]
            assert (fact.people, fact.engagement_micro) == (len(self.leads), sum(own))
            assert fact.engaged_people == sum(part >= ENGAGED_MICRO for part in own)
            self.reported.append(fact)

    def own(self, lead: str, at_ms: int) -> int:
        """What the lead's acts are worth, folded from nothing."""
        marks = counted(
            b"".join(sorted(self._records[lead])), self._retracted[lead], 0, TABLE, at_ms
        ).marks
        return engagement_micro(standing(marks, TABLE, at_ms), TABLE, at_ms)

    def total(self, at_ms: int) -> int:
        return sum(self.own(lead, at_ms) for lead in self.leads)


TURNS = st.lists(
    st.tuples(
        st.sampled_from(LEADS),
        st.sampled_from((*ACTS, "webinar", "form", "retracts")),
        st.sampled_from((0, 1, MINUTE, HOUR, DAY, 3 * DAY, 11 * DAY)) | st.integers(0, 40 * DAY),
    ),
    max_size=14,
)


@LAW
@given(TURNS)
def test_the_sum_is_that_of_the_people_whenever_it_is_reported(
    turns: list[tuple[str, str, int]],
) -> None:
    company = Company()
    for lead, act, then_ms in turns:
        company.retracts(lead) if act == "retracts" else company.does(lead, act)
        company.waits(then_ms)
    company.waits(100 * DAY)
    assert company.total(company.world.now) == 0
    if company.reported:
        last = company.reported[-1]
        assert (last.engagement_micro // SHOWN_STEP_MICRO, last.engaged_people) == (0, 0)


@LAW
@given(TURNS, st.integers(0, 40 * DAY))
def test_what_others_see_is_an_hour_old_at_most(
    turns: list[tuple[str, str, int]], last_ms: int
) -> None:
    company = Company()
    for lead, act, then_ms in turns:
        if act in ("page_view", "webinar", "form", "pricing_view"):
            company.does(lead, act)
            company.waits(then_ms)
    company.waits(rules.LEAST_MS + 1 + last_ms)
    if not company.reported:
        return
    now, reported = company.world.now, company.reported[-1]
    shown = reported.engagement_micro // SHOWN_STEP_MICRO
    assert (
        company.total(now) // SHOWN_STEP_MICRO
        <= shown
        <= company.total(now - rules.LEAST_MS - 1) // SHOWN_STEP_MICRO
    )
    engaged, before = (
        sum(company.own(lead, at) >= ENGAGED_MICRO for lead in LEADS)
        for at in (now, now - rules.LEAST_MS - 1)
    )
    assert engaged <= reported.engaged_people <= before


@LAW
@given(st.lists(st.sampled_from(ACTS), max_size=12), st.integers(0, 30 * DAY))
def test_a_part_gives_the_same_bits_as_the_lead_at_any_later_moment(
    acts: list[str], later_ms: int
) -> None:
    start = 1_793_606_400_000
    records = [
        entry(derived_id("p", number), start + number * HOUR, Engagement(act=act))
        for number, act in enumerate(acts)
    ]
    now = start + len(acts) * HOUR
    totals = standing(counted(b"".join(records), b"", 0, TABLE, now).marks, TABLE, now)
    later = Moment(now + later_ms)
    assert later.worth(packed(totals, TABLE)).micro == engagement_micro(totals, TABLE, later.at_ms)


@LAW
@given(
    st.lists(st.sampled_from(ACTS), max_size=12),
    st.integers(1, 60_000_000),
    st.integers(0, 1000),
    st.booleans(),
)
def test_the_bound_of_how_long_it_holds_is_never_too_long(
    acts: list[str], threshold: int, thousandth: int, closely: bool
) -> None:
    start = 1_793_606_400_000
    records = [
        entry(derived_id("p", number), start + number * HOUR, Engagement(act=act))
        for number, act in enumerate(acts)
    ]
    now = start + len(acts) * HOUR
    totals = standing(counted(b"".join(records), b"", 0, TABLE, now).marks, TABLE, now)
    falling = Falling()
    falling.add(Moment(now).worth(packed(totals, TABLE)))
    value = falling.value
    assert value == engagement_micro(totals, TABLE, now)
    if value < threshold:
        return
    holds = falling.holds_for_ms(threshold, closely=closely)
    at = now + (100 * DAY if holds is None else holds) * thousandth // 1000
    # the value is rounded, the bound is not
    assert engagement_micro(totals, TABLE, at) >= threshold - 1


def test_a_quiet_account_is_counted_about_once_a_step_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted_at: list[int] = []
    wake = rules.Accounts.wake

    def counting(self: rules.Accounts, view: Any, *, now: int, reference: Any) -> Any:
        if not view.head.uncounted:  # else what came meanwhile is counted
            counted_at.append(now)
        return wake(self, view, now=now, reference=reference)

    monkeypatch.setattr(rules.Accounts, "wake", counting)
    company = Company()
    for lead in LEADS:
        for act in ("webinar", "webinar", "form", "pricing_view"):
            company.does(lead, act)
    company.waits(GATHER_SMALL_MS)
    steps = company.reported[-1].engagement_micro // SHOWN_STEP_MICRO
    company.waits(60 * DAY)
    assert company.total(company.world.now) == 0
    assert steps // 2 < len(counted_at) <= 2 * steps
    assert all(later - earlier >= rules.LEAST_MS for earlier, later in pairwise(counted_at))
    assert company.world.host.tasks["accounts", 0].core.timers == 0


def test_a_small_account_is_counted_at_once_and_then_once_in_ten_seconds() -> None:
    company = Company()
    company.waits(MINUTE)
    company.reported.clear()
    company.does("l1", "webinar")
    assert len(company.reported) == 1
    for lead in LEADS:
        company.does(lead, "form")
    company.waits(GATHER_SMALL_MS - 1)
    assert len(company.reported) == 1
    company.waits(1)
    assert len(company.reported) == 2
    assert company.reported[-1].engagement_micro == company.total(company.world.now)
    company.waits(GATHER_SMALL_MS)
    assert len(company.reported) == 2


def test_where_the_routing_asks_for_accounts_a_small_one_is_counted_with_each_part() -> None:
    asked = {"field": "account.engagement", "op": "at_least", "value": 50}
    routing = agreement().raw.routing.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for more, number in (
        ({"suppress": [{"name": "Busy", "when": asked, "reason": "busy"}]}, 3),
        ({}, 1),
    ):
        world = World(agreement(routing={**routing, **more}))
        world.fits("l1", domain="acme.example")
        world.does("l1", "webinar")
        world.does("l1", "form")
        assert len(world.facts(AccountScored)) == number


def test_a_large_account_is_counted_once_a_minute_and_is_right_when_it_is_reported() -> None:
    company = Company([f"p{number}" for number in range(SMALL_ACCOUNT + 8)])
    company.waits(5 * MINUTE)
    company.reported.clear()
    for lead in company.leads:
        company.does(lead, "pricing_view")
    assert len(company.reported) <= 1
    company.waits(GATHER_MS)
    assert 1 <= len(company.reported) <= 2
    assert (company.reported[-1].engaged_people, company.reported[-1].engagement_micro) == (
        len(company.leads),
        7_250_000 * len(company.leads),
    )


def test_a_lead_notifies_its_account_of_each_change_and_of_nothing_that_is_none() -> None:
    company = Company(("l1",))
    for act in ("page_view", "page_view", "page_view", "not_in_the_agreement", "webinar"):
        company.does("l1", act)
    parts = [fact for fact in company.world.facts(AccountPart, whole=True) if fact.sums]
    assert [(part.kind, part.engagement_micro) for part in parts] == [
        ("score", 3_000_000),
        ("score", 6_000_000),
        ("add", 21_000_000),
    ]


def test_a_role_that_changes_is_reported_though_the_score_does_not() -> None:
    world = World()
    world.fits("l1", domain="acme.example", role="Specialist")
    world.wait(GATHER_SMALL_MS)
    world.fits("l1", domain="acme.example", role="VP")
    assert [fact.most_senior_role for fact in world.facts(AccountScored)] == ["Specialist", "VP"]

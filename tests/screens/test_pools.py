"""Pools and people as screens show them: queue, loads, shares, limits, openings; computed from the
very state of assignment."""

from __future__ import annotations

import pytest

from baton.agreement.reference import Absence, reference_of
from baton.contracts.topic_names import LEADS_ROUTED_SALES
from baton.screens.people import capacities, person_now
from baton.screens.pools import pool_state
from tests.screens.company import HOUR_MS, MINUTE_MS, SMALL, START_MS, Company, demo, line


@pytest.fixture(scope="module")
def full() -> Company:
    """Five ask for a demonstration; the sales pool has room for three."""
    demos = [demo(number, START_MS + number * MINUTE_MS) for number in range(1, 6)]
    return Company(SMALL).run(demos, START_MS + 10 * MINUTE_MS)


def test_a_full_pool_shows_its_queue_in_order_and_who_is_at_a_limit(full: Company) -> None:
    state = pool_state(full.states("assignment").view("sales"), full.reference, now_ms=full.now_ms)
    routed = full.values(LEADS_ROUTED_SALES)
    assert (state.offered, state.accepted) == (3, 0)
    assert {m.person: m.hindered for m in state.members} == {"ae-greta": "full", "ae-hugo": "full"}
    assert state.waiting == len(state.queue) == 2
    assert not {lead.lead_id for lead in state.queue} & {one.lead_id for one in routed}
    assert [lead.since_ms for lead in state.queue] == sorted(lead.since_ms for lead in state.queue)
    assert all(lead.hand_raised for lead in state.queue)
    assert state.next_opening_ms is None, "an answer is waited for, and nobody can say when"


def test_shares_stand_beside_what_is_fair_and_add_up(full: Company) -> None:
    state = pool_state(full.states("assignment").view("sales"), full.reference, now_ms=full.now_ms)
    shares = {m.person: m.shares[0] for m in state.members}
    assert {person: share.turns for person, share in shares.items()} == {
        "ae-greta": 2,
        "ae-hugo": 1,
    }
    assert sum(share.fair for share in shares.values()) == pytest.approx(3, abs=0.02)
    assert all(abs(share.turns - share.fair) < 1 for share in shares.values())


def test_capacity_adds_up_over_pools_and_says_who_is_at_a_limit(full: Company) -> None:
    states = full.states("assignment")
    pools = [
        pool_state(states.view(pool), full.reference, now_ms=full.now_ms)
        for pool in full.reference.agreement.pools
    ]
    found = {one.person: one for one in capacities(pools, ["ae-greta", "sdr-anna", "mgr-ines"], {})}
    greta, anna, ines = found["ae-greta"], found["sdr-anna"], found["mgr-ines"]
    assert (greta.offered, greta.room, greta.at_limit) == (2, 0, True)
    assert (anna.offered, anna.room, anna.at_limit) == (0, 400, False)
    assert (ines.pools, ines.room) == ((), 0)


def test_a_pool_that_has_seen_nothing_is_open_to_all(full: Company) -> None:
    state = pool_state(full.states("assignment").view("sdr"), full.reference, now_ms=full.now_ms)
    assert (state.waiting, state.next_opening_ms) == (0, full.now_ms)
    assert [m.hindered for m in state.members] == [None, None, None]


def test_work_in_a_pool_the_agreement_no_longer_has_is_still_shown(full: Company) -> None:
    other = Company(
        {
            "  sales:\n    kind: sales": "  field:\n    kind: sales",
            "sales: sales}": "sales: field}",
            "pool: sales,": "pool: field,",
        }
    )
    state = pool_state(full.states("assignment").view("sales"), other.reference, now_ms=full.now_ms)
    assert (state.in_agreement, state.waiting, state.offered) == (False, 2, 3)
    assert {m.person: (m.offered, m.hindered) for m in state.members} == {
        "ae-greta": (2, "left_the_pool"),
        "ae-hugo": (1, "left_the_pool"),
    }


def test_an_accepted_lead_counts_as_accepted_work() -> None:
    company = Company().run([demo(1, START_MS)], START_MS + MINUTE_MS)
    routed = company.values(LEADS_ROUTED_SALES)[0]
    act = line(
        company.now_ms + MINUTE_MS,
        id="a1",
        kind="act",
        identifiers={"lead": routed.lead_id},
        act={"kind": "accepted", "by": routed.owner},
    )
    company.run([act], company.now_ms + 2 * MINUTE_MS)
    state = pool_state(
        company.states("assignment").view("sales"), company.reference, now_ms=company.now_ms
    )
    held = {m.person: (m.offered, m.accepted) for m in state.members if m.person == routed.owner}
    assert held == {routed.owner: (0, 1)}


def test_a_person_is_away_off_hours_or_there_and_back_after_the_absence() -> None:
    away = Absence(
        person="ae-greta", from_ms=START_MS, until_ms=START_MS + 8 * HOUR_MS, reason="ill"
    )
    reference = reference_of(Company().reference.agreement, (away,))
    greta = person_now(reference, "ae-greta", now_ms=START_MS + HOUR_MS)
    hugo = person_now(reference, "ae-hugo", now_ms=START_MS + HOUR_MS)
    later = person_now(reference, "ae-greta", now_ms=START_MS + 9 * HOUR_MS)
    assert (greta.state, greta.there_at_ms, greta.pools) == ("away", away.until_ms, ("sales",))
    assert [span.reason for span in greta.absences] == ["ill"]
    assert (hugo.state, hugo.there_at_ms) == ("there", START_MS + HOUR_MS)
    assert (later.state, later.absences) == ("there", ())

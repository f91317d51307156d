"""A pool over time, counted by the audit itself: silent on turns by the quota rule, loud where one
is miscounted, unfair or too much."""

from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from baton.contracts.routing import LeadUnrouted, QueueItem, RequestKind
from baton.proof.audit.findings import Finding, Invariant
from baton.proof.audit.loads import check_capacity, check_loads, check_offers
from baton.proof.audit.pools import (
    Answer,
    Decision,
    Release,
    Seat,
    check_pool,
    denied_of,
    let_go_of,
)
from baton.proof.audit.turn_periods import period_name
from tests.services.router.router_world import qualified

WEIGHTS = {"anna": 2, "ben": 1, "cleo": 1}


def decisions(
    number: int, *, seed: int = 1, step_ms: int = 10, weights: dict[str, int] = WEIGHTS
) -> list[Decision]:
    """Turns as the quota method gives them."""
    random, had, made = Random(seed), Counter[str](), []
    whole = sum(weights.values())
    for turn in range(1, number + 1):
        seats = tuple(Seat(person, had[person], weight, True) for person, weight in weights.items())
        due = [person for person, weight in weights.items() if weight * turn > whole * had[person]]
        owner = min(
            due, key=lambda person: (Fraction(had[person] + 1, weights[person]), random.random())
        )
        place = "leads.routed.sdr.v1", 0, turn
        made.append(Decision(turn * step_ms, place, f"h{turn}", "warm", owner, True, 400, seats))
        had[owner] += 1
    return made


def found(
    made: list[Decision],
    releases: list[Release] | None = None,
    answers: list[Answer] | None = None,
) -> list[Finding]:
    findings: list[Finding] = []
    check_pool("sdr", made, releases or [], period_of=lambda at_ms: "2026-11", add=findings.append)
    check_capacity(made, releases or [], findings.append)
    check_loads("sdr", made, releases or [], answers or [], findings.append)
    return findings


@pytest.mark.parametrize("step_ms", [10, 1, 0])
def test_turns_by_the_quota_rule_are_fair_even_where_their_order_is_not_known(step_ms: int) -> None:
    made = decisions(200, step_ms=step_ms)
    Random(2).shuffle(made)
    assert found(made) == []


def test_a_person_who_is_a_lead_from_their_share_is_found_though_every_record_counts_right() -> (
    None
):
    made, had = [], Counter[str]()
    for turn, owner in enumerate(("anna", "ben", "ben"), start=1):
        seats = tuple(Seat(person, had[person], weight, True) for person, weight in WEIGHTS.items())
        made.append(
            Decision(
                turn * 10,
                ("leads.routed.sdr.v1", 0, turn),
                f"h{turn}",
                "warm",
                owner,
                True,
                None,
                seats,
            )
        )
        had[owner] += 1
    (finding,) = found(made)
    assert (finding.invariant, finding.place and finding.place.offset) == (Invariant.TURNS, 3)
    assert finding.words == "sdr, warm, 2026-11: after 3 turns ben had 2, and 3/4 is their share"


def test_a_turn_that_was_not_counted_is_found_and_one_that_was_given_back_is_none() -> None:
    made = decisions(6)
    lost = made[3]
    fewer = tuple(
        seat._replace(turns=max(0, seat.turns - (seat.person == made[0].owner)))
        for seat in lost.seats
    )
    made[3] = lost._replace(seats=fewer)
    findings = found(made)
    assert [
        (finding.invariant, finding.place and finding.place.offset) for finding in findings
    ] == [(Invariant.TURNS, 4)]
    given_back = Release(35, made[0].handoff_id, True, False)
    later = [
        decision._replace(seats=_without(decision, made[0].owner))
        if decision.at_ms > 40
        else decision
        for decision in made
    ]
    assert found(later, [given_back]) == []
    assert found(later, [given_back, Release(36, made[0].handoff_id, False, True)]) == [], (
        "it may stand again, with its turn"
    )
    repeated = [given_back, given_back._replace(at_ms=145)]
    assert found(later, repeated) == [], "its release comes when the pool has let it go already"


@pytest.mark.parametrize(
    ("outcome", "pool", "back"),
    [("suppressed", "sdr", True), ("held", "sdr", False), ("suppressed", None, False)],
)
def test_a_pool_lets_go_of_a_lead_that_may_not_be_handed_to_anybody_at_once(
    outcome: str, pool: str | None, back: bool
) -> None:
    unrouted = LeadUnrouted(
        handoff_id="h1",
        qualification_id="q1",
        attempt=1,
        lead_id="l1",
        cycle=1,
        outcome=outcome,
        reason="competitor",
        pool=pool,
        at_ms=35,
        path=(),
        candidates=(),
        agreement="v",
    )
    assert let_go_of(unrouted) == (("sdr", Release(35, "h1", True, False)) if back else None)


def _without(decision: Decision, person: str) -> tuple[Seat, ...]:
    return tuple(
        seat._replace(turns=seat.turns - (seat.person == person)) for seat in decision.seats
    )


def test_who_has_more_open_than_their_capacity_is_found_by_counting() -> None:
    made = [
        decision._replace(capacity=3, turn_used=False, seats=())
        for decision in decisions(5, weights={"anna": 1})
    ]
    assert [finding.place and finding.place.offset for finding in found(made)] == [4, 5]
    assert {finding.invariant for finding in found(made)} == {Invariant.CAPACITY}
    ended = [Release(35, "h1", False, False), Release(45, "h3", False, False)]
    assert found(made, ended) == []
    by_name = [fact._replace(capacity=None) for fact in made]
    assert found(by_name) == []


def test_who_has_more_unanswered_offers_than_the_limit_is_found_by_counting() -> None:
    made = decisions(4, weights={"anna": 1})

    def beyond(releases: list[Release], answers: list[Answer], limit: int | None = 2) -> list[Any]:
        findings: list[Finding] = []
        check_offers(
            made, releases, answers, limit_of=lambda at_ms, person: limit, add=findings.append
        )
        assert {finding.invariant for finding in findings} <= {Invariant.OFFERS}
        return [finding.place and finding.place.offset for finding in findings]

    assert beyond([], []) == [3, 4]
    assert beyond([], [Answer(25, "h1")]) == [4]
    assert beyond([Release(35, "h2", False, False)], [Answer(25, "h1")]) == []
    assert beyond([], [], limit=None) == []


def test_turns_of_another_period_begin_at_nothing() -> None:
    made = decisions(8) + [
        decision._replace(at_ms=decision.at_ms + 1_000) for decision in decisions(8, seed=3)
    ]
    findings: list[Finding] = []
    check_pool("sdr", made, [], period_of=lambda at_ms: str(at_ms >= 1_000), add=findings.append)
    assert findings == []
    assert found(made), "and in one period they do not"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("ever", "ever"), ("week", "2026-W53"), ("month", "2027-01"), ("quarter", "2027-Q1")],
)
def test_a_period_is_that_of_the_clocks_on_the_wall(kind: str, name: str) -> None:
    assert period_name(kind, "Europe/Berlin", 1_798_758_000_000) == name  # 2026-12-31 23:00 UTC


def test_a_load_that_was_given_back_and_is_still_counted_is_found() -> None:
    first, second = decisions(2, weights={"anna": 1})
    back = [Release(15, first.handoff_id, False, False)]

    def loaded(load: int) -> list[Decision]:
        (seat,) = second.seats
        return [first, second._replace(seats=(seat._replace(load=load),))]

    assert found(loaded(0), back) == []
    assert [finding.invariant for finding in found(loaded(1), back)] == [Invariant.LOADS]
    undone = [*back, Release(16, first.handoff_id, False, True)]
    assert found(loaded(1), undone) == [], "it stands again"
    assert found(loaded(1)) == []


LATE_ACCEPTANCES: list[tuple[str, list[Release], list[Answer], int]] = [
    ("accepted, then ended", [Release(17, "h1", False, False)], [Answer(15, "h1", "anna")], 0),
    ("accepted once it was released", [Release(15, "h1", False, False)], [Answer(17, "h1")], 1),
    ("in one millisecond", [Release(15, "h1", False, False)], [Answer(15, "h1", "anna")], 1),
    (
        "and released again",
        [Release(18, "h1", False, False), Release(15, "h1", False, False)],
        [Answer(17, "h1", "anna")],
        0,
    ),
    (
        "released, reinstated, released",
        [
            Release(15, "h1", False, False),
            Release(16, "h1", False, True, "anna"),
            Release(17, "h1", False, False),
        ],
        [],
        0,
    ),
    ("not released at all", [], [Answer(15, "h1", "anna")], 1),
    ("accepted out of the queue", [], [Answer(15, "claimed", "anna")], 2),
    ("accepted by another", [Release(15, "h1", False, False)], [Answer(17, "h1", "ben")], 0),
]


@pytest.mark.parametrize(("case", "releases", "answers", "most"), LATE_ACCEPTANCES)
def test_an_acceptance_that_crossed_a_release_is_open_work_again(
    case: str, releases: list[Release], answers: list[Answer], most: int
) -> None:
    first, second = decisions(2, weights={"anna": 1})
    (seat,) = second.seats

    def loaded(load: int) -> list[Finding]:
        counted = second._replace(seats=(seat._replace(load=load),))
        return found([first, counted], releases, answers)

    assert loaded(most) == [], case
    assert [finding.invariant for finding in loaded(most + 1)] == [Invariant.LOADS], case


def test_a_turn_that_a_limit_over_all_pools_denied_is_counted_until_it_was_given_back() -> None:
    """Anna's second turn was proposed at 15 and denied at 25: Ben's record of 20 may count it, one
    of 30 may not."""
    item = QueueItem(
        kind=RequestKind.DENIED,
        handoff_id="h",
        qualification_id="q",
        attempt=1,
        lead_id="l",
        pool="sdr",
        cause_id="c",
        at_ms=15,
        qualified=qualified("l"),
        limited="anna",
        limit="full:all_pools",
        took_turn=True,
    )
    denied = denied_of(item, 25, ("router.queue.v1", 0, 7))
    assert denied is not None

    def decision(at_ms: int, owner: str, anna: int, ben: int) -> Decision:
        seats = (Seat("anna", anna, 1, True), Seat("ben", ben, 1, True))
        place = "leads.routed.sdr.v1", 0, at_ms
        return Decision(at_ms, place, f"h{at_ms}", "warm", owner, True, 400, seats)

    first, during = decision(10, "anna", 0, 0), decision(20, "ben", 2, 0)
    taken, back = denied
    assert found([first, taken, during, decision(30, "ben", 1, 1)], [back]) == []
    [wrong] = found([first, taken, during, decision(30, "ben", 2, 1)], [back])
    assert wrong.invariant is Invariant.TURNS

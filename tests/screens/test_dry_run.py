"""A dry run says what then happens: the same pool, person, rule and numbers, or the same wait."""

from __future__ import annotations

import pytest

from baton.contracts.topic_names import LEADS_ROUTED_SALES, LEADS_ROUTED_SDR, LEADS_UNROUTED
from baton.screens.dry_run import dry_run
from baton.simulation.input_lines import Arrival
from tests.screens.company import MINUTE_MS, PROFILE, SMALL, START_MS, Company, demo, line


def warm(number: int, at_ms: int) -> list[Arrival]:
    """Somebody reads until the score is enough for the bridge team."""
    return [
        line(
            at_ms + step * 1_000,
            id=f"w{number}-{step}",
            kind="engagement",
            identifiers={"email": f"w{number}@reader{number}.example"},
            engagement={"act": act},
            profile=PROFILE,
            person={"phone": "+49 30 1234567"},
        )
        for step, act in enumerate(("webinar", "download"))
    ]


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4])
def test_the_dry_run_foretells_who_gets_a_lead_that_asks_for_a_person(before: int) -> None:
    company = Company(SMALL).run(
        [demo(number, START_MS + number * MINUTE_MS) for number in range(1, before + 1)],
        START_MS + 10 * MINUTE_MS,
    )
    news = demo(99, company.now_ms + 1_000)
    at = company.now_ms + 5_000
    history = company.simulation.host.log.history
    before_it = len(history)
    found = dry_run([news], company.reference, company, now_ms=at)
    assert len(history) == before_it, "a dry run appends nothing"
    company.run([news], at)
    routed = [one for one in company.values(LEADS_ROUTED_SALES) if one.lead_id == found.lead_id]
    if before < 3:
        assert (found.outcome, found.owner, found.pool) == ("routed", routed[0].owner, "sales")
        assert found.stops[-1].path == routed[0].path
        assert [(c.person, c.turns, c.load) for c in found.stops[-1].candidates] == [
            (c.person, c.turns, c.load) for c in routed[0].candidates
        ]
        assert (found.queue, found.cause) == ("sales", "raised_hand")
    else:
        held = [one for one in company.values(LEADS_UNROUTED) if one.lead_id == found.lead_id]
        assert routed == []
        assert (
            (found.outcome, found.reason)
            == (held[0].outcome, held[0].reason)
            == (
                "held",
                held[0].reason,
            )
        )


def test_a_lead_that_only_reads_goes_to_the_bridge_team() -> None:
    company = Company()
    events = warm(1, START_MS + MINUTE_MS)
    at = START_MS + 2 * MINUTE_MS
    found = dry_run(events, company.reference, company, now_ms=at)
    company.run(events, at)
    routed = company.values(LEADS_ROUTED_SDR)
    assert (found.queue, found.cause, found.owner) == ("sdr", "score", routed[0].owner)


def test_a_lead_that_does_not_qualify_says_its_score() -> None:
    company = Company()
    page = line(
        START_MS,
        id="p1",
        kind="engagement",
        identifiers={"email": "a@b.example"},
        engagement={"act": "page_view"},
    )
    found = dry_run([page], company.reference, company, now_ms=START_MS + MINUTE_MS)
    assert (found.qualified, found.outcome, found.stops) == (False, "not_qualified", ())
    assert found.score is not None
    assert (found.score.level, found.score.engagement_micro) == ("cold", 2_000_000)


def test_a_suppressed_lead_names_the_rule() -> None:
    company = Company()
    rival = demo(7, START_MS)
    body = rival.line.replace(b'"country": "DE"', b'"country": "DE", "relation": "competitor"')
    found = dry_run(
        [Arrival(at_ms=rival.at_ms, line=body)],
        company.reference,
        company,
        now_ms=START_MS + MINUTE_MS,
    )
    assert (found.outcome, found.reason) == ("suppressed", "competitor")
    assert [(s.rule, s.outcome) for s in found.stops[-1].path][-1] == ("competitors", "chosen")

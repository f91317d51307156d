"""What makes a backtest cheap changes no number: leads that are not replayed could not have become
ready, facts that are not decoded are of no lead of the sample, and merged leads lie together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.backtest.in_force import always
from baton.backtest.out_of_reach import Reach
from baton.backtest.raw_facts import Kind, RawFact, domains_in, event_of, reach_of
from baton.backtest.replay import Replay
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.shards import PARTS, in_sample, read, spill
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent, LeadMerge, Person
from tests.backtest.year import Year, agreement_with

ENTER_20 = "3: {enter: 20, exit: 12}"
YEAR = Year(number=40)


@pytest.mark.parametrize("enter", [8, 12, 20, 24, 33])
def test_who_is_out_of_reach_never_becomes_ready(tmp_path: Path, enter: int) -> None:
    agreement = agreement_with(tmp_path, {ENTER_20: f"3: {{enter: {enter}, exit: 6}}"})
    spilled = spill(facts_of_lines(YEAR.arrivals, agreement), tmp_path)
    lean = Replay(always(agreement), YEAR.until_ms)
    full = Replay(always(agreement), YEAR.until_ms, skips=False)
    reach = Reach.of(agreement)
    excluded = 0
    for path in spilled.files:
        for facts in read(path, spilled.groups, None).values():
            found = full.group(facts)
            assert lean.group(facts) == found
            excluded += reach.excludes(facts)
            assert not (reach.excludes(facts) and found)
    assert (excluded > 0) == (enter > 12), "a form of twelve points is below the higher ones"


def event(lead: str, domain: str | None, title: str = "") -> LeadEvent:
    return LeadEvent(
        event_id=f"e-{lead}",
        lead_id=lead,
        source="web",
        kind="profile",
        occurred_at_ms=1,
        received_at_ms=1,
        profile={"role": title} | ({} if domain is None else {"domain": domain}),
    )


def accepted(lead: str, domain: str | None, at_ms: int = 1) -> RawFact:
    value = codec_for(LeadEvent).encode(event(lead, domain))
    return RawFact(Kind.ACCEPTED, lead.encode(), b"id", at_ms, at_ms, value)


@given(
    domain=st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=90),
    title=st.text(max_size=200),
)
def test_the_domain_of_a_record_is_seen_without_decoding_it(domain: str, title: str) -> None:
    value = codec_for(LeadEvent).encode(event("a", f"{domain}.example", title))
    assert f"{domain}.example".encode() in list(domains_in(value))


def test_what_only_looks_like_a_domain_hides_none() -> None:
    value = codec_for(LeadEvent).encode(event("a", "acme.example", "\x0cdomain\x08fake\x0cdomain"))
    assert b"acme.example" in list(domains_in(value))


def test_a_sample_has_whole_accounts_and_leads_without_one_by_their_own_hash(
    tmp_path: Path,
) -> None:
    facts = [
        accepted(f"lead-{number}", f"firm{number // 4}.example" if number % 8 < 4 else None, number)
        for number in range(400)
    ]
    parts = PARTS // 5
    spilled = spill(facts, tmp_path, parts=parts)
    assert spilled.roots is not None
    wanted = {
        f"lead-{number}"
        for number in range(400)
        if in_sample(f"firm{number // 4}.example" if number % 8 < 4 else f"lead-{number}", parts)
    }
    assert set(spilled.roots) == wanted
    seen = {
        lead
        for path in spilled.files
        for lead in read(path, spilled.groups, frozenset(spilled.roots))
    }
    assert seen == wanted
    assert (spilled.facts, spilled.began_ms) == (400, 0)


@pytest.mark.parametrize("late", [True, False])
def test_leads_that_are_merged_lie_in_one_group_in_the_order_of_the_log(
    tmp_path: Path, late: bool
) -> None:
    merge = LeadMerge(
        merge_id="m", loser="lead-b", survivor="lead-a", cause_id="m", occurred_at_ms=2
    )
    value = codec_for(LeadMerge).encode(merge)
    merged = [RawFact(Kind.MERGED, key, b"m" + key, 2, 2, value) for key in (b"lead-a", b"lead-b")]
    events = [accepted("lead-a", None, 1), accepted("lead-b", None, 3), accepted("lead-c", None, 4)]
    spilled = spill([*events, *merged] if late else [*merged, *events], tmp_path)
    groups = {
        root: [(fact.key, fact.at_ms) for fact in facts]
        for path in spilled.files
        for root, facts in read(path, spilled.groups, None).items()
    }
    assert groups["lead-c"] == [("lead-c", 4)]
    assert groups["lead-a"] == [("lead-a", 1), ("lead-a", 2), ("lead-b", 2), ("lead-b", 3)]
    assert len(groups) == 2


def test_a_person_is_known_by_what_there_is_of_it_and_nothing_more() -> None:
    reach = reach_of(Person(email="ann@acme.example", first_name="Ann"))
    found = event_of(accepted("lead-a", None)._replace(reach=reach), 0).value.person
    assert (bool(found.email), bool(found.first_name), found.phone) == (True, True, None)
    assert "ann" not in str(found).lower()

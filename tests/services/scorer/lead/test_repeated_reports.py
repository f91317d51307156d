"""Reports that say again what is known are kept apart: nobody can see a difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.intake import LeadMerge
from baton.derived_ids import derived_id
from services.scorer.lead import reducer
from services.scorer.lead.field_history import KEPT
from services.scorer.lead.state import ONLY, PERSON, PROFILE
from tests.services.scorer.lead.test_retraction import (
    NOW,
    REFERENCE,
    Report,
    taken_back,
    visible,
)
from tests.services.scorer.scorer_view import Shelf
from tests.services.scorer.scorer_world import HOUR, MONDAY_0900

MAIL = (("email", "ann@acme.example"),)
SAYINGS = st.sampled_from(
    [
        ((("domain", "acme.example"),), MAIL),
        ((("domain", "acme.example"),), MAIL),
        ((("domain", "acme.example"),), ()),
        ((("domain", "other.example"),), (("email", "ann@other.example"),)),
        ((("country", "NO"), ("domain", "acme.example")), MAIL),
        ((), MAIL),
    ]
)
reports = st.builds(
    lambda number, hour, said, acts: Report(
        number=number,
        at_ms=MONDAY_0900 + hour * HOUR,
        profile=said[0],
        person=said[1],
        acts=acts,
    ),
    number=st.integers(0, 30),
    hour=st.integers(0, 3),
    said=SAYINGS,
    acts=st.booleans(),
)
happenings = st.lists(
    st.one_of(reports, reports, reports, st.integers(0, 30).map(lambda of: ("back", of))),
    max_size=25,
)


def _played(drawn: Sequence[Any], *, apart: bool, merged: bool) -> tuple[Shelf, list[Any]]:
    """The lead, and all it published."""
    shelf = Shelf(REFERENCE)
    with pytest.MonkeyPatch.context() as patch:
        if not apart:
            patch.setattr(reducer, "take_repeat", lambda step, record: None)
        for happening in drawn:
            if isinstance(happening, Report):
                shelf.take(happening.reported(), now=NOW)
            else:
                shelf.take(taken_back(derived_id("report", happening[1])), now=NOW)
        if merged:
            shelf.take(
                LeadMerge(
                    merge_id="m", loser="l1", survivor="l0", cause_id="m", occurred_at_ms=NOW
                ),
                now=NOW,
            )
    return shelf, [fact.value for fact in shelf.facts]


@settings(max_examples=150, deadline=None)
@given(happenings, st.booleans())
def test_books_facts_and_a_merge_are_the_same_as_if_every_report_were_entered_at_once(
    drawn: list[Any], merged: bool
) -> None:
    apart, said = _played(drawn, apart=True, merged=merged)
    at_once, said_at_once = _played(drawn, apart=False, merged=merged)
    assert said == said_at_once
    assert visible(apart) == visible(at_once)
    assert apart.stored() == at_once.stored()


def _same(number: int, hour: int) -> Report:
    return Report(
        number=number,
        at_ms=MONDAY_0900 + hour * HOUR,
        profile=(("domain", "acme.example"),),
        person=MAIL,
        acts=True,
    )


def test_a_repetition_leaves_the_books_alone_and_stands_in_the_head() -> None:
    shelf = Shelf(REFERENCE)
    shelf.take(_same(0, 0).reported(), now=NOW)
    books = [shelf.get(kind, ONLY) for kind in (PROFILE, PERSON)]
    for number in range(1, KEPT + 4):
        shelf.take(_same(number, number).reported(), now=NOW)
    assert [shelf.get(kind, ONLY) for kind in (PROFILE, PERSON)] == books
    assert len(shelf.head.repeats) == 32 + KEPT * 24


def test_the_value_stays_while_one_event_that_said_it_is_left() -> None:
    shelf = Shelf(REFERENCE)
    reported = [_same(number, number) for number in range(KEPT)]
    for report in reported:
        shelf.take(report.reported(), now=NOW)
    for report in reported[:-1]:
        shelf.take(taken_back(report.event_id), now=NOW)
    assert visible(shelf)["person"].email == "ann@acme.example"
    shelf.take(taken_back(reported[-1].event_id), now=NOW)
    assert visible(shelf)["person"].email is None


def test_a_later_event_with_another_word_in_between_is_ranked_by_its_moment() -> None:
    shelf = Shelf(REFERENCE)
    for number, hour in ((0, 0), (1, 2)):
        shelf.take(_same(number, hour).reported(), now=NOW)
    other = replace(_same(2, 1), profile=(("domain", "other.example"),))
    shelf.take(other.reported(), now=NOW)
    assert visible(shelf)["account"] == "acme.example"

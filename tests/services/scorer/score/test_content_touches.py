"""What a lead read is kept as a set: the newest pieces, the earliest campaign touches, whatever
came first."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.intake import Engagement, LeadEvent
from baton.derived_ids import derived_id
from services.scorer.score.content_touches import (
    ORIGINS,
    RECENT,
    ContentBook,
    pieces,
    together,
    touched,
)


def read(
    number: int,
    at_ms: int,
    *,
    campaign: str | None = "spring",
    title: str | None = "Title",
    **more: Any,
) -> LeadEvent:
    return LeadEvent(
        event_id=derived_id("read", number),
        lead_id="l1",
        source="http",
        kind="engagement",
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        engagement=Engagement(act="page_view", content_title=title, campaign=campaign, **more),
    )


def book(events: list[LeadEvent]) -> ContentBook:
    found = ContentBook()
    for event in events:
        found = touched(found, event, event.occurred_at_ms)
    return found


TOUCHES = st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=40).map(
    lambda drawn: [
        read(number, at_ms, campaign="c" if by_mail else None)
        for number, (at_ms, by_mail) in enumerate(drawn)
    ]
)


@settings(max_examples=100, deadline=None)
@given(TOUCHES, st.randoms(use_true_random=False), st.integers(0, 40))
def test_any_order_repetition_and_split_give_the_same_bytes(
    events: list[LeadEvent], chance: Any, cut: int
) -> None:
    again = [*events, *events[::2]]
    chance.shuffle(again)
    assert book(again) == book(events) == together(book(again[:cut]), book(again[cut:]))


def test_the_newest_pieces_and_the_earliest_campaign_touches_are_kept() -> None:
    events = [read(number, number) for number in range(1, 101)]
    kept = book(events)
    assert [piece.at_ms for piece in pieces(kept.recent)] == list(range(101 - RECENT, 101))
    assert [piece.at_ms for piece in pieces(kept.origins)] == list(range(1, ORIGINS + 1))


def test_an_event_that_is_reported_with_two_times_is_one_piece_with_the_earlier() -> None:
    for events in ([read(1, 5), read(2, 6), read(1, 9)], [read(1, 9), read(2, 6), read(1, 5)]):
        assert [piece.at_ms for piece in pieces(book(events).recent)] == [5, 6]


def test_what_says_nothing_of_content_is_left_out() -> None:
    assert book([read(1, 1, campaign=None, title=None)]) == ContentBook()


def test_texts_are_cut_and_cannot_break_the_layout() -> None:
    kept = book(
        [
            read(
                1,
                1,
                title="a\x1fb\x1ec" + "x" * 400,
                topics=("one\x1e", "two"),
                content_stage="decision",
            )
        ]
    )
    (piece,) = pieces(kept.recent)
    assert (piece.title[:5], len(piece.title), piece.topics, piece.stage) == (
        "a b c",
        300,
        ("one ", "two"),
        "decision",
    )

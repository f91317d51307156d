"""A challenger: who is in it, when it runs, what it may change, and that it ends."""

from __future__ import annotations

from typing import Any

import pytest

from baton.agreement.canonical import canonical_text
from baton.agreement.challengers import changed_sections, in_arm
from baton.agreement.model.agreement import Agreement
from baton.agreement.publish import NotPublished, approve, book_of, publish, put_in_force
from baton.agreement.publish_challenger import (
    Begun,
    publish_challenger,
    share_ppm_of,
    stop_challenger,
)
from baton.agreement.reference import SETTLE_MS
from tests.agreement.test_publish import ONE, TWO, V1, V2, Topic

FAR_MS = 10_000_000


def signed(*models: Agreement) -> Topic:
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0)
    for model in models:
        for side in ("marketing", "sales"):
            approve(topic, model, side=side, by=f"{side}-lead")
    return topic


def begin(topic: Topic, model: Agreement = TWO, **more: Any) -> Begun:
    asked = {"share_ppm": 200_000, "until_ms": FAR_MS, "now_ms": 20_000} | more
    return publish_challenger(topic, model, **asked)


def test_a_challenger_scores_its_share_from_its_beginning_until_its_end() -> None:
    topic = signed(TWO)
    begun = begin(topic)
    from_ms = topic.written[-1].at_ms + SETTLE_MS
    assert (begun.challenge.from_ms, begun.challenge.until_ms) == (from_ms, FAR_MS)
    book = book_of(topic.read())
    versions = []
    for now in (from_ms - 1, from_ms, FAR_MS - 1, FAR_MS):
        reference = book.at(now)
        assert reference is not None
        assert reference.version == V1, "pools and promises stay those in force"
        units = [f"firm{number}.example" for number in range(2_000)]
        versions.append({unit: reference.scoring_of(unit).version for unit in units})
    assert set(versions[0].values()) == set(versions[3].values()) == {V1}
    assert versions[1] == versions[2]
    share = sum(version == V2 for version in versions[1].values()) / 2_000
    assert share == pytest.approx(0.2, abs=0.03)
    assert all(
        (version == V2) == in_arm(unit, V2, 200_000) for unit, version in versions[1].items()
    )


def test_what_leads_adopt_has_another_name_while_a_challenger_runs() -> None:
    topic = signed(TWO)
    from_ms = begin(topic).challenge.from_ms
    book = book_of(topic.read())
    names = [
        reference.scoring_edition
        for now in (from_ms - 1, from_ms, FAR_MS)
        if (reference := book.at(now)) is not None
    ]
    assert names == [V1, f"{V1}+{V2}@200000", V1]


def test_the_same_again_changes_nothing_and_another_one_waits() -> None:
    topic = signed(TWO)
    begin(topic)
    size = len(topic.written)
    assert not begin(topic).changed
    assert len(topic.written) == size
    with pytest.raises(NotPublished, match="runs already: one change at a time"):
        begin(topic, share_ppm=300_000)


def test_it_ends_by_stop_and_by_a_publication() -> None:
    stopped = signed(TWO)
    begin(stopped)
    running = stop_challenger(stopped, now_ms=50_000)
    assert running is not None
    end_ms = stopped.written[-1].at_ms + SETTLE_MS
    book = book_of(stopped.read())
    assert book.at(end_ms - 1).challenge is not None  # type: ignore[union-attr]
    assert book.at(end_ms).challenge is None  # type: ignore[union-attr]
    assert stop_challenger(stopped, now_ms=end_ms) is None

    won = signed(TWO)
    begin(won)
    from_ms = publish(won, TWO, now_ms=50_000).from_ms
    assert from_ms is not None
    after = book_of(won.read()).at(from_ms)
    assert after is not None
    assert (after.version, after.challenge) == (V2, None)


def test_signatures_that_come_after_the_record_let_it_begin_then() -> None:
    topic = signed(TWO)
    begin(topic)
    # the same records, the signatures last
    late = [one for one in topic.written if one.record.version == V2]
    kept = [one for one in topic.written if one.record.version == V1]
    late.sort(key=lambda one: one.record.kind != "challenger")
    again = Topic()
    for one in (*kept, *late):
        again.write(one.record)
    (found,) = book_of(again.read()).challenges()
    assert found.from_ms == again.written[-1].at_ms + SETTLE_MS


def test_what_would_change_nothing_is_refused() -> None:
    same = ONE.model_copy(update={"name": "Another name"})
    with pytest.raises(NotPublished, match="it scores as the agreement in force does"):
        begin(signed(same), same)


def test_what_both_arms_share_may_not_change() -> None:
    elsewhere = ONE.model_copy(update={"timezone": "Asia/Tokyo"})
    with pytest.raises(NotPublished, match="this one changes timezone, which both arms share"):
        begin(signed(elsewhere), elsewhere)


def test_two_changes_at_once_are_refused() -> None:
    fit = {name: one.model_copy(update={"points": 7_000_000}) for name, one in ONE.fit.items()}
    both = TWO.model_copy(update={"fit": fit})
    with pytest.raises(NotPublished, match="changes engagement and fit at once"):
        begin(signed(both), both)
    changed = changed_sections(canonical_text(ONE), canonical_text(both))
    assert changed == ("engagement", "fit")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"share_ppm": 0}, "from 1% to 50%"),
        ({"share_ppm": 600_000}, "from 1% to 50%"),
        ({"until_ms": 10_000}, "an end that is still to come"),
        ({"now_ms": 12_000, "until_ms": 13_000}, "before it begins"),
    ],
)
def test_a_challenger_without_a_sound_share_or_end_is_refused(
    more: dict[str, Any], says: str
) -> None:
    with pytest.raises(NotPublished, match=says):
        begin(signed(TWO), **more)


def test_a_challenger_needs_both_signatures_and_something_to_challenge() -> None:
    with pytest.raises(NotPublished, match=f"version {V2} is not signed by marketing and sales"):
        begin(signed())
    topic = Topic()
    for side in ("marketing", "sales"):
        approve(topic, TWO, side=side, by=f"{side}-lead")
    with pytest.raises(NotPublished, match="no agreement is in force"):
        begin(topic)


def test_shares_are_read_as_they_are_written() -> None:
    assert [share_ppm_of(text) for text in ("20%", "2.5%", "20")] == [200_000, 25_000, 200_000]
    with pytest.raises(ValueError, match="is no share"):
        share_ppm_of("some")

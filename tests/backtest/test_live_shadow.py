"""A shadow beside a running system: each decision is published once whatever is done again, and
differences are those of what both decided since it began."""

from __future__ import annotations

import pytest

from baton.backtest.history import HistoricQualification, History
from baton.backtest.live_shadow import (
    Shadow,
    ShadowRefused,
    beginning,
    beside_history,
    ending,
    round_of,
    running,
    shadows_in,
)
from baton.backtest.replay import FirstQualification
from baton.backtest.shadow_decisions import (
    AGREED,
    EARLIER,
    ONLY_OTHER,
    ONLY_SHADOW,
    OTHER_LEVEL,
    OTHER_POOL,
)
from baton.cli.shadow_words import shadow_tables
from baton.contracts.codec import codec_for
from baton.contracts.shadows import ShadowRecord

BEGAN_MS = 1_000_000
MINUTE_MS = 60_000


class Topic:
    """The topic in memory; every record goes through its codec."""

    def __init__(self) -> None:
        self._codec = codec_for(ShadowRecord)
        self.raw: list[bytes] = []

    def add(self, *records: ShadowRecord) -> int:
        self.raw += [self._codec.encode(record) for record in records]
        return len(records)

    def records(self) -> list[ShadowRecord]:
        return [self._codec.decode(raw) for raw in self.raw]

    def shadow(self) -> Shadow:
        return shadows_in(self.records())[-1]


def decided(lead: str, at_ms: int, pool: str = "sdr", cycle: int = 1) -> FirstQualification:
    return FirstQualification(
        lead_id=lead,
        account=None,
        at_ms=at_ms,
        level="warm",
        leg="sdr",
        pool=pool,
        segment=None,
        source="web",
        hand_raised=False,
        cycle=cycle,
    )


def history(**leads: tuple[int, str, str]) -> History:
    found = History()
    for lead, (at_ms, pool, level) in leads.items():
        found.first[lead.replace("_", "/")] = HistoricQualification(
            at_ms=at_ms, level=level, leg="sdr", pool=pool
        )
    return found


@pytest.fixture
def topic() -> Topic:
    found = Topic()
    begun = beginning([], "new", BEGAN_MS)
    assert begun is not None
    found.add(begun)
    return found


def play(topic: Topic, until_ms: int, known: History, *ones: FirstQualification) -> int:
    decisions = {one.key: one for one in ones}
    return topic.add(
        *round_of(topic.shadow(), decisions, known, leads=len(ones), until_ms=until_ms)
    )


def test_a_round_that_is_done_again_adds_no_decision_and_a_later_one_only_what_is_new(
    topic: Topic,
) -> None:
    ones = [decided(f"l{number}", BEGAN_MS + number * MINUTE_MS) for number in range(4)]
    known = history()
    assert play(topic, BEGAN_MS + 2 * MINUTE_MS, known, *ones) == 2 + 1
    assert play(topic, BEGAN_MS + 2 * MINUTE_MS, known, *ones) == 0 + 1
    assert play(topic, BEGAN_MS + 9 * MINUTE_MS, known, *ones) == 2 + 1
    ids = [one.record_id for one in topic.records() if one.event == "decided"]
    assert len(ids) == len(set(ids)) == 4
    shadow = topic.shadow()
    assert (shadow.until_ms, shadow.leads) == (BEGAN_MS + 9 * MINUTE_MS, 4)


def test_a_decision_stands_as_it_was_published(topic: Topic) -> None:
    play(topic, BEGAN_MS + 9 * MINUTE_MS, history(), decided("l1", BEGAN_MS + 5))
    later = decided("l1", BEGAN_MS + 7, pool="sales")
    assert play(topic, BEGAN_MS + 9 * MINUTE_MS, history(), later) == 1
    assert topic.shadow().decided["l1"].pool == "sdr"


def test_differences_are_those_of_what_both_decided_since_it_began(topic: Topic) -> None:
    at, until_ms = BEGAN_MS + MINUTE_MS, BEGAN_MS + 60 * MINUTE_MS
    known = history(
        same=(at + 500, "sdr", "warm"),
        pool=(at, "sales", "warm"),
        level=(at, "sdr", "hot"),
        late=(at + 5 * MINUTE_MS, "sdr", "warm"),
        other=(at, "sdr", "warm"),
        before=(BEGAN_MS - 5, "sdr", "warm"),
        earlier=(at, "sdr", "warm"),
        again_2=(at, "sdr", "warm"),
        unripe=(until_ms + 5, "sdr", "warm"),
    )
    ones = [decided(name, at) for name in ("same", "pool", "level", "late", "only", "before")]
    ones += [decided("earlier", BEGAN_MS - 5), decided("again", at, cycle=2)]
    ones += [decided("unripe", until_ms + 5), decided("long_ago", BEGAN_MS - 5)]
    play(topic, until_ms, known, *ones)
    found = beside_history(topic.shadow(), known)
    assert found.counted == {
        AGREED: 2,
        OTHER_POOL: 1,
        OTHER_LEVEL: 1,
        EARLIER: 1,
        ONLY_OTHER: 1,
        ONLY_SHADOW: 1,
    }
    assert "long_ago" not in topic.shadow().decided, "it says nothing of what is decided since"
    counts, latest = shadow_tables(found)
    assert dict(counts.rows)[ONLY_SHADOW] == "1"
    assert {row[1] for row in latest.rows} == {"pool", "level", "late", "other", "only"}


def test_a_pool_that_the_router_chose_by_what_it_knows_is_no_difference(topic: Topic) -> None:
    at = BEGAN_MS + MINUTE_MS
    known = history()
    known.first["l1"] = HistoricQualification(at_ms=at, level=None, leg=None, pool=None)
    play(topic, at + MINUTE_MS, known, decided("l1", at))
    assert beside_history(topic.shadow(), known).counted == {AGREED: 1}


def test_one_shadow_at_a_time_and_the_same_goes_on(topic: Topic) -> None:
    shadows = shadows_in(topic.records())
    assert beginning(shadows, "new", BEGAN_MS + 1) is None
    with pytest.raises(ShadowRefused, match="shadow new runs already"):
        beginning(shadows, "newer", BEGAN_MS + 1)
    topic.add(ending(topic.shadow(), BEGAN_MS + 2))
    assert running(shadows_in(topic.records())) is None
    newer = beginning(shadows_in(topic.records()), "new", BEGAN_MS + 3)
    assert newer is not None
    topic.add(newer)
    assert topic.shadow().decided == {}
    assert topic.shadow().id != shadows[0].id


def test_records_whose_beginning_the_topic_has_lost_are_passed_over() -> None:
    lost = ShadowRecord(
        record_id="x", shadow_id="gone", event="decided", agreement="new", at_ms=1, lead="l1"
    )
    assert shadows_in([lost]) == []

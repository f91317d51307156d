"""History from a cluster: what is not asked for is skipped before it is decoded, and changes no
figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baton.backtest import cluster_history
from baton.backtest.cluster_history import take_record
from baton.backtest.history import History
from baton.cluster.decoded import as_document
from baton.cluster.log import Record
from baton.contracts.clock_kinds import Clock
from baton.contracts.codec import codec_for
from baton.contracts.slas import ClockState, SlaClock
from baton.contracts.topic_names import LEADS_SLA_CLOCKS

CLOCK = SlaClock(
    clock_id="c1",
    clock=Clock.ACCEPT.value,
    lead_id="lead-a",
    cycle=1,
    state=ClockState.BREACHED.value,
    started_at_ms=1_000,
    deadline_ms=2_000,
    at_ms=3_000,
    cause_id="x",
    agreement="v1",
)


def record(clock: SlaClock, number: int) -> Record:
    value = codec_for(SlaClock).encode(clock)
    return Record(LEADS_SLA_CLOCKS, 0, number, b"lead-a", value, (), 10_000 + number)


RECORDS = [
    record(replace(CLOCK, clock_id=f"c{number}-{kind.value}", clock=kind.value), number)
    for number, kind in enumerate(Clock)
] + [record(replace(CLOCK, clock=Clock.ROUTE.value, cause_id="accept"), 90)]


def test_history_is_the_same_with_what_is_skipped() -> None:
    whole, skipping = History(), History()
    for one in RECORDS:
        whole.take(as_document(one))
        take_record(skipping, one)
    assert skipping.finish() == whole.finish()
    assert skipping.accepts_due.total() == 1
    assert skipping.until_ms == 10_090, "a record that is skipped says how far history goes"


def test_clocks_that_are_not_asked_for_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    real = cluster_history.value_of
    monkeypatch.setattr(
        cluster_history, "value_of", lambda one: decoded.append(one.offset) or real(one)
    )
    for one in RECORDS:
        take_record(History(), one)
    accept = list(Clock).index(Clock.ACCEPT)
    assert decoded == [accept, 90], "the accept clock, and one that only looks so"

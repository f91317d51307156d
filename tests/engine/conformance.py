"""What every host must keep of the engine's promises: one class, run on the in-memory log and on
real Kafka.

A subclass gives the fixture ``host``. After each test the state of every task is computed again
from its journal and must equal its changelog byte for byte, and no fact may be there twice.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import dead_letter_topic
from baton.engine.batch import UNLIMITED, Limits, Record
from baton.engine.changelog import POSITION_KEY, head_key
from baton.engine.core import Core
from baton.engine.errors import ReducerFailed
from baton.engine.rebuild import final_changelog, rebuild
from baton.engine.records import Did
from baton.engine.reducer import Event
from baton.engine.task_config import TaskConfig
from tests.engine.hosts import EngineHost, Moment, Seen
from tests.engine.toys import (
    TERMS_LEAD_MS,
    TOY_TOPICS,
    Counter,
    Door,
    Fan,
    Judge,
    Named,
    Session,
    Shelf,
    ToyAdopted,
    ToyBook,
    ToyClick,
    ToyNamed,
    ToyNumber,
    ToyOrder,
    ToySession,
    ToyStart,
    ToyStock,
    ToyTermsRecord,
    ToyTotal,
    ToyVerdict,
)


def key_in(partition: int, partitions: int, prefix: str = "k") -> Iterator[str]:
    """Keys that lie in this partition."""
    number = 0
    while True:
        key = f"{prefix}{number}"
        if partition_of(key.encode(), partitions) == partition:
            yield key
        number += 1


async def rebuilt(host: EngineHost, reducer: Any, partition: int) -> dict[bytes, bytes]:
    """The changelog that the journal gives."""
    book = ToyBook()
    for place, term in enumerate(await host.read("toy.terms.v1")):
        assert isinstance(term.value, ToyTermsRecord)
        book.add(
            Event(
                topic=term.topic,
                partition=0,
                offset=place,
                key=term.key,
                value=term.value,
                id="",
                at_ms=term.at_ms,
                received_at_ms=term.at_ms,
            )
        )
    core = Core(
        reducer,
        book,
        TaskConfig(partitions=host.partitions, limits=UNLIMITED, topics=TOY_TOPICS),
        partition=partition,
    )
    inputs = {topic: await host.raw(topic, partition) for topic in reducer.inputs}

    def read(topic: str, offset: int) -> Iterator[Record]:
        return (record for record in inputs[topic] if record.offset >= offset)

    return dict(final_changelog(rebuild(core, await host.journal(reducer.name, partition), read)))


async def check(host: EngineHost) -> None:
    """What must be true at the end of every test."""
    for reducer in host.reducers:
        for partition in range(host.partitions):
            changelog = await host.changelog(reducer.name, partition)
            assert await rebuilt(host, reducer, partition) == changelog
            core = Core(
                reducer,
                ToyBook(),
                TaskConfig(partitions=host.partitions, topics=TOY_TOPICS),
                partition=partition,
            )
            for key, value in changelog.items():
                core.restore(key, value)
            position = core.restored()
            offsets, metadata = await host.committed(reducer.name, partition)
            assert position is not None
            assert (dict(position.offsets), str(position.batch)) == (offsets, metadata)
        for topic in reducer.outputs:
            ids = [record.headers["ce_id"] for record in await host.read(topic)]
            assert len(set(ids)) == len(ids), f"a fact is twice in {topic}"


def values(seen: list[Seen]) -> list[Any]:
    """Only the values."""
    return [record.value for record in seen]


class EngineConformance:
    """See the module."""

    @pytest.fixture(autouse=True)
    async def _checked(self, host: EngineHost) -> AsyncIterator[None]:
        yield
        await check(host)

    # ------------------------------------------------------------------ exactly once

    async def test_each_record_has_each_of_its_consequences_once(self, host: EngineHost) -> None:
        await host.start(Counter())
        await host.publish("v1")
        sent = [
            await host.send("toy.numbers.v1", f"k{number % 3}", ToyNumber(amount=number))
            for number in range(12)
        ]
        await host.settle()
        totals = await host.read("toy.totals.v1")
        expected = {
            f"k{k}": [
                ToyTotal(
                    count=n + 1,
                    total=sum(range(k, k + 3 * n + 1, 3)),
                    terms="v1",
                    at_ms=sent[k + 3 * n].at_ms,
                )
                for n in range(4)
            ]
            for k in range(3)
        }
        assert {
            key: [total.value for total in totals if total.key == key] for key in expected
        } == expected
        assert all(
            total.partition == partition_of(total.key.encode(), host.partitions) for total in totals
        )

    @pytest.mark.parametrize("moment", list(Moment))
    async def test_a_crash_anywhere_neither_loses_nor_doubles(
        self, host: EngineHost, moment: Moment
    ) -> None:
        await host.start(Counter(), partitions=1)
        await host.publish("v1")
        for _ in range(5):
            await host.send("toy.numbers.v1", "k", ToyNumber(amount=1, fan_out=2))
        await host.settle()
        await host.crash("counter", 0, moment)
        for _ in range(5, 12):
            await host.send("toy.numbers.v1", "k", ToyNumber(amount=1, fan_out=2))
        await host.settle()
        counts = [record.value.count for record in await host.read("toy.totals.v1")]
        assert counts == [number // 2 + 1 for number in range(24)]

    async def test_a_failed_transaction_is_tried_again_from_memory(self, host: EngineHost) -> None:
        await host.start(Session(), partitions=1)
        await host.publish("v1")
        first = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=60_000))
        await host.settle()
        await host.fail("session", 0)
        second = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=300))
        await host.pass_time(700)
        ended = ToySession(
            clicks=2, first_ms=first.at_ms, last_ms=second.at_ms, ended_ms=second.at_ms + 300
        )
        assert values(await host.read("toy.sessions.v1")) == [ended]

    async def test_small_batches_give_the_same(self, host: EngineHost) -> None:
        await host.start(Counter(), Session(), partitions=1, limits=Limits(outputs=3, wakes=2))
        await host.publish("v1")
        clicks = [
            await host.send("toy.clicks.v1", f"s{number}", ToyClick(gap_ms=200))
            for number in range(9)
        ]
        for _ in range(4):
            await host.send("toy.numbers.v1", "k", ToyNumber(amount=1, fan_out=4))
        await host.pass_time(400)
        assert [record.value.count for record in await host.read("toy.totals.v1")] == [
            number // 4 + 1 for number in range(16)
        ]
        assert [
            (record.key, record.value.ended_ms) for record in await host.read("toy.sessions.v1")
        ] == [(click.key, click.at_ms + 200) for click in clicks]

    # ------------------------------------------------------------------ on the wire

    async def test_a_fact_says_where_it_comes_from(self, host: EngineHost) -> None:
        await host.start(Counter())
        await host.publish("v1")
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        sent = await host.send(
            "toy.numbers.v1",
            "k",
            ToyNumber(amount=1),
            id="the-cause",
            received_at_ms=77,
            traceparent=trace,
        )
        await host.settle()
        (fact,) = await host.read("toy.totals.v1")
        made_at = fact.headers["made_at"]
        assert made_at.isdigit()
        assert {**fact.headers, "made_at": "", "ce_id": "", "ce_time": ""} == {
            "ce_id": "",
            "ce_source": "/baton/toys/counter",
            "ce_type": "baton.ToyTotal.v1",
            "ce_specversion": "1.0",
            "ce_time": "",
            "baton_agreement": "v1",
            "baton_cause": "the-cause",
            "received_at": "77",
            "traceparent": trace,
            "made_at": "",
        }
        assert fact.headers["ce_time"].endswith(f".{sent.at_ms % 1000:03d}Z")

    async def test_the_first_receipt_and_the_trace_go_through_every_hop(
        self, host: EngineHost
    ) -> None:
        await host.start(Fan(), Shelf())
        await host.publish("v1")
        order = await host.send(
            "toy.orders.v1", "o", ToyOrder(lines=("a", "b")), traceparent="00-t-01"
        )
        await host.settle()
        stock = await host.read("toy.stock.v1")
        assert sorted(record.key for record in stock) == ["a", "b"]
        assert {record.headers["received_at"] for record in stock} == {str(order.at_ms)}
        assert {record.headers["traceparent"] for record in stock} == {"00-t-01"}

    # ------------------------------------------------------------------ time and timers

    async def test_a_timer_fires_at_its_time_and_not_at_the_one_before(
        self, host: EngineHost
    ) -> None:
        await host.start(Session(), partitions=1)
        await host.publish("v1")
        first = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=1_500))
        last = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=3_000))
        silent = await host.send("toy.clicks.v1", "gone", ToyClick(gap_ms=100))
        await host.send("toy.clicks.v1", silent.key, ToyClick(gap_ms=0))
        await host.settle()
        assert await host.read("toy.sessions.v1") == []
        await host.pass_time(3_100)
        ended = ToySession(
            clicks=2, first_ms=first.at_ms, last_ms=last.at_ms, ended_ms=last.at_ms + 3_000
        )
        assert values(await host.read("toy.sessions.v1")) == [ended]
        assert set(await host.changelog("session", 0)) == {POSITION_KEY}

    async def test_timers_fire_in_order_of_time_and_key(self, host: EngineHost) -> None:
        await host.start(Session(), partitions=1)
        await host.publish("v1")
        clicks = [
            await host.send("toy.clicks.v1", key, ToyClick(gap_ms=gap))
            for key, gap in (("c", 700), ("a", 500), ("b", 300))
        ]
        await host.pass_time(900)
        due = sorted(
            (click.at_ms + gap, click.key)
            for click, gap in zip(clicks, (700, 500, 300), strict=True)
        )
        assert [
            (record.value.ended_ms, record.key) for record in await host.read("toy.sessions.v1")
        ] == due

    async def test_before_a_record_every_timer_due_by_then_fires(self, host: EngineHost) -> None:
        await host.start(Session(), partitions=1)
        await host.publish("v1")
        await host.settle()
        await host.halt("session")
        early = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=100))
        await host.pass_time(300)
        late = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=100))
        await host.resume("session")
        await host.pass_time(300)
        assert values(await host.read("toy.sessions.v1")) == [
            ToySession(
                clicks=1, first_ms=record.at_ms, last_ms=record.at_ms, ended_ms=record.at_ms + 100
            )
            for record in (early, late)
        ]

    async def test_timers_survive_a_restart(self, host: EngineHost) -> None:
        await host.start(Session(), partitions=1)
        await host.publish("v1")
        click = await host.send("toy.clicks.v1", "k", ToyClick(gap_ms=500))
        await host.settle()
        await host.restart("session", 0)
        await host.pass_time(700)
        (fact,) = await host.read("toy.sessions.v1")
        assert fact.value.ended_ms == click.at_ms + 500
        assert "traceparent" not in fact.headers
        assert fact.headers["received_at"] == str(click.at_ms + 500)

    async def test_several_inputs_are_taken_in_the_order_of_their_append_times(
        self, host: EngineHost
    ) -> None:
        await host.start(Fan(), Judge(), partitions=1)
        await host.publish("v1")
        await host.settle()
        await host.halt("judge")
        # the line before its start is nobody's; the one after it is in time
        for number in range(6):
            await host.send("toy.orders.v1", "early", ToyOrder(lines=(f"k{number}",)))
            await host.settle()
            start = await host.send("toy.starts.v1", f"k{number}", ToyStart(within_ms=60_000))
            if number % 2:
                await host.send("toy.orders.v1", "late", ToyOrder(lines=(f"k{number}",)))
                await host.settle()
        await host.resume("judge")
        await host.settle()
        verdicts = await host.read("toy.verdicts.v1")
        assert [(verdict.key, verdict.value.verdict) for verdict in verdicts] == [
            ("k1", "met"),
            ("k3", "met"),
            ("k5", "met"),
        ]
        assert verdicts[-1].value.deadline_ms == start.at_ms + 60_000

    # ------------------------------------------------------------------ the proof of the upstream

    async def test_a_deadline_that_nobody_met_is_breached(self, host: EngineHost) -> None:
        await host.start(Fan(), Judge(), partitions=1)
        await host.publish("v1")
        start = await host.send("toy.starts.v1", "k", ToyStart(within_ms=300))
        await host.pass_time(600)
        (verdict,) = values(await host.read("toy.verdicts.v1"))
        deadline = start.at_ms + 300
        assert verdict == ToyVerdict(verdict="breached", deadline_ms=deadline, at_ms=verdict.at_ms)
        assert verdict.at_ms >= deadline

    async def test_what_came_before_the_deadline_is_never_judged_late_though_the_upstream_was_down(
        self, host: EngineHost
    ) -> None:
        await host.start(Fan(), Judge(), partitions=1)
        await host.publish("v1")
        await host.settle()
        await host.halt("fan")
        start = await host.send("toy.starts.v1", "k", ToyStart(within_ms=2_500))
        await host.send("toy.orders.v1", "o", ToyOrder(lines=("k",)))
        other = await host.send("toy.starts.v1", "other", ToyStart(within_ms=60_000))
        await host.pass_time(2_700)
        assert await host.read("toy.verdicts.v1") == []
        await host.resume("fan")
        await host.pass_time(500)
        (fact,) = await host.read("toy.verdicts.v1")
        assert (fact.key, fact.value.verdict, fact.value.deadline_ms) == (
            "k",
            "met",
            start.at_ms + 2_500,
        )
        assert head_key(other.key) in await host.changelog("judge", 0)

    # ------------------------------------------------------------------ state

    async def test_entries_are_kept_ordered_and_dropped(self, host: EngineHost) -> None:
        await host.start(Fan(), Shelf(), partitions=1)
        await host.publish("v1")
        for order in ("d", "b", "a", "c"):
            await host.send("toy.orders.v1", order, ToyOrder(lines=("shelf",)))
        await host.settle()
        await host.restart("shelf", 0)
        await host.send("toy.orders.v1", "e", ToyOrder(lines=("shelf",)))
        await host.settle()
        assert values(await host.read("toy.stock.v1"))[-1] == ToyStock(
            count=5, first=("a", "b", "c"), last=("d", "c")
        )
        for order in ("a", "e", "b", "c"):
            await host.send("toy.orders.v1", order, ToyOrder(lines=("shelf",), remove=True))
        await host.settle()
        assert values(await host.read("toy.stock.v1"))[-1] == ToyStock(
            count=1, first=("c", "d"), last=("d", "c")
        )
        assert len(await host.changelog("shelf", 0)) == 3
        await host.send("toy.orders.v1", "d", ToyOrder(lines=("shelf",), remove=True))
        await host.settle()
        assert set(await host.changelog("shelf", 0)) == {POSITION_KEY}

    # ------------------------------------------------------------------ the agreement

    async def test_nothing_is_taken_before_there_are_terms(self, host: EngineHost) -> None:
        await host.start(Counter())
        await host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
        await host.pass_time(300)
        assert await host.read("toy.totals.v1") == []
        await host.publish("v1")
        await host.settle()
        (total,) = values(await host.read("toy.totals.v1"))
        assert (total.count, total.terms) == (1, "v1")

    async def test_new_terms_are_adopted_by_every_key_once(self, host: EngineHost) -> None:
        await host.start(Counter(), partitions=1)
        await host.publish("v1")
        for key in ("a", "b", "c"):
            await host.send("toy.numbers.v1", key, ToyNumber(amount=1))
        appended = await host.publish("v2")
        await host.send("toy.numbers.v1", "b", ToyNumber(amount=1))
        await host.settle()
        assert await host.read("toy.adopted.v1") == []
        await host.pass_time(TERMS_LEAD_MS)
        await host.send("toy.numbers.v1", "b", ToyNumber(amount=1))
        await host.pass_time(1_000)
        adopted = await host.read("toy.adopted.v1")
        assert sorted(record.key for record in adopted) == ["a", "b", "c"]
        for record in adopted:
            assert record.value == ToyAdopted(old="v1", new="v2", at_ms=record.value.at_ms)
            assert record.value.at_ms >= appended + TERMS_LEAD_MS
            assert record.headers["baton_agreement"] == "v2"
        assert [
            record.value.terms for record in await host.read("toy.totals.v1") if record.key == "b"
        ] == ["v1", "v1", "v2"]

    # ------------------------------------------------------------------ what is wrong

    async def test_what_the_outside_sends_wrong_is_a_dead_letter_and_the_rest_goes_on(
        self, host: EngineHost
    ) -> None:
        await host.start(Door(), partitions=1)
        await host.publish("v1")
        await host.send_raw("toy.outside.v1", None, b"12", [("received_at", b"1")])
        _, offset = await host.send_raw(
            "toy.outside.v1",
            b"\xff\xfe",
            b"\x00not a number",
            [("theirs", b"kept"), ("received_at", b"1")],
        )
        await host.send_raw("toy.outside.v1", b"k", b"34")
        await host.settle()
        admitted = await host.read("toy.admitted.v1")
        assert [(record.key, record.value.amount) for record in admitted] == [("", 12), ("k", 34)]
        assert {int(record.headers["received_at"]) > 1 for record in admitted} == {True}
        (dead,) = await host.raw(dead_letter_topic("toy.outside.v1"), 0)
        headers = {name: value.decode() for name, value in dead.headers}
        failed_at = headers.pop("__dlq.errors.first_failed_at")
        assert failed_at.endswith("Z")
        assert (dead.key, dead.value) == (b"\xff\xfe", b"\x00not a number")
        assert headers == {
            "theirs": "kept",
            "received_at": "1",
            "__dlq.errors.topic": "toy.outside.v1",
            "__dlq.errors.partition": "0",
            "__dlq.errors.offset": str(offset),
            "__dlq.errors.group": headers["__dlq.errors.group"],
            "__dlq.errors.message": "send decimal digits",
            "__dlq.errors.code": "not_a_number",
            "__dlq.errors.stage": "door",
            "__dlq.errors.service": "toys",
            "__dlq.errors.version": headers["__dlq.errors.version"],
        }

    async def test_a_reducer_that_raises_stops_its_task_alone_until_the_record_is_skipped(
        self, host: EngineHost
    ) -> None:
        await host.start(Counter())
        await host.publish("v1")
        here, there = next(key_in(0, 2)), next(key_in(1, 2))
        await host.send("toy.numbers.v1", here, ToyNumber(amount=1))
        poison = await host.send("toy.numbers.v1", here, ToyNumber(amount=666))
        await host.send("toy.numbers.v1", here, ToyNumber(amount=2))
        await host.send("toy.numbers.v1", there, ToyNumber(amount=3))
        await host.settle()
        failures = await host.failures()
        error = failures["counter", 0]
        assert set(failures) == {("counter", 0)}
        assert isinstance(error, ReducerFailed)
        assert "example.com" not in str(error)
        assert error.place == f"record:toy.numbers.v1@{poison.offset}"
        assert sorted(record.value.total for record in await host.read("toy.totals.v1")) == [1, 3]
        await host.skip("counter", 0, error.place)
        await host.settle()
        assert await host.failures() == {}
        assert [
            record.value.total for record in await host.read("toy.totals.v1") if record.key == here
        ] == [1, 3]
        said = [
            line.place
            for batch in await host.journal("counter", 0)
            for line in batch.lines
            if line.did == Did.SKIP
        ]
        assert said == [error.place]

    async def test_a_record_of_our_own_that_cannot_be_read_stops_the_task(
        self, host: EngineHost
    ) -> None:
        await host.start(Counter(), partitions=1)
        await host.publish("v1")
        _, offset = await host.send_raw("toy.numbers.v1", b"k", b"\x00garbage")
        await host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
        await host.settle()
        (error,) = (await host.failures()).values()
        assert isinstance(error, ReducerFailed)
        assert error.place == f"record:toy.numbers.v1@{offset}"
        await host.skip("counter", 0, error.place)
        await host.settle()
        assert [record.value.total for record in await host.read("toy.totals.v1")] == [1]

    async def test_a_key_in_the_wrong_partition_is_never_taken(self, host: EngineHost) -> None:
        """One key with a state in two tasks would have two heads, and whatever follows from
        each."""
        await host.start(Counter())
        await host.publish("v1")
        here, there = next(key_in(0, 2)), next(key_in(1, 2))
        _, offset = await host.send_raw(
            "toy.numbers.v1", there.encode(), codec_for(ToyNumber).encode(ToyNumber(amount=1))
        )
        await host.send("toy.numbers.v1", here, ToyNumber(amount=2))
        await host.send("toy.numbers.v1", there, ToyNumber(amount=4))
        await host.settle()
        (error,) = (await host.failures()).values()
        assert isinstance(error, ReducerFailed)
        assert error.place == f"record:toy.numbers.v1@{offset}"
        assert "its key belongs to partition 1 of 2" in str(error)
        assert there not in str(error)
        assert head_key(there) not in await host.changelog("counter", 0)
        await host.skip("counter", 0, error.place)
        await host.settle()
        totals = {record.key: record.value.total for record in await host.read("toy.totals.v1")}
        assert totals == {here: 2, there: 4}

    async def test_a_key_that_is_not_text_stops_the_task_until_it_is_skipped(
        self, host: EngineHost
    ) -> None:
        await host.start(Counter(), partitions=1)
        await host.publish("v1")
        _, offset = await host.send_raw(
            "toy.numbers.v1", b"\xff\xfe", codec_for(ToyNumber).encode(ToyNumber(amount=1))
        )
        await host.send("toy.numbers.v1", "k", ToyNumber(amount=2))
        await host.settle()
        (error,) = (await host.failures()).values()
        assert isinstance(error, ReducerFailed)
        assert (error.place, "its key is not UTF-8" in str(error)) == (
            f"record:toy.numbers.v1@{offset}",
            True,
        )
        await host.skip("counter", 0, error.place)
        await host.settle()
        assert [record.value.total for record in await host.read("toy.totals.v1")] == [2]

    async def test_a_key_that_is_not_its_value_s_stops_the_task_until_it_is_skipped(
        self, host: EngineHost
    ) -> None:
        await host.start(Named(), partitions=1)
        await host.publish("v1")
        _, offset = await host.send_raw(
            "toy.named.v1", b"another", codec_for(ToyNamed).encode(ToyNamed(name="mine"))
        )
        await host.send("toy.named.v1", "mine", ToyNamed(name="mine"))
        await host.settle()
        (error,) = (await host.failures()).values()
        assert isinstance(error, ReducerFailed)
        assert error.place == f"record:toy.named.v1@{offset}"
        assert "its key is not the name of its value" in str(error)
        await host.skip("named", 0, error.place)
        await host.settle()
        assert set(await host.changelog("named", 0)) == {POSITION_KEY, head_key("mine")}

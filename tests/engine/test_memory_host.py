"""The in-memory log: crashes anywhere change nothing, owners are fenced, time passes as it
should."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.codec import codec_for
from baton.contracts.topics import changelog_topic
from baton.engine.batch import UNLIMITED, Limits
from baton.engine.core import Core
from baton.engine.errors import EngineError, ReducerFailed, StateMismatch
from baton.engine.input_merge import InputMerge
from baton.engine.memory import Aborted, Crash, Fenced, MemoryHost, MemoryTask, Stored
from baton.engine.memory import Moment as Place
from baton.engine.rebuild import JournalMismatch, rebuild
from baton.engine.records import BatchJournal
from baton.engine.task_config import TaskConfig
from tests.engine.conformance import check
from tests.engine.memory_bench import START_MS, MemoryBench
from tests.engine.toys import (
    TERMS_LEAD_MS,
    TOY_TOPICS,
    Counter,
    Fan,
    Judge,
    Session,
    Shelf,
    ToyBook,
    ToyClick,
    ToyNumber,
    ToyOrder,
    ToyStart,
    ToyTermsRecord,
    ToyVerdict,
)

KEYS = st.sampled_from(["a", "b", "c"])
SENDS = st.one_of(
    st.tuples(
        st.just("toy.numbers.v1"),
        KEYS,
        st.builds(ToyNumber, amount=st.integers(0, 9), fan_out=st.integers(0, 3)),
    ),
    st.tuples(st.just("toy.clicks.v1"), KEYS, st.builds(ToyClick, gap_ms=st.integers(0, 40))),
    st.tuples(
        st.just("toy.orders.v1"),
        KEYS,
        st.builds(ToyOrder, lines=st.tuples(KEYS, KEYS), remove=st.booleans()),
    ),
    st.tuples(st.just("toy.terms.v1"), st.sampled_from(["v2", "v3"]), st.none()),
    st.tuples(st.just("pass"), st.just(""), st.integers(0, 12_000)),
    st.tuples(st.just("settle"), st.just(""), st.none()),
)
FAULTS = st.tuples(
    st.sampled_from(["counter", "session", "fan", "shelf"]),
    st.integers(0, 40),
    st.sampled_from(
        [
            (place, error)
            for place in Place
            for error in (Crash, Aborted)
            if error is Crash or place is Place.SEALED
        ]
    ),
)


async def play(script: list[Any], faults: list[Any], limits: Limits) -> MemoryBench:
    bench = MemoryBench()
    await bench.start(Counter(), Session(), Fan(), Shelf(), partitions=1, limits=limits)
    for name in ("counter", "session", "fan", "shelf"):
        _plan(bench.memory.tasks[name, 0], [fault for fault in faults if fault[0] == name])
    await bench.publish("v1")
    for act, key, value in script:
        if act == "pass":
            await bench.pass_time(value)
        elif act == "settle":
            await bench.settle()
        else:
            await bench.send(act, key, ToyTermsRecord(version=key) if value is None else value)
    await bench.pass_time(50)
    return bench


def _plan(task: MemoryTask, faults: list[Any]) -> None:
    """Raise each fault when the task comes to its place for the n-th time."""
    seen = dict.fromkeys(Place, 0)
    left = [(number, place, error) for _, number, (place, error) in faults]

    def hook(place: Place) -> None:
        seen[place] += 1
        for fault in left:
            if fault[:2] == (seen[place], place):
                left.remove(fault)
                raise fault[2](task)

    task.hook = hook


def reported(bench: MemoryBench) -> list[Stored]:
    """Every fact, without the worker's clock."""
    flow = {topic for topic, spec in TOY_TOPICS.items() if spec.record is not None}
    return [
        record._replace(
            headers=[(name, value) for name, value in record.headers if name != "made_at"]
        )
        for topic in sorted(flow)
        for record in bench.memory.log.records(topic, 0)
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(SENDS, max_size=25), st.lists(FAULTS, max_size=6), st.integers(1, 6), st.integers(1, 4)
)
async def test_crashes_and_small_batches_change_no_fact_and_no_state(
    script: list[Any], faults: list[Any], outputs: int, wakes: int
) -> None:
    calm = await play(script, [], Limits())
    rough = await play(script, faults, Limits(outputs=outputs, wakes=wakes))
    assert reported(rough) == reported(calm)
    for name in ("counter", "session", "fan", "shelf"):
        there, here = await rough.changelog(name, 0), await calm.changelog(name, 0)
        assert {key: value for key, value in there.items() if key != b"p"} == {
            k: v for k, v in here.items() if k != b"p"
        }
    await check(rough)


def host_of(*reducers: Any, partitions: int = 1, terms: str | None = "v1") -> MemoryHost:
    book = ToyBook() if terms is None else ToyBook(terms)
    return MemoryHost(
        reducers, book, TaskConfig(partitions=partitions, topics=TOY_TOPICS), start_ms=START_MS
    )


def test_a_former_owner_that_comes_back_can_commit_nothing() -> None:
    host = host_of(Counter())
    former = host.tasks["counter", 0]
    owner = MemoryTask(Counter(), 0, host.log, host.book, TaskConfig(topics=TOY_TOPICS))
    owner.start()
    host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    with pytest.raises(Fenced):
        former.work()
    assert host.log.records("toy.totals.v1", 0) == []
    owner.work()
    assert len(host.log.records("toy.totals.v1", 0)) == 1


def test_a_task_that_took_the_place_of_another_is_the_one_that_runs() -> None:
    host = host_of(Counter())
    owner = MemoryTask(Counter(), 0, host.log, host.book, TaskConfig(topics=TOY_TOPICS))
    owner.start()
    host.tasks["counter", 0] = owner
    host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    host.settle()
    assert len(host.log.records("toy.totals.v1", 0)) == 1


def test_a_task_whose_changelog_was_lost_refuses_to_run() -> None:
    host = host_of(Counter())
    host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    host.settle()
    host.log.records(changelog_topic("counter"), 0).clear()
    with pytest.raises(
        StateMismatch, match=r"counter\[0\]: offsets are committed \(toy.numbers.v1@1\)"
    ):
        host.tasks["counter", 0].start()


def test_an_input_that_is_not_seen_yet_is_processed_later_and_once() -> None:
    host = host_of(Counter())
    task = host.tasks["counter", 0]
    task.sees["toy.numbers.v1"] = 1
    for _ in range(3):
        host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    host.settle()
    assert len(host.log.records("toy.totals.v1", 0)) == 1
    del task.sees["toy.numbers.v1"]
    host.settle()
    assert len(host.log.records("toy.totals.v1", 0)) == 3


def test_what_cannot_be_proven_is_reported_unproven_after_the_limit_and_proven_when_it_can_be() -> (
    None
):
    host = host_of(Fan(), Judge())
    fan = host.tasks["fan", 0]
    fan.crash()
    host.send("toy.starts.v1", "k", ToyStart(within_ms=1_000))
    host.send("toy.orders.v1", "o", ToyOrder(lines=("other",)))
    host.advance(START_MS + 300_000)
    assert host.log.records("toy.verdicts.v1", 0) == []
    host.advance(START_MS + 400_000)
    fan.start()
    host.settle()
    codec = codec_for(ToyVerdict)
    assert [
        codec.decode(record.value or b"") for record in host.log.records("toy.verdicts.v1", 0)
    ] == [
        ToyVerdict(verdict="unproven", deadline_ms=START_MS + 1_000, at_ms=START_MS + 301_000),
        ToyVerdict(verdict="breached", deadline_ms=START_MS + 1_000, at_ms=START_MS + 400_000),
    ]


def test_time_stops_at_the_very_moment_new_terms_come_into_force() -> None:
    host = host_of(Counter())
    host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    host.log.now += 7
    host.send("toy.terms.v1", "v2", ToyTermsRecord(version="v2"))
    host.advance(START_MS + 60_000)
    (adopted,) = host.log.records("toy.adopted.v1", 0)
    assert adopted.timestamp == START_MS + 7 + TERMS_LEAD_MS


def test_a_reducer_that_raises_is_raised_from_the_host() -> None:
    host = host_of(Counter())
    host.send("toy.numbers.v1", "k", ToyNumber(amount=666))
    with pytest.raises(ReducerFailed):
        host.settle()


def test_the_same_script_gives_the_same_history() -> None:
    def history() -> list[Stored]:
        host = host_of(Fan(), Shelf(), Session(), partitions=3)
        for number in range(30):
            host.send(
                "toy.orders.v1", f"o{number}", ToyOrder(lines=(f"s{number % 5}", f"s{number % 7}"))
            )
            host.send("toy.clicks.v1", f"c{number % 4}", ToyClick(gap_ms=90))
            host.advance(host.log.now + 25)
        return host.log.history

    assert history() == history()


# ---------------------------------------------------------------------- the rebuild finds what is
# wrong


async def counted() -> MemoryBench:
    bench = MemoryBench()
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    for amount in range(6):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=amount))
        if amount != 3:  # one batch of two records
            await bench.settle()
    return bench


def follow(bench: MemoryBench, journal: list[BatchJournal], records: list[Stored]) -> None:
    core = Core(Counter(), ToyBook("v1"), TaskConfig(limits=UNLIMITED, topics=TOY_TOPICS))
    list(
        rebuild(
            core,
            journal,
            lambda topic, offset: (record for record in records if record.offset >= offset),
        )
    )


@pytest.mark.parametrize(("gone", "run"), [(2, "2 to 2"), (3, "3 to 4"), (4, "3 to 4")])
async def test_a_record_that_is_gone_is_named(gone: int, run: str) -> None:
    bench = await counted()
    journal, records = (
        await bench.journal("counter", 0),
        bench.memory.log.records("toy.numbers.v1", 0),
    )
    follow(bench, journal, records)
    with pytest.raises(JournalMismatch, match=rf"toy\.numbers\.v1 from {run} are not all there"):
        follow(bench, journal, [record for record in records if record.offset != gone])


async def test_a_batch_that_is_gone_is_named() -> None:
    bench = await counted()
    journal, records = (
        await bench.journal("counter", 0),
        bench.memory.log.records("toy.numbers.v1", 0),
    )
    with pytest.raises(JournalMismatch, match="batch 3 is not in the journal"):
        follow(bench, [record for record in journal if record.batch != 3], records)


async def test_a_changelog_that_somebody_touched_differs_from_its_rebuild() -> None:
    bench = await counted()
    held = bench.memory.log.records(changelog_topic("counter"), 0)
    last = next(record for record in reversed(held) if record.key == b"hk")
    assert last.value is not None
    held.append(last._replace(offset=len(held), value=last.value[:-1] + b"\x7f"))
    with pytest.raises(AssertionError):
        await check(bench)


async def test_a_fact_that_is_twice_is_found() -> None:
    bench = await counted()
    totals_topic = bench.memory.log.records("toy.totals.v1", 0)
    totals_topic.append(totals_topic[-1]._replace(offset=len(totals_topic)))
    with pytest.raises(AssertionError, match=r"twice in toy\.totals\.v1"):
        await check(bench)


def test_fetched_records_that_got_lost_are_noticed_before_anybody_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = host_of(Counter())
    monkeypatch.setattr(InputMerge, "rewind", InputMerge.commit)
    _plan(host.tasks["counter", 0], [("counter", 1, (Place.SEALED, Aborted))])
    host.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    with pytest.raises(EngineError, match=r"counter\[0\] lost fetched records of toy\.numbers\.v1"):
        host.settle()

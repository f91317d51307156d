"""The state machine of a task by itself: what the conformance suite cannot see from outside."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.codec import codec_for
from baton.engine.batch import Batch, Limits
from baton.engine.core import Core
from baton.engine.errors import OutOfOrder, ReducerFailed
from baton.engine.rebuild import rebuild
from baton.engine.records import BatchJournal
from baton.engine.reducer import Event, Fact, Reducer, Rejection, Step, View
from baton.engine.task_config import TaskConfig
from tests.engine.test_input_merge import Fetched
from tests.engine.toys import (
    TERMS_LEAD_MS,
    TOY_TOPICS,
    Counter,
    Door,
    Judge,
    Session,
    ToyAdopted,
    ToyBook,
    ToyClick,
    ToyClock,
    ToyLine,
    ToyNumber,
    ToySession,
    ToyStart,
    ToyTerms,
    ToyTermsRecord,
    ToyTotal,
    ToyVerdict,
)


def core_of(
    reducer: Reducer[Any, Any], book: ToyBook | None = None, limits: Limits = Limits()
) -> Core:
    return Core(reducer, book or ToyBook("v1"), TaskConfig(topics=TOY_TOPICS, limits=limits))


def record(offset: int, at_ms: int, key: str, value: Any) -> Fetched:
    return Fetched(
        offset,
        at_ms,
        key.encode(),
        codec_for(type(value)).encode(value),
        (("ce_id", f"e{offset}".encode()),),
    )


def commit(core: Core, *acts: Callable[[], Any]) -> Batch | None:
    """One batch of these acts, folded."""
    core.begin(0)
    for act in acts:
        act()
    batch = core.seal()
    core.discard() if batch is None else core.commit()
    return batch


def click(
    core: Core, offset: int, at_ms: int, key: str = "k", gap_ms: int = 100
) -> Callable[[], bool]:
    return lambda: core.process(
        "toy.clicks.v1", record(offset, at_ms, key, ToyClick(gap_ms=gap_ms))
    )


def number(
    core: Core, offset: int, at_ms: int, key: str = "k", amount: int = 1
) -> Callable[[], bool]:
    return lambda: core.process(
        "toy.numbers.v1", record(offset, at_ms, key, ToyNumber(amount=amount))
    )


def memory_of(core: Core) -> Mapping[str, Any]:
    """Everything a dropped batch must leave as it was."""
    timers = core._held_timers.timers
    return {
        "now": core.now,
        "number": core.number,
        "positions": dict(core.positions),
        "adopted": core.adopted,
        "heads": {key: core._store.head(key) for key in list(core._store.keys())},
        "timers": {key: timers.due(key) for key in list(core._store.keys())},
        "held": dict(core._held_timers.held.items()),
        "next_due": core.next_due,
    }


def values(batch: Batch | None, kind: type) -> list[Any]:
    assert batch is not None
    topics = {topic for topic, spec in TOY_TOPICS.items() if spec.record is kind}
    return [
        codec_for(kind).decode(record.value)
        for record in batch.outgoing
        if record.topic in topics and record.value
    ]


# ---------------------------------------------------------------------- the overlay

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("click"), st.sampled_from("abc"), st.integers(0, 300)),
        st.tuples(st.just("advance"), st.just(""), st.integers(0, 400)),
    ),
    max_size=12,
)


def perform(core: Core, acts: list[tuple[str, str, int]]) -> None:
    for act, key, amount in acts:
        at_ms = core.now + 10
        if act == "click":
            core.process(
                "toy.clicks.v1",
                record(core.positions.get("toy.clicks.v1", 0), at_ms, key, ToyClick(gap_ms=amount)),
            )
        else:
            core.advance(at_ms + amount)


@given(ACTS, ACTS)
def test_a_dropped_batch_leaves_everything_as_it_was(before: list[Any], dropped: list[Any]) -> None:
    core = core_of(Session())
    commit(core, lambda: perform(core, before))
    remembered = memory_of(core)
    core.begin(0)
    perform(core, dropped)
    first = core.seal()
    core.discard()
    assert memory_of(core) == remembered
    core.begin(0)
    perform(core, dropped)
    assert core.seal() == first
    core.discard()


@given(ACTS, ACTS)
def test_a_dropped_batch_leaves_held_timers_as_they_were(
    before: list[Any], dropped: list[Any]
) -> None:
    core = core_of(Judge())

    def judge(acts: list[Any]) -> None:
        for act, key, amount in acts:
            at_ms = core.now + 10
            offsets = {topic: core.positions.get(topic, 0) for topic in Judge.inputs}
            if act == "advance":
                core.advance(at_ms + amount)
                core.fire_held(core.now - amount // 2, proven=amount % 2 == 0)
            elif amount % 3:
                core.process(
                    "toy.starts.v1",
                    record(offsets["toy.starts.v1"], at_ms, key, ToyStart(within_ms=amount)),
                )
            else:
                line = ToyLine(order="o", remove=False, ordered_at_ms=0)
                core.process("toy.lines.v1", record(offsets["toy.lines.v1"], at_ms, key, line))

    commit(core, lambda: judge(before))
    remembered = memory_of(core)
    core.begin(0)
    judge(dropped)
    core.discard()
    assert memory_of(core) == remembered


@given(ACTS, st.integers(1, 12))
def test_where_batches_end_changes_nothing_but_the_position(acts: list[Any], size: int) -> None:
    def run(length: int) -> tuple[list[Any], dict[bytes, bytes | None]]:
        core, facts, changelog = core_of(Session()), list[Any](), dict[bytes, bytes | None]()
        for start in range(0, len(acts), length):
            batch = commit(core, partial(perform, core, acts[start : start + length]))
            if batch is not None:
                facts += batch.outgoing
                changelog |= dict(batch.changelog)
        del changelog[b"p"]
        return facts, {key: value for key, value in changelog.items() if value is not None}

    if acts:
        assert run(size) == run(len(acts))


def test_a_restored_task_is_the_one_that_wrote_the_changelog() -> None:
    core, twin = core_of(Session()), core_of(Session())
    for number_of in range(4):
        batch = commit(core, click(core, number_of, 1_000 + 10 * number_of, "abab"[number_of], 50))
        assert batch is not None
        for key, value in batch.changelog:
            twin.restore(key, value)
    twin.restored()
    assert memory_of(twin) == memory_of(core)


def test_what_is_new_of_the_changelog_can_be_added_to_a_kept_state() -> None:
    core, kept = core_of(Session()), core_of(Session())
    first = commit(core, click(core, 0, 1_000, "a", 50), click(core, 1, 1_000, "b", 5_000))
    second = commit(core, click(core, 2, 1_100, "c", 70))
    assert first is not None
    assert second is not None
    for batch in (first, second):
        for key, value in batch.changelog:
            kept.restore(key, value)
        kept.restored()
    assert memory_of(kept) == memory_of(core)
    assert [
        entry.ended_ms for entry in values(commit(kept, lambda: kept.advance(9_999)), ToySession)
    ] == [1_170, 6_000]


# ---------------------------------------------------------------------- time


def test_time_never_runs_backwards() -> None:
    core = core_of(Counter())
    batch = commit(core, number(core, 0, 5_000), number(core, 1, 4_000))
    assert [total.at_ms for total in values(batch, ToyTotal)] == [5_000, 5_000]


def test_a_timer_is_woken_at_its_due_time_and_a_past_one_at_once() -> None:
    class Impatient(Session):
        def wake(
            self, view: View[ToySession], *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            assert view.head is not None
            head = replace(view.head, ended_ms=now)
            again = None if view.head.ended_ms else now - 30
            return Step(head=head, wake_at=again, facts=(Fact("toy.sessions.v1", view.key, head),))

    core = core_of(Impatient())
    batch = commit(core, click(core, 0, 1_000), lambda: core.advance(5_000))
    assert [value.ended_ms for value in values(batch, ToySession)] == [1_100, 1_100]
    assert len({dict(record.headers)["ce_id"] for record in batch.outgoing}) == 2  # type: ignore[union-attr]


def test_a_timer_due_at_the_very_moment_of_a_record_fires_before_it() -> None:
    core = core_of(Session())
    batch = commit(core, click(core, 0, 1_000), click(core, 1, 1_100))
    assert values(batch, ToySession) == [
        ToySession(clicks=1, first_ms=1_000, last_ms=1_000, ended_ms=1_100)
    ]


def test_a_later_life_of_a_key_in_the_same_millisecond_has_wakes_of_its_own() -> None:
    core = core_of(Session())
    ids = []
    for offset in range(2):
        batch = commit(core, click(core, offset, 1_000, "k", -5), lambda: core.advance(1_000))
        assert batch is not None
        ids += [dict(record.headers)["ce_id"] for record in batch.outgoing]
    assert len(set(ids)) == 2


def test_a_full_batch_takes_no_more_until_it_is_committed() -> None:
    core = core_of(Counter(), limits=Limits(outputs=3))
    core.begin(0)
    assert [number(core, offset, 1_000)() for offset in range(3)] == [True, True, False]
    assert core.full
    core.seal()
    core.commit()
    core.begin(0)
    assert number(core, 2, 1_000)()


def test_a_batch_that_is_full_of_timers_says_so_and_goes_on_where_it_was() -> None:
    core = core_of(Session(), limits=Limits(wakes=2))
    commit(core, *(click(core, offset, 1_000 + offset, f"k{offset}") for offset in range(5)))
    seen = []
    for complete in (False, False, True):
        core.begin(0)
        assert (
            core.process("toy.clicks.v1", record(5, 9_000, "new", ToyClick(gap_ms=1))) is complete
        )
        seen += values(core.seal(), ToySession)
        core.commit()
    assert [batch.ended_ms for batch in seen] == [1_100, 1_101, 1_102, 1_103, 1_104]
    assert core.positions == {"toy.clicks.v1": 6}


def test_a_wake_that_never_lets_time_move_is_stopped() -> None:
    class Spinning(Session):
        def wake(
            self, view: View[ToySession], *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            return Step(head=view.head, wake_at=now)

    core = core_of(Spinning())
    commit(core, click(core, 0, 1_000))
    core.begin(0)
    with pytest.raises(ReducerFailed, match=r"wake:k@1100: WakeLoop"):
        core.advance(2_000)


# ---------------------------------------------------------------------- held timers


def start(core: Core, offset: int, at_ms: int, key: str, within_ms: int) -> Callable[[], bool]:
    return lambda: core.process(
        "toy.starts.v1", record(offset, at_ms, key, ToyStart(within_ms=within_ms))
    )


def verdicts(batch: Batch | None) -> list[tuple[str, str, int]]:
    assert batch is not None
    keys = [record.key.decode() for record in batch.outgoing if record.key]
    return [
        (key, verdict.verdict, verdict.at_ms)
        for key, verdict in zip(keys, values(batch, ToyVerdict), strict=True)
    ]


def test_with_an_upstream_a_due_timer_is_held_until_it_is_proven_to_that_time() -> None:
    core = core_of(Judge())
    commit(
        core,
        start(core, 0, 1_000, "b", 100),
        start(core, 1, 1_001, "a", 300),
        start(core, 2, 1_002, "c", 9_000),
    )
    assert commit(core, lambda: core.advance(2_000)).outgoing == []  # type: ignore[union-attr]
    assert (core.held, core.oldest_held, core.next_due) == (2, 1_100, 10_002)
    assert verdicts(commit(core, lambda: core.fire_held(1_200, proven=True))) == [
        ("b", "breached", 2_000)
    ]
    assert verdicts(commit(core, lambda: core.fire_held(2_000, proven=True))) == [
        ("a", "breached", 2_000)
    ]
    assert (core.held, core.oldest_held, core.timers) == (0, None, 1)


def test_a_record_taken_meanwhile_changes_what_is_held() -> None:
    core = core_of(Judge())
    commit(core, start(core, 0, 1_000, "k", 100), lambda: core.advance(1_500))
    line = Fetched(
        0,
        1_600,
        b"k",
        codec_for(ToyLine).encode(ToyLine(order="o", remove=False, ordered_at_ms=0)),
        (("received_at", b"1050"),),
    )
    assert verdicts(commit(core, lambda: core.process("toy.lines.v1", line))) == [
        ("k", "met", 1_600)
    ]
    assert commit(core, lambda: core.fire_held(2_000, proven=True)) is None


def test_unproven_firing_says_so_and_the_timer_waits_for_its_proof() -> None:
    core = core_of(Judge())
    commit(core, start(core, 0, 1_000, "k", 100), lambda: core.advance(1_500))
    batch = commit(core, lambda: core.fire_held(1_500, proven=False))
    assert verdicts(batch) == [("k", "unproven", 1_500)]
    assert batch is not None
    assert batch.counts.unproven == 1
    assert core.held == 1
    assert verdicts(commit(core, lambda: core.fire_held(1_500, proven=True))) == [
        ("k", "breached", 1_500)
    ]


def test_what_was_held_at_a_restart_is_held_again() -> None:
    core, twin = core_of(Judge()), core_of(Judge())
    for acts in (
        (start(core, 0, 1_000, "k", 100), start(core, 1, 1_001, "later", 9_000)),
        (lambda: core.advance(1_500),),
    ):
        batch = commit(core, *acts)
        assert batch is not None
        for key, value in batch.changelog:
            twin.restore(key, value)
    twin.restored()
    assert memory_of(twin) == memory_of(core)
    assert twin.held == 1


def test_a_dropped_batch_holds_nothing_that_was_not_held_before() -> None:
    core = core_of(Judge())
    commit(core, start(core, 0, 1_000, "k", 100))
    remembered = memory_of(core)
    core.begin(0)
    core.advance(5_000)
    assert core.held == 1
    core.discard()
    assert memory_of(core) == remembered


def test_one_proof_covers_what_a_wake_asks_for_again() -> None:
    class Ladder(Judge):
        def wake(self, view: View[ToyClock], *, now: int, reference: ToyTerms) -> Step[ToyClock]:
            assert view.head is not None
            deadline = view.head.deadline_ms
            reported = (self._verdict(view, "rung", deadline, now),)
            return Step(
                head=ToyClock(deadline_ms=deadline + 100), wake_at=deadline + 100, facts=reported
            )

    core = core_of(Ladder())
    commit(
        core,
        start(core, 0, 1_000, "k", 100),
        start(core, 1, 1_000, "l", 150),
        lambda: core.advance(2_000),
    )
    batch = commit(core, lambda: core.fire_held(1_300, proven=True))
    assert batch is not None
    assert [
        (record.key, v.deadline_ms)
        for record, v in zip(batch.outgoing, values(batch, ToyVerdict), strict=True)
    ] == [
        (b"k", 1_100),
        (b"l", 1_150),
        (b"k", 1_200),
        (b"l", 1_250),
        (b"k", 1_300),
    ]
    assert core.oldest_held == 1_350


def test_after_an_unproven_wake_the_next_step_of_its_key_is_proven() -> None:
    class Asking(Judge):
        def step(
            self, view: View[ToyClock], event: Event, *, now: int, reference: ToyTerms
        ) -> Step[ToyClock]:
            assert view.proven
            return super().step(view, event, now=now, reference=reference)

    core = core_of(Asking())
    commit(core, start(core, 0, 1_000, "k", 100), lambda: core.advance(1_500))
    commit(core, lambda: core.fire_held(1_500, proven=False), start(core, 1, 1_600, "k", 100))


def test_held_timers_fire_in_slices_of_the_limit() -> None:
    core = core_of(Judge(), limits=Limits(wakes=2))
    for offset in range(5):
        commit(core, start(core, offset, 1_000, f"k{offset}", 100))
    commit(core, lambda: core.advance(2_000))
    seen = []
    for complete in (False, False, True):
        core.begin(0)
        assert core.fire_held(2_000, proven=True) is complete
        seen += verdicts(core.seal())
        core.commit()
    assert [key for key, _, _ in seen] == ["k0", "k1", "k2", "k3", "k4"]


def test_inputs_are_reached_when_the_open_batch_is_past_them() -> None:
    core = core_of(Judge())
    core.begin(0)
    assert core.reached({"toy.starts.v1": 0})
    assert not core.reached({"toy.starts.v1": 3})
    start(core, 0, 1_000, "k", 100)()
    core.pass_over("toy.starts.v1", 3)
    assert core.reached({"toy.starts.v1": 3, "toy.lines.v1": 0})


# ---------------------------------------------------------------------- the agreement


def terms(version: str, at_ms: int) -> Event:
    return Event(
        topic="toy.terms.v1",
        partition=0,
        offset=0,
        key=version,
        value=ToyTermsRecord(version=version),
        id=version,
        at_ms=at_ms,
        received_at_ms=at_ms,
    )


def lagging(keys: int) -> tuple[Core, ToyBook]:
    """A counter whose keys all live under v1 while v2 is in force."""
    book = ToyBook("v1")
    core = core_of(Counter(), book)
    for offset in range(keys):
        commit(
            core, number(core, offset, 1_000, f"k{keys - 1 - offset}"), lambda: core.adopt_slice(99)
        )
    book.add(terms("v2", 1_000))
    assert core.changes_by(1_000 + TERMS_LEAD_MS)
    assert not core.changes_by(999 + TERMS_LEAD_MS)
    commit(core, lambda: core.advance(1_000 + TERMS_LEAD_MS))
    return core, book


def adopters(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [
        record.key.decode()
        for record in batch.outgoing
        if record.topic == "toy.adopted.v1" and record.key
    ]


def test_keys_adopt_in_slices_in_the_order_of_their_names_and_a_touched_one_first() -> None:
    core, _ = lagging(5)
    assert core.adopting
    assert adopters(commit(core, number(core, 9, 11_500, "k1"))) == ["k1"]
    assert adopters(commit(core, lambda: core.adopt_slice(2))) == ["k0", "k2"]
    assert core.adopting
    assert adopters(commit(core, number(core, 10, 11_500, "k4"), lambda: core.adopt_slice(2))) == [
        "k4",
        "k3",
    ]
    assert not core.adopting
    assert core.adopted == "v2"


def test_a_key_that_came_in_the_batch_in_which_the_agreement_changed_adopts_too() -> None:
    core = core_of(Counter(), book := ToyBook("v1"))
    book.add(terms("v2", 1_000))
    acts = (
        number(core, 0, 10_000, "old"),
        number(core, 1, 1_000 + TERMS_LEAD_MS, "new"),
        lambda: core.adopt_slice(99),
    )
    assert adopters(commit(core, *acts)) == ["old"]
    assert (core.adopting, core.adopted) == (False, "v2")


def test_a_restart_in_the_middle_of_an_adoption_goes_on_where_it_was() -> None:
    core, book = lagging(4)
    changelog = dict[bytes, bytes | None]()
    twin = core_of(Counter(), book)
    for key in list(core._store.keys()):
        raw = core._store.head(key)
        changelog[b"h" + key.encode()] = raw
    batch = commit(core, lambda: core.adopt_slice(3))
    assert batch is not None
    for changelog_key, value in (changelog | dict(batch.changelog)).items():
        twin.restore(changelog_key, value)
    twin.restored()
    assert twin.adopting
    assert adopters(commit(twin, lambda: twin.adopt_slice(99))) == ["k3"]
    assert not twin.adopting


def test_a_dropped_slice_is_adopted_again() -> None:
    core, _ = lagging(3)
    core.begin(0)
    number(core, 9, 11_500, "k1")()
    assert core.adopt_slice(99) == 2
    core.discard()
    assert core.adopting
    assert adopters(commit(core, lambda: core.adopt_slice(99))) == ["k0", "k1", "k2"]


def test_a_waking_key_adopts_before_it_wakes() -> None:
    class Signed(Session):
        adopts = True
        outputs = ("toy.sessions.v1", "toy.adopted.v1")

        def adopt(
            self, view: View[ToySession], *, old: str, new: ToyTerms, now: int
        ) -> Step[ToySession]:
            assert view.wake_at is not None
            return Step(head=view.head, wake_at=view.wake_at + (500 if view.key == "later" else 0))

    book = ToyBook("v1")
    core = core_of(Signed(), book)
    commit(core, click(core, 0, 1_000, "later", 20_000), click(core, 1, 1_000, "same", 20_000))
    book.add(terms("v2", 1_000))
    batch = commit(core, lambda: core.advance(30_000))
    assert [value.ended_ms for value in values(batch, ToySession)] == [21_000, 21_500]
    assert batch is not None
    assert batch.counts.adopted == 2


class Follower(Counter):
    """Follows a mood besides the terms, for keys that have counted to two; keeps a key for each of
    the terms."""

    def editions(self, reference: ToyTerms) -> tuple[str, ...]:
        return reference.version[:2], reference.version

    def edition_of(self, head: ToyTotal | None, reference: ToyTerms) -> str:
        return self.editions(reference)[head is not None and head.count > 1]

    def keys_of(self, reference: ToyTerms) -> tuple[str, ...]:
        return ("asked for",) if reference.version.startswith("v2") else ()

    def adopt(self, view: View[ToyTotal], *, old: str, new: ToyTerms, now: int) -> Step[ToyTotal]:
        head = view.head or ToyTotal(count=0, total=0, terms=new.version, at_ms=now)
        reported = Fact("toy.adopted.v1", view.key, ToyAdopted(old=old, new=new.version, at_ms=now))
        return Step(head=head, wake_at=view.wake_at, facts=(reported,))


def follows(*versions: str) -> list[list[str]]:
    """Who adopts when the terms change so, one change after the other: ``one`` has counted once,
    ``two`` twice."""
    core = core_of(Follower(), book := ToyBook("v1-calm"))
    commit(
        core,
        number(core, 0, 1_000, "one"),
        number(core, 1, 1_000, "two"),
        number(core, 2, 1_000, "two"),
    )
    commit(core, lambda: core.adopt_slice(99))
    adopted = []
    for offset, version in enumerate(versions, start=1):
        book.add(terms(version, offset * 20_000))
        commit(core, lambda now=offset * 20_000 + TERMS_LEAD_MS: core.advance(now))
        adopted.append(
            adopters(commit(core, lambda: core.adopt_slice(99))) if core.adopting else []
        )
        assert not core.adopting
    return adopted


@pytest.mark.parametrize(
    ("versions", "adopted"),
    [
        (("v1-glad",), [["two"]]),
        (("v1-glad", "v1-calm", "v1-glad"), [["two"], ["two"], ["two"]]),
        (("v1-calm",), [[]]),
        (("v2-calm",), [["asked for", "one", "two"]]),
        (("v2-calm", "v2-glad"), [["asked for", "one", "two"], ["two"]]),
    ],
    ids=[
        "what only some follow",
        "to and fro",
        "nothing new",
        "all of it",
        "keys that are asked for are made once",
    ],
)
def test_a_key_adopts_what_it_follows_and_nothing_else(
    versions: tuple[str, ...], adopted: list[list[str]]
) -> None:
    assert follows(*versions) == adopted


def test_each_adoption_has_a_cause_of_its_own_though_the_same_comes_to_hold_again() -> None:
    core = core_of(Follower(), book := ToyBook("v1-calm"))
    commit(core, number(core, 0, 1_000, "two"), number(core, 1, 1_000, "two"))
    ids = []
    for offset, version in enumerate(("v1-glad", "v1-calm", "v1-glad"), start=1):
        book.add(terms(version, offset * 20_000))
        commit(core, lambda now=offset * 20_000 + TERMS_LEAD_MS: core.advance(now))
        batch = commit(core, lambda: core.adopt_slice(99))
        assert batch is not None
        ids += [
            dict(record.headers)["ce_id"]
            for record in batch.outgoing
            if record.topic == "toy.adopted.v1"
        ]
    assert len(set(ids)) == 3


# ---------------------------------------------------------------------- what is wrong


def test_a_record_behind_the_position_is_refused() -> None:
    core = core_of(Counter())
    commit(core, number(core, 4, 1_000))
    core.begin(0)
    with pytest.raises(OutOfOrder, match=r"toy\.numbers\.v1@4"):
        number(core, 4, 1_001)()


def test_a_failing_wake_can_be_skipped_and_nothing_else_is() -> None:
    class Broken(Session):
        def wake(
            self, view: View[ToySession], *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            if view.key == "bad":
                raise ValueError(view.head)
            return super().wake(view, now=now, reference=reference)

    core = core_of(Broken())
    commit(core, click(core, 0, 1_000, "bad"), click(core, 1, 1_000, "good"))
    core.begin(0)
    with pytest.raises(
        ReducerFailed, match=r"session\[0\] stopped at wake:bad@1100: ValueError at test_core.py"
    ) as caught:
        core.advance(2_000)
    core.discard()
    core.skip(caught.value.place)
    batch = commit(core, lambda: core.advance(2_000))
    assert [value.ended_ms for value in values(batch, ToySession)] == [1_100]
    assert batch is not None
    assert batch.counts.skipped == 1
    assert (core.timers, core.keys) == (0, 1)


def test_a_failing_adoption_can_be_skipped() -> None:
    class Refusing(Counter):
        def adopt(
            self, view: View[ToyTotal], *, old: str, new: ToyTerms, now: int
        ) -> Step[ToyTotal]:
            raise ValueError

    book = ToyBook("v1")
    core = core_of(Refusing(), book)
    commit(core, number(core, 0, 1_000))
    book.add(terms("v2", 1_000))
    commit(core, lambda: core.advance(20_000))
    core.begin(0)
    with pytest.raises(ReducerFailed, match="adopt:k@v2"):
        core.adopt_slice(9)
    core.discard()
    core.skip("adopt:k@v2")
    commit(core, lambda: core.adopt_slice(9))
    assert not core.adopting


def test_a_timer_whose_key_skips_its_adoption_fires_all_the_same() -> None:
    class Refusing(Session):
        adopts = True

        def adopt(
            self, view: View[ToySession], *, old: str, new: ToyTerms, now: int
        ) -> Step[ToySession]:
            raise ValueError

    book = ToyBook("v1")
    core = core_of(Refusing(), book)
    commit(core, click(core, 0, 1_000, gap_ms=30_000))
    book.add(terms("v2", 1_000))
    core.skip("adopt:k@v2")
    batch = commit(core, lambda: core.advance(40_000))
    assert [value.ended_ms for value in values(batch, ToySession)] == [31_000]
    assert (core.timers, core.keys) == (0, 0)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step(head=None, facts=(Fact("toy.stock.v1", "k", None),)), "KeyError"),
        (Step(head=None, facts=(Fact("toy.sessions.v1", "k", ToyClick(gap_ms=1)),)), "TypeError"),
        (Step(head=ToyClick(gap_ms=1)), ""),
    ],
)
def test_what_a_reducer_may_not_do_stops_the_task_at_the_record(step: Step[Any], says: str) -> None:
    class Wrong(Session):
        def step(
            self, view: View[ToySession], event: Event, *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            return step

    core = core_of(Wrong())
    core.begin(0)

    def run() -> None:
        click(core, 0, 1_000)()
        core.seal()

    with pytest.raises(ReducerFailed, match=f"record:toy.clicks.v1@0: {says}"):
        run()


@pytest.mark.parametrize("step", [Step(head=ToyClick(gap_ms=1)), Step(head=None, wake_at=5)])
def test_a_stateless_reducer_cannot_keep_anything(step: Step[Any]) -> None:
    class Keeping(Session):
        head_type = None

        def step(
            self, view: View[ToySession], event: Event, *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            return step

    core = core_of(Keeping())
    core.begin(0)
    with pytest.raises(ReducerFailed, match="TypeError"):
        click(core, 0, 1_000)()


def test_a_record_of_our_own_is_never_rejected_and_never_without_a_key() -> None:
    class Rejecting(Session):
        def step(
            self, view: View[ToySession], event: Event, *, now: int, reference: ToyTerms
        ) -> Step[ToySession]:
            return Step(head=view.head, rejected=Rejection("no", "not liked"))

    core = core_of(Rejecting())
    core.begin(0)
    with pytest.raises(ReducerFailed, match="TypeError"):
        click(core, 0, 1_000)()
    core.discard()
    core.begin(0)
    with pytest.raises(ReducerFailed, match="it has no key"):
        core.process(
            "toy.clicks.v1", Fetched(0, 1_000, None, codec_for(ToyClick).encode(ToyClick(gap_ms=1)))
        )


def test_a_fact_longer_than_its_topic_allows_stops_the_task() -> None:
    topics = dict(TOY_TOPICS)
    topics["toy.sessions.v1"] = replace(topics["toy.sessions.v1"], max_bytes=8)
    core = Core(Session(), ToyBook("v1"), TaskConfig(topics=topics))
    commit(core, click(core, 0, 1_000))
    core.begin(0)
    with pytest.raises(ReducerFailed, match="ValueError"):
        core.advance(2_000)


def test_the_core_is_used_in_its_order_or_not_at_all() -> None:
    core = core_of(Session())
    with pytest.raises(RuntimeError, match="begin"):
        click(core, 0, 1_000)()
    core.begin(0)
    with pytest.raises(RuntimeError, match="a batch is open"):
        core.begin(0)
    assert core.seal() is None
    unagreed = core_of(Session(), ToyBook())
    assert unagreed.waits_for_reference
    unagreed.begin(0)
    with pytest.raises(RuntimeError, match="nothing is agreed"):
        click(unagreed, 0, 1_000)()


# ---------------------------------------------------------------------- records that no reducer may
# see


def without_log_time(made: Fetched) -> Fetched:
    return replace(made, timestamp_type=0)


def test_an_internal_record_without_log_time_stops_the_task_and_moves_no_time_when_it_is_skipped() -> (
    None
):
    core = core_of(Counter())
    commit(core, number(core, 0, 1_000))
    wrong = without_log_time(record(1, 9_000_000, "k", ToyNumber(amount=5)))
    core.begin(0)
    with pytest.raises(
        ReducerFailed, match="message.timestamp.type of its topic must be LogAppendTime"
    ) as failed:
        core.process("toy.numbers.v1", wrong)
    core.discard()
    core.skip(failed.value.place)
    batch = commit(
        core, lambda: core.process("toy.numbers.v1", wrong), number(core, 2, 1_001, amount=2)
    )
    assert [total.total for total in values(batch, ToyTotal)] == [3]
    assert core.now == 1_001


def test_an_external_record_without_log_time_is_a_dead_letter_and_moves_no_time() -> None:
    core = core_of(Door())
    commit(core, lambda: core.process("toy.outside.v1", Fetched(0, 1_000, b"k", b"12")))
    batch = commit(
        core,
        lambda: core.process(
            "toy.outside.v1", without_log_time(Fetched(1, 9_000_000, b"k", b"34"))
        ),
    )
    assert batch is not None
    (dead,) = batch.outgoing
    assert (dead.topic, dict(dead.headers)["__dlq.errors.code"]) == (
        "dlq.toy.outside.v1",
        b"not_log_time",
    )
    assert (list(batch.verdicts), batch.counts.dead, core.now) == ([True], 1, 1_000)


# ---------------------------------------------------------------------- slices


def test_timers_fire_in_slices_before_a_record_which_is_offered_again() -> None:
    whole, sliced = core_of(Session()), core_of(Session())
    for core in (whole, sliced):
        commit(core, *(click(core, offset, 1_000, f"k{offset}") for offset in range(10)))
    late = record(10, 5_000, "late", ToyClick(gap_ms=100))
    expected = commit(whole, lambda: whole.process("toy.clicks.v1", late))
    assert expected is not None
    sliced.begin(0)
    assert [sliced.process("toy.clicks.v1", late, 4) for _ in range(3)] == [False, False, True]
    assert not sliced.full
    batch = sliced.seal()
    assert batch is not None
    assert (batch.outgoing, batch.changelog) == (expected.outgoing, expected.changelog)
    sliced.commit()
    again = core_of(Session())
    commit(again, *(click(again, offset, 1_000, f"k{offset}") for offset in range(10)))
    inputs = {"toy.clicks.v1": iter([late])}
    journal = codec_for(BatchJournal).decode(batch.journal[1])
    (rebuilt,) = rebuild(again, [journal], lambda topic, offset: inputs[topic])
    assert (rebuilt.outgoing, rebuilt.changelog, rebuilt.journal) == (
        batch.outgoing,
        batch.changelog,
        batch.journal,
    )


def test_a_rebuild_stops_at_the_timer_where_the_live_batch_ran_out_of_room() -> None:
    """A restored task does not know as surely as a rebuild of it whether a slot of the wheel is
    empty."""
    live, again = core_of(Session()), core_of(Session())
    for core in (live, again):
        commit(core, *(click(core, offset, 1_000, f"k{offset}", gap_ms=100) for offset in range(4)))
    live.begin(0)
    assert not live.advance(2_000, limit=4)  # whether more is due is not looked at
    batch = live.seal()
    assert batch is not None
    journal = codec_for(BatchJournal).decode(batch.journal[1])
    (rebuilt,) = rebuild(again, [journal], lambda topic, offset: iter(()))
    assert rebuilt.changelog == batch.changelog  # the position record with its time among them


def test_a_batch_that_is_encoded_in_slices_is_the_same() -> None:
    whole, sliced = core_of(Counter()), core_of(Counter())
    acts = [(offset, 1_000 + offset, f"k{offset % 7}") for offset in range(20)]
    expected = commit(whole, *(number(whole, *act) for act in acts))
    sliced.begin(0)
    for act in acts:
        number(sliced, *act)()
    assert [sliced.encode_slice(3) for _ in range(3)] == [False, False, True]
    assert sliced.seal() == expected
    sliced.commit()
    assert memory_of(sliced) == memory_of(whole)


def test_a_key_that_is_encoded_cannot_be_changed_in_the_same_batch() -> None:
    """It would be committed in memory, and missing in the changelog."""
    core = core_of(Counter())
    core.begin(0)
    number(core, 0, 1_000)()
    core.encode_slice(1)
    for act in (
        number(core, 1, 1_001),
        lambda: core.advance(2_000),
        lambda: core.adopt_slice(1),
        lambda: core.pass_over("t", 1),
    ):
        with pytest.raises(RuntimeError, match="being sealed"):
            act()
    core.discard()
    assert commit(core, number(core, 0, 1_000)) is not None

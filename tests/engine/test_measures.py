"""What facts and states are measured by: once a committed batch, never for one that was dropped,
and gone with the task."""

from typing import Any, ClassVar

import pytest
from prometheus_client import REGISTRY

from baton.contracts.amounts import Amount, Measures
from baton.contracts.metric_catalogue import METRICS, Business, Kind
from baton.engine import metrics
from baton.engine.core import Core
from baton.engine.kafka import task_metrics as task_measures
from baton.engine.reducer import View
from baton.engine.task_config import TaskConfig
from tests.engine.test_core import commit, number
from tests.engine.toys import TOY_TOPICS, Counter, ToyBook, ToyTotal

COUNTING: Measures = {
    "toy.totals.v1": lambda total: Amount(Business.RECYCLED, ("toy", total.terms))
}


class Standing(Counter):
    """The counter of numbers, with its count reported as a gauge."""

    has_gauge: ClassVar[bool] = True

    def gauge(self, view: View[ToyTotal]) -> Amount:
        return Amount(Business.WAITING, (view.key,), view.head.count if view.head else 0, sets=True)


def core_of(reducer: Counter, measures: Measures = COUNTING) -> Core:
    return Core(reducer, ToyBook("v1"), TaskConfig(topics=TOY_TOPICS, measures=measures))


def reported(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


def recycled() -> float:
    return reported(Business.RECYCLED, outcome="toy", reason="v1") or 0.0


@pytest.fixture
def task() -> Any:
    """The metrics of one task."""
    measures = task_measures.TaskMetrics("toy-measured", 0)
    yield measures
    measures.remove()


def test_facts_are_counted_when_their_batch_is_committed_and_once_though_it_was_tried_twice(
    task: Any,
) -> None:
    core, before = core_of(Counter()), recycled()
    core.begin(0)
    number(core, 0, 1_000)()
    core.seal()
    core.discard()
    assert recycled() == before
    batch = commit(core, number(core, 0, 1_000), number(core, 1, 1_001))
    assert batch is not None
    assert batch.counts.measured == {(Business.RECYCLED, ("toy", "v1")): 2}
    assert recycled() == before
    task.committed(batch, 0.0, 0.0)
    assert recycled() == before + 2


def test_a_topic_that_nobody_measures_and_a_fact_that_counts_as_nothing_leave_no_trace() -> None:
    for measures in (
        {},
        {"toy.totals.v1": lambda _: None},
        {"toy.sessions.v1": lambda _: Amount(Business.DUPLICATES)},
    ):
        core = core_of(Counter(), measures)
        batch = commit(core, number(core, 0, 1_000))
        assert batch is not None
        assert (batch.counts.measured, batch.counts.gauges) == ({}, {})


def test_what_keys_stand_at_is_reported_of_those_a_batch_touched_as_it_left_them(task: Any) -> None:
    core = core_of(Standing())
    commit(core, number(core, 0, 1_000, key="a"))
    batch = commit(core, number(core, 1, 1_001, key="b"), number(core, 2, 1_002, key="b"))
    assert batch is not None
    assert batch.counts.gauges == {(Business.WAITING, ("b",)): 2}
    task.committed(batch, 0.0, 0.0)
    assert (reported(Business.WAITING, pool="a"), reported(Business.WAITING, pool="b")) == (None, 2)


def test_a_restore_reports_what_every_key_stands_at_and_the_task_takes_it_along(task: Any) -> None:
    first = core_of(Standing())
    batch = commit(first, number(first, 0, 1_000, key="a"), number(first, 1, 1_001, key="b"))
    assert batch is not None
    second = core_of(Standing())
    for key, value in batch.changelog:
        second.restore(key, value)
    second.restored()
    task.restored(0.1, 3)
    for amount in second.gauges():
        task.add(amount)
    assert (reported(Business.WAITING, pool="a"), reported(Business.WAITING, pool="b")) == (1, 1)
    assert reported("baton_restore_seconds", reducer="toy-measured", partition="0") == 0.1
    assert reported("baton_restore_records", reducer="toy-measured", partition="0") == 3
    task.remove()
    assert (reported(Business.WAITING, pool="a"), reported(Business.WAITING, pool="b")) == (
        None,
        None,
    )
    assert reported("baton_restore_seconds", reducer="toy-measured", partition="0") is None
    assert list(core_of(Counter()).gauges()) == []


class Orphans(Counter):
    """The counter of numbers; a key whose count is odd adds one to a gauge that all keys share."""

    has_gauge: ClassVar[bool] = True

    def gauge(self, view: View[ToyTotal]) -> Amount | None:
        return Amount(Business.ORPHANS) if view.head is not None and view.head.count % 2 else None


def test_a_gauge_can_be_the_sum_over_keys_and_over_the_tasks_of_the_process(task: Any) -> None:
    core, other = core_of(Orphans()), task_measures.TaskMetrics("toy-measured", 1)
    other.restored(0.1, 3)
    for _ in range(2):
        other.add(Amount(Business.ORPHANS))
    task.committed(
        commit(core, number(core, 0, 1_000, key="a"), number(core, 1, 1_001, key="b")), 0.0, 0.0
    )
    assert reported(Business.ORPHANS) == 4
    core.begin(0)
    number(core, 2, 1_002, key="a")()
    core.seal()
    core.discard()
    batch = commit(
        core,
        number(core, 2, 1_002, key="a"),
        number(core, 3, 1_003, key="c"),
        number(core, 4, 1_004, key="c"),
    )
    assert batch is not None
    assert batch.counts.measured[Business.ORPHANS, ()] == -1
    task.committed(batch, 0.0, 0.0)
    assert reported(Business.ORPHANS) == 3
    task.remove()
    assert reported(Business.ORPHANS) == 2
    other.remove()
    assert reported(Business.ORPHANS) == 0


def test_words_without_end_do_not_become_series_without_end(
    task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_measures, "MOST_LABELS", 0)
    core = core_of(
        Counter(), {"toy.totals.v1": lambda _: Amount(Business.REFUSALS, ("never heard of",))}
    )
    batch = commit(core, number(core, 0, 1_000))
    assert batch is not None
    before = reported(Business.REFUSALS, reason="other") or 0.0
    task.committed(batch, 0.0, 0.0)
    assert reported(Business.REFUSALS, reason="never heard of") is None
    assert reported(Business.REFUSALS, reason="other") == before + 1


def test_every_metric_of_the_process_is_in_the_catalogue_with_its_labels_and_the_other_way_round() -> (
    None
):
    # its metrics are made when it is first imported
    from baton.cluster import process_metrics
    from services.delivery import metrics as delivery_metrics
    from services.ingest.gateway import metrics as gateway_metrics

    own = (metrics, process_metrics, gateway_metrics, delivery_metrics)
    made = [member for module in own for member in vars(module).values()]
    made += metrics.BY_AMOUNT.values()
    found = {
        metric._name + ("_total" if metric._type == "counter" else ""): (
            metric._type,
            metric._labelnames,
            metric._documentation,
        )
        for metric in made
        if hasattr(metric, "_labelnames")
    }
    assert found == {
        name: (spec.kind.value, spec.labels, spec.says) for name, spec in METRICS.items()
    }


def test_names_and_units_are_prometheus_s() -> None:
    for spec in METRICS.values():
        assert spec.name.startswith("baton_")
        assert spec.name.endswith("_total") == (spec.kind is Kind.COUNTER)
        assert not any(word in spec.name for word in ("_ms", "millis", "percent"))

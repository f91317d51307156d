"""The metrics of one task, with its labels filled in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from baton.contracts.amounts import Amount
from baton.contracts.metric_catalogue import METRICS, Kind
from baton.engine import metrics
from baton.engine.batch import Batch
from baton.engine.core import Core
from baton.engine.kafka.client_internals import series
from baton.engine.kafka.status import TaskStatus

MOST_LABELS = 500
"""The most series of one business metric; further label values are counted as ``other``, so that
external words cannot fill memory."""
OTHER = "other"


class TaskMetrics:
    """Counters change per batch, gauges on :meth:`refresh`; :meth:`remove` removes the gauges of a
    task that goes elsewhere."""

    def __init__(self, reducer: str, partition: int) -> None:
        self._reducer, self._partition = reducer, str(partition)
        self._batches = metrics.BATCHES.labels(reducer)
        self._aborted = metrics.ABORTED.labels(reducer)
        self._batch_seconds = metrics.BATCH_SECONDS.labels(reducer)
        self._commit_seconds = metrics.COMMIT_SECONDS.labels(reducer)
        self._left = metrics.RESTORE_LEFT.labels(reducer, self._partition)
        for metric in metrics.FROM_ZERO:
            metric.labels(reducer)
        self._set: set[tuple[str, tuple[str, ...]]] = set()
        self._shares: dict[tuple[str, tuple[str, ...]], float] = {}

    def committed(self, batch: Batch, filled_s: float, committed_s: float) -> None:
        """A batch was committed."""
        counts, reducer = batch.counts, self._reducer
        self._batches.inc()
        self._batch_seconds.observe(filled_s)
        self._commit_seconds.observe(committed_s)
        for topic, taken in counts.taken.items():
            metrics.RECORDS.labels(reducer, topic).inc(taken)
        for topic, published in counts.facts.items():
            metrics.FACTS.labels(reducer, topic).inc(published)
        if counts.wakes:
            metrics.TIMERS.labels(reducer).inc(counts.wakes)
            metrics.TIMER_LATE.labels(reducer).set(counts.late_ms / 1000)
        for metric, count in (
            (metrics.DEAD_LETTERS, counts.dead),
            (metrics.UNPROVEN, counts.unproven),
            (metrics.ADOPTED, counts.adopted),
            (metrics.SKIPPED, counts.skipped),
        ):
            if count:
                metric.labels(reducer).inc(count)
        for (name, labels), value in counts.measured.items():
            self._add(name, labels, value)
        for (name, labels), value in counts.gauges.items():
            self._set_gauge(name, labels, value)

    def aborted(self) -> None:
        """A batch was aborted."""
        self._aborted.inc()

    def restoring(self, position: int, end: int) -> None:
        """A restore is at ``position``."""
        self._left.set(end - position)

    def restored(self, seconds: float, records: int) -> None:
        """A restore is done, and has read so many records."""
        self._left.set(0)
        metrics.RESTORE_RECORDS.labels(self._reducer, self._partition).set(records)
        metrics.RESTORE_SECONDS.labels(self._reducer, self._partition).set(seconds)

    def add(self, amount: Amount) -> None:
        """Add one amount, of a restored key."""
        (self._set_gauge if amount.sets else self._add)(amount.metric, amount.labels, amount.value)

    def refresh(self, status: TaskStatus, core: Core, behind_ms: int, held_back: int) -> None:
        """Set the gauges of the task."""
        labels = (self._reducer, self._partition)
        metrics.LAG.labels(*labels).set(status.lag)
        metrics.LAG_SECONDS.labels(*labels).set(max(0, behind_ms) / 1000)
        metrics.KEYS.labels(*labels).set(core.keys)
        metrics.DISK_BYTES.labels(*labels).set(core.store.size())
        metrics.WAITING_TIMERS.labels(*labels).set(core.timers)
        metrics.HELD_BACK.labels(*labels).set(held_back)
        metrics.HELD_TIMERS.labels(*labels).set(status.held)
        metrics.ADOPTING.labels(*labels).set(status.adopting)
        metrics.STALLED.labels(*labels).set(status.stalled_s)

    def remove(self) -> None:
        """The task ends here: remove its gauges, which another process may export from now on."""
        for metric in metrics.OF_A_TASK:
            with suppress(KeyError):
                metric.remove(self._reducer, self._partition)
        for name, labels in self._set:
            with suppress(KeyError):
                metrics.BY_AMOUNT[name].remove(*labels)
        self._set.clear()
        for (name, labels), share in self._shares.items():
            _child(name, labels).dec(share)
        self._shares.clear()

    def _set_gauge(self, name: str, labels: tuple[str, ...], value: float) -> None:
        self._set.add((name, labels))
        _child(name, labels).set(value)

    def _add(self, name: str, labels: tuple[str, ...], value: float) -> None:
        """Increase a counter; of a gauge that tasks share, change this task's share."""
        if METRICS[name].kind is Kind.GAUGE:
            self._shares[name, labels] = self._shares.get((name, labels), 0) + value
        _child(name, labels).inc(value)


def _child(name: str, labels: tuple[str, ...]) -> Any:
    metric = metrics.BY_AMOUNT[name]
    if not labels:
        return metric
    known = series(metric)
    return (
        metric.labels(*labels)
        if labels in known or len(known) < MOST_LABELS
        else metric.labels(*[OTHER] * len(labels))
    )

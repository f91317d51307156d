"""The Prometheus metrics of this process, made from the catalogue
(:mod:`baton.contracts.metric_catalogue`).

The engine counts per batch, never per record, because counting costs time. ``partition`` is a label
only of what describes a single task.
"""

from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from baton.contracts.metric_catalogue import METRICS, About, Kind


def counter(name: str) -> Counter:
    """The counter of this name; to be made once per process."""
    spec = METRICS[name]
    return Counter(spec.name, spec.says, spec.labels)


def gauge(name: str) -> Gauge:
    """The gauge of this name; to be made once per process."""
    spec = METRICS[name]
    return Gauge(spec.name, spec.says, spec.labels)


def histogram(name: str) -> Histogram:
    """The histogram of this name; to be made once per process."""
    spec = METRICS[name]
    return Histogram(spec.name, spec.says, spec.labels, buckets=spec.buckets)


RECORDS = counter("baton_records_total")
FACTS = counter("baton_facts_total")
DEAD_LETTERS = counter("baton_dead_letters_total")
SKIPPED = counter("baton_skipped_total")

BATCHES = counter("baton_batches_total")
ABORTED = counter("baton_batches_aborted_total")
BATCH_SECONDS = histogram("baton_batch_seconds")
COMMIT_SECONDS = histogram("baton_commit_seconds")

TIMERS = counter("baton_timers_fired_total")
TIMER_LATE = gauge("baton_timer_late_seconds")
UNPROVEN = counter("baton_timers_unproven_total")
TICKS = counter("baton_ticks_total")
ADOPTED = counter("baton_adopted_keys_total")

TASKS = gauge("baton_tasks")
RESTARTS = counter("baton_task_restarts_total")
MENDED = counter("baton_offsets_mended_total")
LOST_COMMITS = counter("baton_lost_commits_total")
RESTORE_SECONDS = gauge("baton_restore_seconds")
RESTORE_LEFT = gauge("baton_restore_left_records")
RESTORE_RECORDS = gauge("baton_restore_records")
DISK_BYTES = gauge("baton_state_disk_bytes")

LAG = gauge("baton_lag_records")
LAG_SECONDS = gauge("baton_lag_seconds")
HELD_BACK = gauge("baton_open_transaction_records")
KEYS = gauge("baton_state_keys")
WAITING_TIMERS = gauge("baton_timers")
HELD_TIMERS = gauge("baton_timers_held")
ADOPTING = gauge("baton_adopting")
STALLED = gauge("baton_stalled_seconds")

FROM_ZERO = (DEAD_LETTERS, SKIPPED, UNPROVEN, RESTARTS, MENDED, LOST_COMMITS)
"""Counters whose first increase matters: they are exported as 0 first, since Prometheus sees no
increase from nothing."""

OF_A_TASK = (
    RESTORE_SECONDS,
    RESTORE_LEFT,
    RESTORE_RECORDS,
    DISK_BYTES,
    LAG,
    LAG_SECONDS,
    HELD_BACK,
    KEYS,
    WAITING_TIMERS,
    HELD_TIMERS,
    ADOPTING,
    STALLED,
)
"""Gauges by reducer and partition: exported where the task runs."""

BY_AMOUNT: dict[str, Any] = {
    name: counter(name) if spec.kind is Kind.COUNTER else gauge(name)
    for name, spec in METRICS.items()
    if spec.about is About.BUSINESS
}
"""The metrics that facts and keys change, by name: the engine applies amounts and does not know
what they count."""

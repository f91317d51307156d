"""The catalogue of metrics: every ``baton_*`` that a worker reports at ``/metrics``, what it means
and which labels it has.

Base units; names are as Prometheus sees them. It is data: the engine and the gateway make their
counters from it, the tables of ``docs/OPERATING.md`` are written from it, and every alert and panel
is checked against it. No label holds personal data, and each has few values: what a topic, a
reducer, a state or the agreement may be called.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class About(StrEnum):
    """Whom a metric is for."""

    BUSINESS = "business"
    """The two teams: leads, pools, clocks, goals."""
    ENGINE = "engine"
    """Whoever runs Baton: tasks, transactions, timers, lag."""
    GATEWAY = "gateway"
    """Whoever looks after what comes in over HTTP."""
    DELIVERY = "delivery"
    """Whoever looks after what goes out: webhooks, Slack, mail, CRM; and open forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One metric. ``buckets``: the upper bounds of a histogram."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    about: About = About.ENGINE
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that can be asked for."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        return (self.name,)


class Business(StrEnum):
    """The metrics that leads make."""

    QUALIFIED = "baton_leads_qualified_total"
    ROUTED = "baton_leads_routed_total"
    UNROUTED = "baton_leads_unrouted_total"
    WAITING = "baton_leads_waiting"
    ORPHANS = "baton_orphans"
    VIOLATIONS = "baton_sla_violations_total"
    RECYCLED = "baton_leads_recycled_total"
    REFUSALS = "baton_acts_refused_total"
    DUPLICATES = "baton_duplicates_total"
    CONFLICTS = "baton_identity_conflicts_total"
    PACE = "baton_goal_pace_ratio"


_WORK_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_ACKNOWLEDGED_S = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_TASK = ("reducer", "partition")


def _counter(name: str, says: str, *labels: str, about: About = About.ENGINE) -> MetricSpec:
    return MetricSpec(name=name, kind=Kind.COUNTER, says=says, labels=labels, about=about)


def _gauge(name: str, says: str, *labels: str, about: About = About.ENGINE) -> MetricSpec:
    return MetricSpec(name=name, kind=Kind.GAUGE, says=says, labels=labels, about=about)


def _seconds(
    name: str,
    says: str,
    *labels: str,
    buckets: tuple[float, ...] = _WORK_S,
    about: About = About.ENGINE,
) -> MetricSpec:
    return MetricSpec(
        name=name, kind=Kind.HISTOGRAM, says=says, labels=labels, about=about, buckets=buckets
    )


_BUSINESS = (
    _counter(
        Business.QUALIFIED,
        "Leads that became ready for a person",
        "level",
        "leg",
        about=About.BUSINESS,
    ),
    _counter(Business.ROUTED, "Leads handed to a person", "pool", "leg", about=About.BUSINESS),
    _counter(
        Business.UNROUTED,
        "Hand-offs without a person: held, watch, suppressed",
        "outcome",
        about=About.BUSINESS,
    ),
    _gauge(Business.WAITING, "Leads that are in a pool's queue", "pool", about=About.BUSINESS),
    _gauge(
        Business.ORPHANS,
        "Leads that nobody holds, or whose return date is past; must be 0",
        about=About.BUSINESS,
    ),
    _counter(
        Business.VIOLATIONS,
        "Warnings, breaches and withdrawn breaches",
        "clock",
        "kind",
        about=About.BUSINESS,
    ),
    _counter(
        Business.RECYCLED,
        "Cycles that ended: come back later, or not at all",
        "outcome",
        "reason",
        about=About.BUSINESS,
    ),
    _counter(Business.REFUSALS, "Acts that were not carried out", "reason", about=About.BUSINESS),
    _counter(
        Business.DUPLICATES,
        "Events dropped because they had been accepted before",
        about=About.BUSINESS,
    ),
    _counter(
        Business.CONFLICTS,
        "Pairs of known leads that an event linked and that were not merged",
        about=About.BUSINESS,
    ),
    _gauge(
        Business.PACE,
        "Achieved, divided by the goal's share for the working days so far; 1 is on pace",
        "goal",
        "side",
        about=About.BUSINESS,
    ),
)

_ENGINE = (
    _counter("baton_records_total", "Input records processed and committed", "reducer", "topic"),
    _counter("baton_facts_total", "Records published and committed", "reducer", "topic"),
    _counter("baton_dead_letters_total", "External records that could not be taken", "reducer"),
    _counter(
        "baton_skipped_total",
        "Records, timers and adoptions skipped by an operator's order",
        "reducer",
    ),
    _counter("baton_batches_total", "Transactions committed", "reducer"),
    _counter("baton_batches_aborted_total", "Transactions aborted and tried again", "reducer"),
    _seconds(
        "baton_batch_seconds",
        "From the first record of a batch until it is ready to commit",
        "reducer",
    ),
    _seconds("baton_commit_seconds", "Duration of the transaction of a batch", "reducer"),
    _counter("baton_timers_fired_total", "Timers fired", "reducer"),
    _gauge(
        "baton_timer_late_seconds",
        "Greatest delay of a timer in the last batch that fired any",
        "reducer",
    ),
    _counter(
        "baton_timers_unproven_total",
        "Timers fired although the groups upstream had not caught up in time",
        "reducer",
    ),
    _counter("baton_ticks_total", "Times an idle task asked the broker for the time", "reducer"),
    _counter("baton_adopted_keys_total", "Keys that adopted a new agreement", "reducer"),
    _gauge("baton_tasks", "Tasks of this process by state", "reducer", "state"),
    _counter(
        "baton_task_restarts_total", "Tasks restarted after they were fenced or failed", "reducer"
    ),
    _counter(
        "baton_offsets_mended_total",
        "Tasks resumed from their changelog after the group's committed offsets were lost",
        "reducer",
    ),
    _counter(
        "baton_lost_commits_total",
        "Times a task found its last acknowledged batch missing from the changelog",
        "reducer",
    ),
    _gauge("baton_restore_seconds", "Duration of the last restore", *_TASK),
    _gauge("baton_restore_left_records", "Changelog offsets still to be read by a restore", *_TASK),
    _gauge(
        "baton_restore_records",
        "Changelog records that the last restore read; with state on disk, those newer than it",
        *_TASK,
    ),
    _gauge("baton_state_disk_bytes", "Size of the state in BATON_STATE_DIR; 0 in memory", *_TASK),
    _gauge("baton_lag_records", "Offsets appended to the inputs and not processed", *_TASK),
    _gauge(
        "baton_lag_seconds",
        "How far a task's log time is behind the broker's while it has something to do",
        *_TASK,
    ),
    _gauge(
        "baton_open_transaction_records",
        "Offsets that cannot be read yet because of a writer's open transaction",
        *_TASK,
    ),
    _gauge("baton_state_keys", "Keys that have a state", *_TASK),
    _gauge("baton_timers", "Timers that are pending, including held ones", *_TASK),
    _gauge("baton_timers_held", "Timers that are due and wait for the upstream proof", *_TASK),
    _gauge(
        "baton_brokers_silent_seconds",
        "How long no broker has answered this process; 0 while one does",
    ),
    _gauge(
        "baton_build_info",
        "Always 1; the labels are the running versions",
        "version",
        "python",
        "service",
    ),
    _gauge("baton_adopting", "1 while keys still have to adopt the agreement in force", *_TASK),
    _gauge(
        "baton_stalled_seconds",
        "How long records have waited without a committed batch; 0 while none waits",
        *_TASK,
    ),
)

_GATEWAY = (
    _counter(
        "baton_http_events_total",
        "Events in requests that were answered with success, by what became of them",
        "outcome",
        about=About.GATEWAY,
    ),
    _counter(
        "baton_http_refused_total",
        "Requests answered with a problem document",
        "status",
        about=About.GATEWAY,
    ),
    _gauge("baton_http_connections", "Connections to the gateway now", about=About.GATEWAY),
    _counter(
        "baton_http_limited_total",
        "Connections and requests ended by a limit",
        "limit",
        about=About.GATEWAY,
    ),
    _gauge(
        "baton_http_stalled_seconds",
        "How long events have waited without identify processing any; 0 while it does",
        about=About.GATEWAY,
    ),
    _seconds(
        "baton_http_acknowledged_seconds",
        "From a request that was read to the brokers' acknowledgement",
        buckets=_ACKNOWLEDGED_S,
        about=About.GATEWAY,
    ),
)

_OUT = About.DELIVERY
_DELIVERY = (
    _counter("baton_delivery_planned_total", "Deliveries that facts have caused", about=_OUT),
    _counter("baton_delivery_attempts_total", "Attempts", "target", "outcome", about=_OUT),
    _counter("baton_delivery_dead_total", "Deliveries given up", "target", about=_OUT),
    _gauge("baton_delivery_waiting", "Deliveries not yet made", "target", about=_OUT),
    _gauge(
        "baton_delivery_oldest_waiting_seconds", "Age of the oldest of them", "target", about=_OUT
    ),
    _gauge(
        "baton_delivery_targets_disabled", "Targets that wait for `delivery resume`", about=_OUT
    ),
    _counter(
        "baton_delivery_answers_total", "Clicks and CRM changes", "kind", "outcome", about=_OUT
    ),
    _seconds(
        "baton_concierge_seconds", "Answers to open forms", "call", buckets=_WORK_S, about=_OUT
    ),
    _gauge(
        "baton_concierge_calendars_failing",
        "Calendars that could not be read when they were asked last",
        about=_OUT,
    ),
)

METRICS: Mapping[str, MetricSpec] = {
    spec.name: spec for spec in (*_BUSINESS, *_ENGINE, *_GATEWAY, *_DELIVERY)
}

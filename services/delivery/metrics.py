"""What delivery counts for ``/metrics``: named in the catalogue
(:mod:`baton.contracts.metric_catalogue`).

Labels are names of targets, states and kinds; never a lead or a person.
"""

from __future__ import annotations

from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram

from baton.contracts.metric_catalogue import METRICS, Kind
from services.delivery.webhooks.schedule import Outcome

_CLASSES: Final[dict[Kind, Any]] = {
    Kind.COUNTER: Counter,
    Kind.GAUGE: Gauge,
    Kind.HISTOGRAM: Histogram,
}


def _made(name: str) -> Any:
    spec = METRICS[name]
    more = {"buckets": spec.buckets} if spec.buckets else {}
    return _CLASSES[spec.kind](name, spec.says, spec.labels, **more)


ATTEMPTS = _made("baton_delivery_attempts_total")
DEAD = _made("baton_delivery_dead_total")
PLANNED = _made("baton_delivery_planned_total")
WAITING = _made("baton_delivery_waiting")
OLDEST = _made("baton_delivery_oldest_waiting_seconds")
DISABLED = _made("baton_delivery_targets_disabled")
CLICKS = _made("baton_delivery_answers_total")
CONCIERGE = _made("baton_concierge_seconds")
CALENDARS_FAILING = _made("baton_concierge_calendars_failing")


def attempted(target: str, outcome: Outcome, state: str) -> None:
    """Count one attempt and, where it was the last one, the dead letter."""
    if outcome.held_until_ms is not None:
        return
    ATTEMPTS.labels(target=target, outcome="ok" if outcome.ok else "failed").inc()
    if state == "dead":
        DEAD.labels(target=target).inc()

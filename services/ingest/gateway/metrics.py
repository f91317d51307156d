"""The gateway's metrics, made from the catalogue."""

from functools import cache

from prometheus_client import Counter

from baton.engine.metrics import counter, gauge, histogram

EVENTS = counter("baton_http_events_total")
REFUSED = counter("baton_http_refused_total")
REFUSED.labels("503")  # from 0 on: an alert goes by its increase, and a first burst would be none
ACKNOWLEDGED_SECONDS = histogram("baton_http_acknowledged_seconds")
CONNECTIONS = gauge("baton_http_connections")
LIMITED = counter("baton_http_limited_total")
STALLED_SECONDS = gauge("baton_http_stalled_seconds")


@cache
def events(outcome: str) -> Counter:
    """The counter of events with this outcome; looking up a label costs as much as counting."""
    return EVENTS.labels(outcome)

"""The gateway's metrics, made from the catalogue."""

from baton.engine.metrics import counter, histogram

EVENTS = counter("baton_http_events_total")
REFUSED = counter("baton_http_refused_total")
ACKNOWLEDGED_SECONDS = histogram("baton_http_acknowledged_seconds")

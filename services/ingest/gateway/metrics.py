"""The gateway's metrics, made from the catalogue."""

from baton.engine.metrics import counter, gauge, histogram

EVENTS = counter("baton_http_events_total")
REFUSED = counter("baton_http_refused_total")
ACKNOWLEDGED_SECONDS = histogram("baton_http_acknowledged_seconds")
CONNECTIONS = gauge("baton_http_connections")
LIMITED = counter("baton_http_limited_total")
STALLED_SECONDS = gauge("baton_http_stalled_seconds")

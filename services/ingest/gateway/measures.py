"""The gateway's metrics, in one place."""

from prometheus_client import Counter, Histogram

EVENTS = Counter("baton_http_events", "Events in requests that were answered with success, by what became of them", ("outcome",))
REFUSED = Counter("baton_http_refused", "Requests answered with a problem document", ("status",))
ACKNOWLEDGED_SECONDS = Histogram(
    "baton_http_acknowledged_seconds",
    "From a request read to the brokers' acknowledgement",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
)

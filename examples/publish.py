"""Publish an event to Baton with any Kafka client; here confluent-kafka."""

import json
import os
from datetime import UTC, datetime

from confluent_kafka import Producer

event = {
    "id": "signup-4711",  # your own id: the same id is the same event, however often it comes
    "source": "webshop",
    "kind": "engagement",
    "occurred_at": datetime.now(UTC).isoformat(),
    "identifiers": {"email": "ann@acme.example"},
    "engagement": {"act": "demo_request", "campaign": "autumn"},
    "profile": {"title": "Head of Operations", "country": "DE", "employees": "250"},
}
producer = Producer(
    {
        "bootstrap.servers": os.environ.get("BATON_BOOTSTRAP", "127.0.0.1:9092"),
        "enable.idempotence": True,
    }
)
producer.produce("leads.inbox.v1", json.dumps(event).encode())
if producer.flush(30):
    raise SystemExit("the broker did not answer")

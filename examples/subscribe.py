"""Subscribe to routed leads with confluent-kafka and fastavro: what a sales tool would do."""

import io
import json
import os
import sys
from pathlib import Path

from confluent_kafka import Consumer
from fastavro import parse_schema, schemaless_reader

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
BY_ID = {
    number: json.loads((SCHEMAS / path).read_text())
    for path, number in json.loads((SCHEMAS / "ids.json").read_text()).items()
}


def decode(value: bytes) -> dict:
    """A record in Confluent's framing: 0x00, the schema's id in four bytes, Avro."""
    schema = BY_ID[int.from_bytes(value[1:5], "big")]
    return schemaless_reader(io.BytesIO(value[5:]), parse_schema(schema), None)


consumer = Consumer(
    {
        "bootstrap.servers": os.environ.get("BATON_BOOTSTRAP", "127.0.0.1:9092"),
        "group.id": "my-sales-tool",
        "isolation.level": "read_committed",  # without it you would see what was never decided
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe(["leads.routed.sdr.v1", "leads.routed.sales.v1"])
wanted = int(sys.argv[1]) if len(sys.argv) > 1 else None  # stop after so many
while wanted is None or wanted > 0:
    message = consumer.poll(1.0)
    if message is None or message.error():
        continue
    lead = decode(message.value())
    print(
        f"{lead['owner']} gets lead {lead['lead_id']} ({lead['level']}) in {lead['pool']}",
        flush=True,
    )
    consumer.commit(message)  # the handoff_id makes doing it twice harmless
    wanted = None if wanted is None else wanted - 1
consumer.close()

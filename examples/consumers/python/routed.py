"""Read routed leads with confluent-kafka's own Avro deserializer and Baton's schema registry."""

import os
import sys

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

registry = SchemaRegistryClient({"url": os.environ.get("SCHEMA_REGISTRY", "http://127.0.0.1:8081")})
deserialize = AvroDeserializer(registry)
topics = os.environ.get("TOPICS", "leads.routed.sdr.v1,leads.routed.sales.v1").split(",")
wanted = int(sys.argv[1]) if len(sys.argv) > 1 else None  # stop after so many

consumer = Consumer(
    {
        "bootstrap.servers": os.environ.get("BATON_BOOTSTRAP", "127.0.0.1:9092"),
        "group.id": "example-python",
        "isolation.level": "read_committed",  # without it you would see what was never decided
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe(topics)
while wanted is None or wanted > 0:
    message = consumer.poll(1.0)
    if message is None or message.error():
        continue
    lead = deserialize(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
    print(
        f"{lead['owner']} gets lead {lead['lead_id']} ({lead['level']}) in {lead['pool']}",
        flush=True,
    )
    consumer.commit(message)
    wanted = None if wanted is None else wanted - 1
consumer.close()

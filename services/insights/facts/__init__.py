"""From records to rows: one pure function a topic, apart from the store and from Kafka."""

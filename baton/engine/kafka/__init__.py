"""The engine on Kafka: one transaction per batch, one task per reducer and partition."""

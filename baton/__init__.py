"""Baton passes leads from marketing to sales and back, on Apache Kafka, exactly once."""

__version__ = "0.1.0"

"""The embedded broker: real Apache Kafka on one machine, for trying out, developing and testing;
and topics on any cluster.

It keeps its data and is exactly once like any Kafka, but it is one node: no replication, no
encryption, loopback only.
"""

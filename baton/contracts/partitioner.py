"""Which partition a key belongs to: murmur2 as Java's default partitioner has it, so that every
Kafka client agrees with us."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` among ``partitions``: ``(murmur2(key) & 0x7fffffff) %
    partitions``."""
    return 0 if partitions == 1 else _hashed(key, partitions)


# the hash is pure Python, some microseconds a key; keys of a batch repeat
@lru_cache(maxsize=65_536)
def _hashed(key: bytes, partitions: int) -> int:
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)

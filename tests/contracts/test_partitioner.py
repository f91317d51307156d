"""Keys go where every other Kafka client would send them."""

import pytest

from baton.contracts.partitioner import partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # Kafka's own vectors, UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_javas_murmur2(key: bytes, hashed: int) -> None:
    assert partition_of(key, 1 << 31) == hashed & 0x7FFFFFFF
    assert partition_of(key, 7) == (hashed & 0x7FFFFFFF) % 7


@pytest.mark.parametrize("key", [b"", b"a", b"lead-4711", bytes(range(256))])
def test_of_one_partition_there_is_only_the_first(key: bytes) -> None:
    assert partition_of(key, 1) == 0

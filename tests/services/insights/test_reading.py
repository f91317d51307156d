"""What the reader makes of what the client returns: records, ends of partitions, errors of the
connection, a log that lost its beginning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from baton.cluster import public_log
from baton.cluster.public_log import PublicLog, ReadingStopped
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadMerge
from baton.contracts.topics import physical
from services.delivery.log.reader import log_of
from services.insights.projection.kafka import BoardLog

MERGE = LeadMerge(merge_id="m", loser="a", survivor="b", cause_id="c", occurred_at_ms=5)
TOPIC = "leads.merges.v1"


@dataclass(frozen=True)
class Message:
    """One result of the client's ``consume``."""

    at_offset: int | None = None
    failure: KafkaError | None = None
    appended_ms: int = 0
    named: str | None = physical("baton", TOPIC)

    def topic(self) -> str | None:
        return self.named

    def partition(self) -> int | None:
        return None if self.named is None else 0

    def offset(self) -> int | None:
        return self.at_offset

    def error(self) -> KafkaError | None:
        return self.failure

    def key(self) -> bytes:
        return b"a"

    def value(self) -> bytes:
        return codec_for(LeadMerge).encode(MERGE)

    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_id", f"fact-{self.at_offset}".encode())]

    def timestamp(self) -> tuple[int, int]:
        return 1, self.appended_ms


class Client:
    """Stands in for the consumer: hands out what a test puts in."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.results: list[Message] = []

    def assign(self, _: object) -> None:
        pass

    def consume(self, _: int, __: float) -> list[Message]:
        return self.results

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        return 40, 90


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> BoardLog:
    monkeypatch.setattr(public_log, "Consumer", Client)
    found = BoardLog({}, "baton")
    found.assign({(TOPIC, 0): 7})
    return found


def take(reader: BoardLog, *results: Message) -> tuple[list[int], dict[tuple[str, int], int]]:
    reader._consumer.results = list(results)  # type: ignore[attr-defined]
    batch, following = reader.take(500, 0.1)
    return [taken.offset for taken in batch], following


def board_log() -> PublicLog:
    return BoardLog({}, "baton")


def delivery_log() -> PublicLog:
    return log_of({}, "baton")


DOWN = Message(named=None, failure=KafkaError(KafkaError._ALL_BROKERS_DOWN))
FATAL = Message(named=None, failure=KafkaError(KafkaError._FATAL, "fenced", fatal=True))
END = KafkaError(KafkaError._PARTITION_EOF)


def test_an_error_of_the_connection_is_no_record_and_those_beside_it_are_taken(
    reader: BoardLog,
) -> None:
    offsets, following = take(reader, Message(7, appended_ms=1), DOWN, Message(8, appended_ms=2))
    assert (offsets, following) == ([7, 8], {(TOPIC, 0): 9})
    assert take(reader, DOWN) == ([], {})


@pytest.mark.parametrize(("made", "longest_ms"), [(board_log, 250), (delivery_log, 200)])
def test_brokers_gather_for_a_bounded_time_and_answer_at_once_while_there_is_much_to_read(
    made: Callable[[], PublicLog], longest_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_log, "Consumer", Client)
    options = made()._consumer.options  # type: ignore[attr-defined]
    assert options["fetch.wait.max.ms"] == longest_ms
    assert options["fetch.min.bytes"] == 1 << 20


def test_a_fatal_error_of_the_client_ends_the_reading(reader: BoardLog) -> None:
    with pytest.raises(KafkaException, match="fenced"):
        take(reader, Message(7), FATAL)


def test_an_error_of_a_partition_that_is_none_of_its_end_is_raised(reader: BoardLog) -> None:
    denied = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaException):
        take(reader, Message(7, failure=denied))


@pytest.mark.parametrize("code", [KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE])
def test_where_the_log_lost_its_beginning_it_stops_with_words(reader: BoardLog, code: int) -> None:
    with pytest.raises(ReadingStopped, match=r"leads.merges.v1\[0\].*the oldest left is 40"):
        take(reader, Message(7, failure=KafkaError(code)))


def test_the_end_of_a_partition_moves_the_place_over_what_was_aborted(reader: BoardLog) -> None:
    assert not reader.caught_up
    offsets, following = take(reader, Message(7), Message(12, failure=END))
    assert (offsets, following) == ([7], {(TOPIC, 0): 12})
    assert reader.caught_up


def test_records_of_one_batch_are_in_the_order_of_their_append_times(reader: BoardLog) -> None:
    offsets, _ = take(reader, Message(7, appended_ms=9), Message(8, appended_ms=3))
    assert offsets == [8, 7]

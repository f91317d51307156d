"""The private topic of shadows on a cluster: read whole, written in transactions by one process at
a time.

Whoever opens it last fences those before, and reads what they committed before it adds anything, so
what follows from the records is added once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from confluent_kafka import KafkaException, Producer

from baton.backtest.live_shadow import ShadowRefused
from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.shadows import ShadowRecord
from baton.contracts.topic_names import SHADOW_DECISIONS
from baton.contracts.topics import physical
from baton.settings import Settings

_TIMEOUT_S: Final = 60.0
_AT_ONCE: Final = 10_000
"""Records a transaction."""


def read_shadows(settings: Settings) -> list[ShadowRecord]:
    """Everything that was committed, in order."""
    codec = codec_for(ShadowRecord)
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        return [
            codec.decode(record.value)
            for record in reader.read({SHADOW_DECISIONS: [0]})
            if record.value is not None
        ]


class ShadowTopic:
    """The one writer; opening it fences the former."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = physical(settings.namespace, SHADOW_DECISIONS)
        self._producer = Producer(
            confluent_producer_options(settings)
            | {"transactional.id": f"{settings.namespace}.shadow"}
        )
        self._producer.init_transactions(_TIMEOUT_S)

    def read(self) -> list[ShadowRecord]:
        """Everything that was committed, in order."""
        return read_shadows(self._settings)

    def add(self, records: Iterable[ShadowRecord]) -> int:
        """Append them, each once; gives how many. Raises :class:`ShadowRefused` where another
        process took over."""
        waiting, added = iter(records), 0
        while batch := list(islice(waiting, _AT_ONCE)):
            self._commit(batch)
            added += len(batch)
        return added

    def _commit(self, batch: list[ShadowRecord]) -> None:
        codec = codec_for(ShadowRecord)
        try:
            self._producer.begin_transaction()
            for record in batch:
                self._producer.produce(
                    self._name,
                    key=(record.lead or record.agreement).encode(),
                    value=codec.encode(record),
                    partition=0,
                    headers=[("ce_id", record.record_id.encode())],
                )
            self._producer.commit_transaction(_TIMEOUT_S)
        except KafkaException as error:
            raise ShadowRefused(
                f"nothing of this round was published: {error.args[0].str()}; "
                "another `baton shadow start` may have taken over"
            ) from error

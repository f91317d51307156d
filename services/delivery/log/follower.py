"""Follows the log: reads, and writes deliveries, view and positions in one transaction a batch.

One thread, one connection. It goes on after brokers were away; it stops, and says why, where going
on would leave something out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from confluent_kafka import KafkaException

from baton.cluster.public_log import ReadingStopped
from services.delivery import metrics
from services.delivery.log.reader import READ_TOPICS, log_of, topics_looked_at
from services.delivery.store.outbox_store import Store, StoreDiffers
from services.delivery.targets.target_model import TargetsFile

log = logging.getLogger(__name__)

_AT_ONCE: Final = 500
_WAIT_S: Final = 0.2
_AGAIN_S: Final = 2.0


class FollowerState(StrEnum):
    """``catching_up``: not all of what lies in the log is taken yet."""

    CATCHING_UP = "catching_up"
    LIVE = "live"
    AWAY = "away"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the follower is, with the reason where it does not go on."""

    state: FollowerState
    reason: str = ""


class Follower:
    """``run`` until ``end``; ``standing`` may be read by any thread. ``added`` is called after
    deliveries were added."""

    def __init__(
        self,
        client: Mapping[str, Any],
        namespace: str,
        open_store: Callable[[], Store],
        targets: TargetsFile,
        added: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._namespace = dict(client), namespace
        self._open, self._targets, self._added = open_store, targets, added
        self._ended = threading.Event()
        self.standing = Standing(state=FollowerState.CATCHING_UP)

    def end(self) -> None:
        """Finish the open transaction and return from :meth:`run`."""
        self._ended.set()

    def run(self) -> None:
        """Until :meth:`end`. What cannot be gone on from is shown and waited out."""
        store = self._open()
        try:
            store.register(self._targets, int(time.time() * 1000))
            while not self._ended.is_set():
                try:
                    self._follow(store)
                except (ReadingStopped, StoreDiffers) as error:
                    log.error("delivery stopped reading: %s", error)
                    self.standing = Standing(state=FollowerState.STOPPED, reason=str(error))
                    self._ended.wait()
                except KafkaException as error:
                    reason = f"Kafka: {error.args[0].str()}"
                    self.standing = Standing(state=FollowerState.AWAY, reason=reason)
                    self._ended.wait(_AGAIN_S)
        finally:
            store.close()

    def _follow(self, store: Store) -> None:
        reader = log_of(self._client, self._namespace)
        try:
            reader.assign(reader.starts(READ_TOPICS, store.positions()))
            looked_at = topics_looked_at(self._targets)
            while not self._ended.is_set():
                batch, following = reader.take(_AT_ONCE, _WAIT_S, looked_at)
                if batch or following:
                    now_ms = int(time.time() * 1000)
                    added = store.apply(batch, following, self._targets, now_ms)
                    if added:
                        metrics.PLANNED.inc(added)
                        self._added()
                live = reader.caught_up
                self.standing = Standing(
                    state=FollowerState.LIVE if live else FollowerState.CATCHING_UP
                )
        finally:
            reader.close()

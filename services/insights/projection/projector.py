"""Keeps the board's file up to date: reads, writes, and builds it anew where that is asked for.

One thread, one writable connection. It goes on after brokers were away; it stops, with words that
the pages show, where going on would leave something out.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from confluent_kafka import KafkaException

from baton.cluster.public_log import ReadingStopped
from baton.contracts.topic_names import BATON_AGREEMENTS
from services.insights.board_metrics import FOLLOWS, note_records
from services.insights.projection.board_stores import BoardStores
from services.insights.projection.dialect import StoreTaken
from services.insights.projection.gathering import Gathering
from services.insights.projection.kafka import BoardLog
from services.insights.projection.postgres_connection import PostgresMissing, away_errors
from services.insights.projection.projection_store import Store, StoreDiffers
from services.insights.projection.reference_state import zone_of

log = logging.getLogger(__name__)

_AGAIN_S = 2.0


class ProjectorState(StrEnum):
    """``building``: not all of what lies in the log is taken yet. ``standby``: another board writes
    the store, this one shows it."""

    BUILDING = "building"
    LIVE = "live"
    STANDBY = "standby"
    AWAY = "away"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the projection is. ``asked_ms``: when the brokers were last asked with success, by this
    machine's clock."""

    state: ProjectorState
    words: str = ""
    asked_ms: int | None = None


class Projector:
    """``run`` until ``end``; ``standing`` may be read by any thread."""

    def __init__(self, client: Mapping[str, Any], namespace: str, files: BoardStores) -> None:
        self._client, self._namespace, self._files = dict(client), namespace, files
        self._ended = threading.Event()
        self.standing = Standing(state=ProjectorState.BUILDING)

    def end(self) -> None:
        """Finish the open transaction and return from :meth:`run`."""
        self._ended.set()

    def run(self) -> None:
        """Until :meth:`end`. What cannot be gone on from is shown and waited out: a rebuild may be
        asked for."""
        while not self._ended.is_set():
            try:
                self._files.prepare()
                self._run_once()
            except (ReadingStopped, StoreDiffers, PostgresMissing) as error:
                self._stop(str(error))
            except StoreTaken as error:
                self._report(ProjectorState.STANDBY, str(error))
                self._ended.wait(_AGAIN_S)
            except away_errors() as error:
                log.warning("the board's database does not answer: %s", type(error).__name__)
                self._report(ProjectorState.AWAY, "The board's database does not answer.")
                self._ended.wait(_AGAIN_S)
            except KafkaException as error:
                self._report(ProjectorState.AWAY, f"Kafka: {error.args[0].str()}")
                self._ended.wait(_AGAIN_S)

    def _stop(self, words: str) -> None:
        log.error("the board stopped: %s", words)
        self._report(ProjectorState.STOPPED, words)
        while not self._ended.is_set() and not self._wanted():
            self._ended.wait(_AGAIN_S)

    def _wanted(self) -> bool:
        with contextlib.suppress(*away_errors(), PostgresMissing):
            return self._files.rebuild_wanted
        return False

    def _run_once(self) -> None:
        rebuild = self._files.rebuild_wanted or self._files.current() is None
        path = self._files.following() if rebuild else self._files.current()
        assert path is not None
        store = Store(path, self._namespace)
        try:
            reader = BoardLog(self._client, self._namespace)
        except BaseException:
            store.close()
            raise
        try:
            places = reader.places(store.places())
            store.begin(places)
            reader.assign({(at.topic, at.partition): at.next_offset for at in places})
            self._report(ProjectorState.BUILDING, "reading what lies in the log")
            self._follow(store, reader, rebuild)
        finally:
            reader.close()
            store.close()

    def _follow(self, store: Store, reader: BoardLog, rebuild: bool) -> None:
        gathering = Gathering(reader, self._ended.is_set)
        while not self._ended.is_set():
            live = reader.caught_up
            batch, following = gathering.take()
            if batch:
                began_s = time.monotonic()
                store.apply(batch, following)
                gathering.wrote(time.monotonic() - began_s)
                note_records(batch, live=live)
                if any(record.topic == BATON_AGREEMENTS for record in batch):
                    store.set_zone(zone_of(store.place))
            if reader.caught_up:
                if rebuild or self._files.current() is None:
                    self._files.use(store.place)
                    self._files.rebuild_made()
                    rebuild = False
                self._report(ProjectorState.LIVE)
                if self._files.rebuild_wanted:
                    return
            else:
                self._report(ProjectorState.BUILDING, "reading what lies in the log")

    def _report(self, state: ProjectorState, words: str = "") -> None:
        asked = (
            int(time.time() * 1000)
            if state in (ProjectorState.LIVE, ProjectorState.BUILDING, ProjectorState.STANDBY)
            else self.standing.asked_ms
        )
        self.standing = Standing(state=state, words=words, asked_ms=asked)
        FOLLOWS.set(state in (ProjectorState.LIVE, ProjectorState.STANDBY))

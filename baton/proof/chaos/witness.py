"""A ``read_committed`` reader that looks on while the run goes: whatever it sees must be what the
final reader sees.

It keeps one running hash a partition, and where it stood, so its memory does not grow with the run.
"""

import threading
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from baton.cluster.log import LogReader, Record


class Witness:
    """``start``, and after :meth:`stop` the :meth:`disagreements` with a reading from the
    beginning."""

    def __init__(self, client: Mapping[str, Any], namespace: str, topics: Sequence[str]) -> None:
        self._client, self._namespace, self._topics = client, namespace, topics
        self._hashes: dict[tuple[str, int], Any] = {}
        self._next: dict[tuple[str, int], int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.seen = 0
        self.fault: Exception | None = None

    def start(self) -> None:
        """Begin to look on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def disagreements(self) -> list[str]:
        """Partitions whose records are now others than they were when they were first read."""
        if self.fault is not None:
            return [f"the witness could not go on: {type(self.fault).__name__}"]
        wrong = []
        with LogReader(self._client, self._namespace) as reader:
            for (topic, partition), seen in sorted(self._hashes.items()):
                again = blake2b(digest_size=16)
                for record in reader.read({topic: [partition]}):
                    if record.offset < self._next[topic, partition]:
                        again.update(_said(record))
                if again.digest() != seen.digest():
                    wrong.append(
                        f"{topic}/{partition}: the first {self._next[topic, partition]} offsets "
                        "read otherwise at the end"
                    )
        return wrong

    def _watch(self) -> None:
        try:
            with LogReader(self._client, self._namespace, follows=True) as reader:
                places = {topic: list(range(reader.partitions(topic))) for topic in self._topics}
                for record in reader.read(places, follow=True, until=self._ended.is_set):
                    place = record.topic, record.partition
                    self._hashes.setdefault(place, blake2b(digest_size=16)).update(_said(record))
                    self._next[place] = record.offset + 1
                    self.seen += 1
        except Exception as error:  # noqa: BLE001 - reported by disagreements()
            self.fault = error


def _said(record: Record) -> bytes:
    return b"%d|%b|%b|" % (record.offset, record.key or b"", record.value or b"")

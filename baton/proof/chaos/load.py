"""The load of a chaos run: visitors and the people of the firm, over HTTP and by the inbox, with a
ledger of what was acknowledged."""

import heapq
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import LEADS_ROUTED_SALES, LEADS_ROUTED_SDR
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused, read_line
from baton.local.demo.company import Arrival, Way
from baton.local.demo.staff import deeds
from baton.proof.chaos.load_senders import Gateways, Inbox, Ledger
from baton.proof.chaos.script import Wave
from baton.proof.chaos.script_clock import ScriptClock

_POLL_S = 0.05
_AHEAD_MS = 1_000
_DISORDER_MS = 3_000
_ROUTED = (LEADS_ROUTED_SDR, LEADS_ROUTED_SALES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where lines are sent. ``client``: options of a confluent-kafka client."""

    client: Mapping[str, Any]
    namespace: str
    gateways: Sequence[str]


class Load:
    """Sends what ``script`` has when its time comes by ``clock``, and what people do with the leads
    they are given, until :meth:`stop`.

    ``ledger`` gets the ids of events whose line was acknowledged, one a line; ``sent`` counts
    lines, ``poison`` those meant to be dead letters.
    """

    def __init__(
        self,
        target: Target,
        script: Iterator[Wave],
        *,
        clock: ScriptClock,
        ledger: Path,
        seed: int,
    ) -> None:
        self._target, self._clock = target, clock
        self._script, self._random = script, Random(seed)
        self._wave = next(script, None)
        self._due: list[tuple[int, int, bool, Arrival]] = []
        self._number = 0
        self.ledger = Ledger(ledger, event_id_of)
        self._inbox = Inbox(target.client, target.namespace, self.ledger, Random(seed + 1))
        self._gateways = Gateways(target.gateways, self.ledger, seed)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._send, self._answer)
        ]
        self.sent = self.poison = self.unacknowledged = 0

    def start(self) -> None:
        """Begin."""
        self._clock.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the last acknowledgements. Calling it again does no harm."""
        if self._ended.is_set():
            return
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.unacknowledged = self._inbox.close() + self._gateways.close()
        self.ledger.close()

    @property
    def wrong(self) -> list[str]:
        """Answers of a gateway that good lines must not get."""
        return self._gateways.wrong

    @property
    def acknowledged(self) -> int:
        """Events whose line was acknowledged."""
        return self.ledger.acknowledged

    @property
    def scripted(self) -> bool:
        """Whether lines of the script are still to be sent."""
        with self._lock:
            return self._wave is not None or any(not answers for _, _, answers, _ in self._due)

    @property
    def waiting(self) -> bool:
        """Whether there are lines that are still to be sent or acknowledged, answers of people
        too."""
        with self._lock:
            left = bool(self._due) or self._wave is not None
        return left or bool(self._inbox.pending or self._gateways.pending)

    def _send(self) -> None:
        while not self._ended.wait(_POLL_S):
            due = self._due_by(self._clock.now_ms)
            self.sent += len(due)
            self.poison += sum(arrival.poison for arrival in due)
            self._gateways.send([arrival for arrival in due if arrival.way is Way.HTTP])
            self._inbox.send([arrival for arrival in due if arrival.way is Way.KAFKA])

    def _due_by(self, now: int) -> list[Arrival]:
        due = []
        with self._lock:
            while self._wave is not None and self._wave.starts_ms <= now + _AHEAD_MS:
                self._spread(self._wave)
                self._wave = next(self._script, None)
            while self._due and self._due[0][0] <= now:
                due.append(heapq.heappop(self._due)[-1])
        return due

    def _spread(self, wave: Wave) -> None:
        for arrival in wave.arrivals:
            self._push(
                wave.starts_ms + arrival.after_ms + self._random.randrange(_DISORDER_MS), arrival
            )

    def _push(self, at_ms: int, arrival: Arrival, *, answers: bool = False) -> None:
        self._number += 1
        heapq.heappush(self._due, (at_ms, self._number, answers, arrival))

    def _answer(self) -> None:
        with LogReader(self._target.client, self._target.namespace, follows=True) as reader:
            places = {topic: list(range(reader.partitions(topic))) for topic in _ROUTED}
            for record in reader.read(places, follow=True, until=self._ended.is_set):
                if record.value is not None:
                    self._plan(codec_for(LeadRouted).decode(record.value))

    def _plan(self, routed: LeadRouted) -> None:
        now = self._clock.now_ms
        with self._lock:
            for deed in deeds(routed):
                way = self._random.choice(tuple(Way))
                arrival = Arrival(after_ms=now + deed.after_ms, way=way, line=deed.encoded)
                self._push(now + deed.after_ms, arrival, answers=True)


def event_id_of(line: bytes) -> str:
    """The id under which intake will know the event; raises ValueError for a line that intake would
    not take."""
    try:
        return to_intake(
            read_line(line), source=json.loads(line)["source"], received_at_ms=0
        ).event_id
    except LineRefused as error:
        raise ValueError(f"the load made a line that cannot be taken: {error}") from None

"""Waiting for the system during a run: until it has begun, has recovered from the faults, has
nothing left to do. Gives up where nothing advances."""

import math
import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from baton.proof.chaos.drained import Ends, Lag
from baton.proof.chaos.headway import Headway
from baton.proof.chaos.machine_time import MachineTime
from baton.proof.chaos.pace import Pace
from baton.proof.chaos.recovery import Recovery
from baton.proof.chaos.run_progress import Progress
from baton.proof.chaos.witness import Witness


class Waiting:
    """Each method raises :class:`~baton.proof.chaos.headway.NotDrained` where the system gets
    stuck."""

    def __init__(self, lag: Lag, pace: Pace, progress: Progress, *, reducers: int) -> None:
        self._lag, self._pace, self._progress, self._reducers = lag, pace, progress, reducers
        self._given = MachineTime()

    def headway(self, what: str) -> Headway:
        """Patience with one thing, in time that the machine gives."""
        return Headway(what, self._pace.patience_s, self._given)

    def drained(
        self, what: str, busy: Callable[[], bool] = lambda: False, *, until: float = math.inf
    ) -> None:
        """Until every group has come to the end of its inputs, and found nothing more there at a
        second look, while nobody is ``busy``; or until that time (monotonic)."""
        self._progress.say(f"waiting until {what}")
        headway, looks = self.headway(f"until {what}"), 0
        while looks < 2 and time.monotonic() < until:
            time.sleep(self._pace.poll_s)
            behind = self._behind(headway)
            looks = looks + 1 if behind == 0 and not busy() else 0

    def recovered(self) -> Recovery:
        """Until what stands in the inputs now is processed, whatever comes in meanwhile."""
        self._progress.say("waiting until what piled up under the faults is processed")
        began, given_s = time.monotonic(), self._given()
        headway = self.headway("until what piled up is processed")
        ends, most = None, 0
        while ends is None or (behind := self._behind(headway, ends)) != 0:
            if ends is None:
                ends = self._ends()
            elif behind is not None:
                most = max(most, behind)
            time.sleep(self._pace.poll_s / 4)
        return Recovery(
            backlog=most, seconds=time.monotonic() - began, given_s=self._given() - given_s
        )

    def come_through(self) -> None:
        """Until every group has come past what the one before it made of the last line. Clocks may
        go on and make more for a long time: of leads that wait in a queue, of those that nobody
        answers."""
        self._progress.say("waiting until everything has come through")
        for hop in range(1, self._reducers + 1):
            headway = self.headway(f"until everything has come through, hop {hop}")
            ends: Ends | None = None
            while (behind := self._behind(headway, ends)) != 0:
                ends = ends if behind is None or ends is not None else self._ends()
                time.sleep(self._pace.poll_s / 4)
            if ends is None:
                return  # there was nothing more to do at all

    def calm(self, witness: Witness) -> None:
        """Until nothing new has come for a while; returns of recycled leads and goals may go on for
        ever, so there is a limit."""
        pace = self._pace
        until, seen, since = time.monotonic() + pace.calm_limit_s, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < pace.calm_s:
            if witness.seen != seen:
                seen, since = witness.seen, time.monotonic()
            time.sleep(pace.poll_s)

    def _ends(self) -> Ends | None:
        try:
            return self._lag.ends()
        except KafkaException:  # as below
            return None

    def _behind(self, headway: Headway, known: Ends | None = None) -> int | None:
        try:
            behind = self._lag(known)
        except KafkaException:  # the broker may still be coming back
            headway.saw(None)
            return None
        headway.saw(behind)
        self._progress.report(f"{behind:,} offsets behind")
        return behind

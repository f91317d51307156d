"""The run itself: a broker and workers of its own, load, faults by the plan, calm, and the audit."""

import asyncio
import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from baton.agreement.publish import publish_agreement
from baton.audit.audit import Audit
from baton.audit.findings import Report
from baton.audit.source import KafkaSource
from baton.broker.embedded import EmbeddedBroker
from baton.broker.topics import Layout, ensure_topics
from baton.chaos.crew import Crew
from baton.chaos.drained import lag
from baton.chaos.load import Load
from baton.chaos.plan import Blow, Fault, plan
from baton.chaos.witness import Witness
from baton.cli.flow import all_reducers
from baton.clients import confluent_options
from baton.contracts.topics import TOPICS, Audience
from baton.settings import Settings

_SESSION_S = 6.0
_PAUSE_S = 12.0
_FREEZE_S = 10.0
_STORM_TURNS = 4
_GRACE_MS = 60_000
_CALM_POLL_S = 2.0
_CALM_S = 12.0
_CALM_LIMIT_S = 60.0
_SENT_LIMIT_S = 600.0
_DRAIN_LIMIT_S = 900.0
_WATCHED = tuple(
    spec.name for spec in TOPICS.values() if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement")
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. ``wrong`` has everything that is not as promised; empty: sound."""

    report: Report
    faults: Counter[str]
    sent: int
    acknowledged: int
    unacknowledged: int
    poison: int
    worker_starts: int
    witnessed: int
    seconds: float
    wrong: list[str] = field(default_factory=list)


class NotDrained(RuntimeError):
    """The system did not come to rest after the last fault; the text says what was waited for."""


class ChaosRun:
    """``home``: where the broker, the logs of the workers and the run's files go. ``agreement``: the YAML it begins with."""

    def __init__(
        self,
        home: Path,
        *,
        cache: Path,
        agreement: Path,
        kills: int,
        events: int,
        seconds: float,
        seed: int,
        workers: int,
        say: Say,
    ) -> None:
        self._home, self._agreement, self._say = home, agreement, say
        self._events, self._seconds, self._seed = events, seconds, seed
        self._blows = plan(kills=kills, seed=seed)
        self._broker = EmbeddedBroker(home / "broker", 0, cache=cache)
        self._workers = workers
        self._faults: Counter[str] = Counter()
        self._background: list[threading.Thread] = []

    def run(self) -> Outcome:
        """Do it all; whatever happens, nothing is left running."""
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            bootstrap = self._broker.start()
            stack.callback(self._broker.remove)
            settings = Settings(bootstrap=bootstrap, namespace="chaos", home=self._home)
            client = confluent_options(settings)
            ensure_topics(client, Layout(namespace="chaos", partitions=settings.partitions))
            asyncio.run(publish_agreement(settings, self._agreement.read_text(), file=self._agreement.name))
            crew = Crew(self._environment(bootstrap), self._home / "logs", size=self._workers)
            stack.callback(crew.stop)
            crew.start()
            witness = Witness(client, "chaos", _WATCHED)
            witness.start()
            load = Load(client, "chaos", events=self._events, span_s=self._seconds, seed=self._seed)
            load.start()
            self._strike(crew, settings)
            self._await_sent(load)
            load.stop()
            self._await_drained(client, settings.partitions)
            self._await_calm(witness)
            witness.stop()
            outcome = self._judge(settings, load, witness, crew)
        return _timed(outcome, time.monotonic() - began)

    def _environment(self, bootstrap: str) -> dict[str, str]:
        return {
            "BATON_BOOTSTRAP": bootstrap,
            "BATON_NAMESPACE": "chaos",
            "BATON_HOME": str(self._home),
            "BATON_INSECURE": "true",
            "BATON_SESSION_TIMEOUT_MS": str(int(_SESSION_S * 1000)),
            "BATON_HEARTBEAT_MS": "1500",
            "BATON_DEAD_LETTER_PERCENT": "100",
        }

    # ------------------------------------------------------------------ faults

    def _strike(self, crew: Crew, settings: Settings) -> None:
        began = time.monotonic()
        for blow in self._blows:
            time.sleep(max(0.0, began + blow.at * self._seconds - time.monotonic()))
            self._faults[blow.fault] += 1
            self._say(f"{time.monotonic() - began:6.0f} s  {blow.fault}")
            self._do(blow, crew, settings)
        for thread in self._background:
            thread.join()

    def _do(self, blow: Blow, crew: Crew, settings: Settings) -> None:
        match blow.fault:
            case Fault.KILL:
                crew.signal(crew.one(blow.target), signal.SIGKILL)
            case Fault.PAUSE:
                self._aside(lambda: self._pause(crew, crew.one(blow.target)))
            case Fault.ROLL:
                self._aside(lambda: self._roll(crew, blow.target))
            case Fault.STORM:
                self._aside(lambda: self._storm(crew, blow.target))
            case Fault.BROKER_KILL:
                self._broker.kill()
                self._broker.start()
            case Fault.BROKER_FREEZE:
                self._broker.pause()
                time.sleep(_FREEZE_S)
                self._broker.resume()
            case Fault.AGREEMENT:
                text = self._agreement.read_text().replace("form: {points: 12,", "form: {points: 13,")
                self._aside(lambda: asyncio.run(publish_agreement(settings, text, file="changed.yaml")))

    def _aside(self, work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._background.append(thread)

    def _pause(self, crew: Crew, name: tuple[str, int]) -> None:
        crew.signal(name, signal.SIGSTOP)
        time.sleep(_PAUSE_S)
        crew.signal(name, signal.SIGCONT)

    def _roll(self, crew: Crew, target: int) -> None:
        for name in crew.of_service(target):
            crew.signal(name, signal.SIGTERM)
            time.sleep(_SESSION_S / 2)

    def _storm(self, crew: Crew, target: int) -> None:
        for turn in range(_STORM_TURNS):
            for name in crew.of_service(target):
                crew.signal(name, signal.SIGTERM if turn % 2 else signal.SIGKILL)
                time.sleep(0.7)

    # ------------------------------------------------------------------ calm and verdict

    def _await_sent(self, load: Load) -> None:
        until = time.monotonic() + _SENT_LIMIT_S
        while load.waiting and time.monotonic() < until:
            time.sleep(_CALM_POLL_S)

    def _await_drained(self, client: dict[str, Any], partitions: int) -> None:
        """Until every group has come to the end of its inputs, and found nothing more there at a second look."""
        self._say("waiting until everything has come through")
        until, looks = time.monotonic() + _DRAIN_LIMIT_S, 0
        while looks < 2:
            if time.monotonic() > until:
                raise NotDrained(f"the groups are not at the end of their inputs after {_DRAIN_LIMIT_S:.0f} s of peace")
            time.sleep(_CALM_POLL_S)
            try:
                looks = looks + 1 if lag(client, "chaos", all_reducers(), partitions) == 0 else 0
            except KafkaException:  # the broker may still be coming back
                looks = 0

    def _await_calm(self, witness: Witness) -> None:
        """Until nothing new has come for a while; returns of recycled leads and goals may go on for ever, so there is a limit."""
        until, seen, since = time.monotonic() + _CALM_LIMIT_S, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < _CALM_S:
            if witness.seen != seen:
                seen, since = witness.seen, time.monotonic()
            time.sleep(_CALM_POLL_S)

    def _judge(self, settings: Settings, load: Load, witness: Witness, crew: Crew) -> Outcome:
        self._say("auditing")
        source = KafkaSource(confluent_options(settings), settings.namespace)
        try:
            audit = Audit(
                source, all_reducers(), namespace=settings.namespace, acknowledged=load.acknowledged, grace_ms=_GRACE_MS
            )
            report = audit.run()
        finally:
            source.close()
        wrong = [str(finding) for finding in report.findings] + report.unchecked + witness.disagreements()
        dead = report.checked["dlq.leads.inbox.v1"]
        if dead != load.poison:
            wrong.append(f"{load.poison} lines could not be taken, but {dead} are dead letters")
        return Outcome(
            report=report,
            faults=self._faults,
            sent=load.sent,
            acknowledged=len(load.acknowledged),
            unacknowledged=load.unacknowledged,
            poison=load.poison,
            worker_starts=crew.starts,
            witnessed=witness.seen,
            seconds=0.0,
            wrong=wrong,
        )


def _timed(outcome: Outcome, seconds: float) -> Outcome:
    return replace(outcome, seconds=seconds)

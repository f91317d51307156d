"""The run itself: a broker and workers of its own, load, faults by the plan, calm, and the
audit."""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from baton.agreement.publish import publish_agreement
from baton.clients import confluent_options
from baton.cluster.topics import Layout, ensure_topics
from baton.contracts.topic_names import LEADS_INBOX_DEAD_LETTERS
from baton.contracts.topics import TOPICS, Audience
from baton.flow import all_reducers
from baton.local.broker.embedded import EmbeddedBroker
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import Report
from baton.proof.audit.source import KafkaSource
from baton.proof.chaos.clock import ScriptClock
from baton.proof.chaos.crew import Crew
from baton.proof.chaos.drained import Ends, Lag
from baton.proof.chaos.faults import Striker
from baton.proof.chaos.headway import Headway
from baton.proof.chaos.load import Load
from baton.proof.chaos.pace import Pace
from baton.proof.chaos.plan import plan
from baton.proof.chaos.pressure import Pressure
from baton.proof.chaos.script import waves
from baton.proof.chaos.witness import Witness
from baton.settings import Settings

NAMESPACE = "chaos"
_GRACE_MS = 60_000
_AUDIT_PROCESSES = 2
_BROKER_READY_S = 900.0
_WATCHED = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement")
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for. ``agreement``: the YAML it begins with. ``kills`` faults while ``events``
    lines come in over ``seconds``, or over longer where the system cannot keep up. ``keep``: leave
    the broker's data where they are."""

    agreement: Path
    kills: int
    events: int
    seconds: float
    seed: int
    workers: int = 2
    partitions: int = 4
    pace: Pace = Pace()  # noqa: RUF009 - frozen
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. ``wrong`` has everything that is not as promised; empty: sound.
    ``seconds``: by part of the run."""

    report: Report
    faults: Counter[str]
    sent: int
    acknowledged: int
    unacknowledged: int
    poison: int
    worker_starts: int
    witnessed: int
    seconds: dict[str, float]
    wrong: list[str] = field(default_factory=list)


class ChaosRun:
    """``home``: where the broker, the logs of the workers and the ledger go."""

    def __init__(self, home: Path, order: Order, *, cache: Path, say: Say) -> None:
        self._home, self._order, self._say = home, order, say
        self._blows = plan(kills=order.kills, seed=order.seed)
        self._broker = EmbeddedBroker(
            home / "broker", 0, cache=cache, ready_timeout_s=_BROKER_READY_S
        )
        self._ledger = home / "acknowledged.txt"
        self._began = self._part_began = time.monotonic()
        self._said = self._began
        self._seconds: dict[str, float] = {}

    def run(self) -> Outcome:
        """Do it all; whatever happens, nothing is left running. Raises NotDrained where the system
        gets stuck."""
        self._home.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            settings = self._prepared(stack)
            client = confluent_options(settings)
            self._lag = Lag(client, NAMESPACE, all_reducers(), self._order.partitions)
            stack.callback(self._lag.close)
            crew = Crew(self._environment(settings), self._home / "logs", size=self._order.workers)
            stack.callback(crew.stop)
            crew.start()
            self._await_drained("every task has begun")
            self._part("begun")
            witness = Witness(client, NAMESPACE, _WATCHED)
            witness.start()
            load = self._under_load(stack, client, settings, crew)
            self._await_come_through()
            self._part("coming through")
            self._await_calm(witness)
            crew.stop()
            witness.stop()
            return self._judge(client, load, witness, crew)

    def _prepared(self, stack: contextlib.ExitStack) -> Settings:
        stack.callback(self._broker.stop if self._order.keep else self._broker.remove)
        settings = Settings(bootstrap=self._broker.start(), namespace=NAMESPACE, home=self._home)
        ensure_topics(
            confluent_options(settings),
            Layout(namespace=NAMESPACE, partitions=self._order.partitions),
        )
        asyncio.run(
            publish_agreement(
                settings, self._order.agreement.read_text(), file=self._order.agreement.name
            )
        )
        self._part("prepared")
        return settings

    def _environment(self, settings: Settings) -> dict[str, str]:
        session_ms = int(self._order.pace.session_s * 1000)
        return {
            "BATON_BOOTSTRAP": settings.bootstrap or "",
            "BATON_NAMESPACE": NAMESPACE,
            "BATON_PARTITIONS": str(self._order.partitions),
            "BATON_HOME": str(self._home),
            "BATON_INSECURE": "true",
            "BATON_SESSION_TIMEOUT_MS": str(session_ms),
            "BATON_HEARTBEAT_MS": str(session_ms // 4),
            "BATON_DEAD_LETTER_PERCENT": "100",
        }

    # ------------------------------------------------------------------ load and faults

    def _under_load(
        self, stack: contextlib.ExitStack, client: dict[str, Any], settings: Settings, crew: Crew
    ) -> Load:
        order, clock = self._order, ScriptClock()
        span_ms = int(order.seconds * 1000)
        script = waves(
            events=order.events, span_ms=span_ms, seed=order.seed, begins_ms=int(time.time() * 1000)
        )
        load = Load(client, NAMESPACE, script, clock=clock, ledger=self._ledger, seed=order.seed)
        striker = Striker(crew, self._broker, settings, agreement=order.agreement, pace=order.pace)
        pressure = Pressure(
            clock,
            self._lag,
            lambda behind: self._tell(load, striker, behind),
            report_s=order.pace.report_s,
        )
        load.start()
        stack.callback(load.stop)
        pressure.start()
        stack.callback(pressure.stop)
        self._strike(striker, clock, span_ms)
        self._faults, self._not_done = striker.done, striker.not_done
        pressure.stop()
        self._await_answered(load)
        load.stop()
        self._part("under load")
        return load

    def _strike(self, striker: Striker, clock: ScriptClock, span_ms: int) -> None:
        """Each blow when so much of the script has gone by; that stands still while the system
        catches up."""
        for blow in self._blows:
            headway = Headway("the script, which waits for the system", self._order.pace.patience_s)
            while (left := int(blow.at * span_ms) - clock.now_ms) > 0:
                headway.saw(left)
                time.sleep(min(0.2, left / 1000))
            self._say(f"{self._elapsed:6.0f} s  {blow.fault}")
            striker.strike(blow)
        striker.join()

    def _await_answered(self, load: Load) -> None:
        """Until the script is sent, everything has come through and nobody has anything to say to
        what came of it; but where more leads wait in the queues than the few people of the firm can
        take, not for longer than people go on answering."""
        headway = Headway("the last of the script", self._order.pace.patience_s)
        while load.scripted:
            headway.saw(-load.sent)
            time.sleep(self._order.pace.poll_s)
        until = time.monotonic() + self._order.pace.answers_s
        self._await_drained(
            "people have answered what came of it", lambda: load.waiting, until=until
        )

    def _tell(self, load: Load, striker: Striker, behind: int | None) -> None:
        self._say(
            f"{self._elapsed:6.0f} s  {load.sent:,} sent, {load.acknowledged:,} acknowledged, "
            f"{'nobody says how far' if behind is None else f'{behind:,} offsets'} behind, "
            f"{sum(striker.done.values())} of {len(self._blows)} faults"
        )

    # ------------------------------------------------------------------ calm and verdict

    def _await_drained(
        self, what: str, busy: Callable[[], bool] = lambda: False, *, until: float = math.inf
    ) -> None:
        """Until every group has come to the end of its inputs, and found nothing more there at a
        second look, while nobody is ``busy``; or until that time (monotonic)."""
        self._say(f"{self._elapsed:6.0f} s  waiting until {what}")
        headway, looks = Headway(f"until {what}", self._order.pace.patience_s), 0
        while looks < 2 and time.monotonic() < until:
            time.sleep(self._order.pace.poll_s)
            behind = self._behind(headway)
            looks = looks + 1 if behind == 0 and not busy() else 0

    def _await_come_through(self) -> None:
        """Until every group has come past what the one before it made of the last line. Clocks may
        go on and make more for a long time: of leads that wait in a queue, of those that nobody
        answers."""
        self._say(f"{self._elapsed:6.0f} s  waiting until everything has come through")
        for turn in range(1, len(all_reducers()) + 1):
            headway = Headway(
                f"until everything has come through, turn {turn}", self._order.pace.patience_s
            )
            ends: Ends | None = None
            while (behind := self._behind(headway, ends)) != 0:
                ends = ends if behind is None or ends is not None else self._ends()
                time.sleep(self._order.pace.poll_s / 4)
            if ends is None:
                return  # there was nothing more to do at all

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
        self._report(f"{behind:,} offsets behind")
        return behind

    def _await_calm(self, witness: Witness) -> None:
        """Until nothing new has come for a while; returns of recycled leads and goals may go on for
        ever, so there is a limit."""
        pace = self._order.pace
        until, seen, since = time.monotonic() + pace.calm_limit_s, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < pace.calm_s:
            if witness.seen != seen:
                seen, since = witness.seen, time.monotonic()
            time.sleep(pace.poll_s)

    def _judge(self, client: dict[str, Any], load: Load, witness: Witness, crew: Crew) -> Outcome:
        self._say(f"{self._elapsed:6.0f} s  auditing")
        source = KafkaSource(client, NAMESPACE)
        try:
            with self._ledger.open() as ledger:
                acknowledged = (line.strip() for line in ledger)
                report = Audit(
                    source,
                    all_reducers(),
                    namespace=NAMESPACE,
                    acknowledged=acknowledged,
                    grace_ms=_GRACE_MS,
                    processes=_AUDIT_PROCESSES,
                    progress=self._auditing,
                ).run()
        finally:
            source.close()
        self._part("audited")
        wrong = (
            [str(finding) for finding in report.findings]
            + report.unchecked
            + witness.disagreements()
            + self._not_done
        )
        self._part("witness heard")
        dead = report.checked[LEADS_INBOX_DEAD_LETTERS]
        if dead != load.poison:
            wrong.append(f"{load.poison} lines could not be taken, but {dead} are dead letters")
        return Outcome(
            report=report,
            faults=self._faults,
            sent=load.sent,
            acknowledged=load.acknowledged,
            unacknowledged=load.unacknowledged,
            poison=load.poison,
            worker_starts=crew.starts,
            witnessed=witness.seen,
            seconds=self._seconds | {"all": self._elapsed},
            wrong=wrong,
        )

    def _auditing(self, what: str, done: int, total: int) -> None:
        self._report(f"{what}: {done:,} of {total:,}")

    def _report(self, words: str) -> None:
        """Say it, unless something was said just now."""
        now = time.monotonic()
        if now - self._said >= self._order.pace.report_s:
            self._said = now
            self._say(f"{self._elapsed:6.0f} s  {words}")

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _part(self, name: str) -> None:
        now = time.monotonic()
        self._seconds[name], self._part_began = now - self._part_began, now

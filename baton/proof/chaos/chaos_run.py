"""The run itself: brokers and workers of its own, load, faults by the plan, calm, and the audit."""

import asyncio
import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

from baton.agreement.publish import publish_agreement
from baton.clients import confluent_options
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topic_names import LEADS_INBOX_DEAD_LETTERS
from baton.contracts.topics import TOPICS, Audience
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import Report
from baton.proof.audit.source import KafkaSource
from baton.proof.chaos.brokers import brokers_of
from baton.proof.chaos.crew import Crew, Spawn
from baton.proof.chaos.drained import Lag
from baton.proof.chaos.faults import Striker
from baton.proof.chaos.load import Load, Target
from baton.proof.chaos.node_network import Network
from baton.proof.chaos.order import Order, Outcome
from baton.proof.chaos.pressure import Pressure
from baton.proof.chaos.run_progress import Progress, Say
from baton.proof.chaos.script import waves
from baton.proof.chaos.script_clock import ScriptClock
from baton.proof.chaos.waiting import Waiting
from baton.proof.chaos.witness import Witness
from baton.settings import Settings

NAMESPACE = "chaos"
_GRACE_MS = 60_000
_EVENTS_A_PROCESS = 1_000
"""A process that computes tasks again takes three seconds of CPU before it begins."""
_MOST_PROCESSES = 2
_COPIES = 3
_WATCHED = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement")
)


class ChaosRun:
    """``home``: where the brokers, the logs of the workers and the ledger go. ``network``: joins
    several brokers, where it can be cut. ``spawn``: starts workers."""

    def __init__(
        self,
        home: Path,
        order: Order,
        *,
        cache: Path,
        say: Say,
        network: Network | None = None,
        spawn: Spawn = subprocess.Popen,
    ) -> None:
        self._home, self._order, self._spawn = home, order, spawn
        self._blows = order.blows
        self._brokers = brokers_of(home, cache, order.brokers, network)
        self._ledger = home / "acknowledged.txt"
        self._progress = Progress(say, report_s=order.pace.report_s)

    def run(self) -> Outcome:
        """Do it all; whatever happens, nothing is left running. Raises NotDrained where the system
        gets stuck."""
        self._home.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            settings = self._prepared(stack)
            client = confluent_options(settings)
            self._lag = Lag(client, NAMESPACE, all_reducers(), self._order.partitions)
            stack.callback(self._lag.close)
            self._waiting = Waiting(
                self._lag, self._order.pace, self._progress, reducers=len(all_reducers())
            )
            crew = Crew(
                self._environment(settings),
                self._home / "logs",
                size=self._order.workers,
                former=self._order.former,
                states=self._home / "states" if self._order.on_disk else None,
                spawn=self._spawn,
            )
            stack.callback(crew.stop)
            crew.start()
            self._waiting.drained("every task has begun")
            self._progress.part("begun")
            witness = Witness(client, NAMESPACE, _WATCHED)
            witness.start()
            load, striker = self._under_load(stack, settings, crew)
            self._waiting.come_through()
            self._progress.part("coming through")
            self._waiting.calm(witness)
            crew.stop()
            witness.stop()
            return self._judge(self._audit(client), load, witness, (crew, striker))

    def _prepared(self, stack: contextlib.ExitStack) -> Settings:
        order = self._order
        stack.callback(self._brokers.stop if order.keep else self._brokers.remove)
        settings = Settings(bootstrap=self._brokers.start(), namespace=NAMESPACE, home=self._home)
        ensure_topics(
            confluent_options(settings),
            Layout(
                namespace=NAMESPACE,
                partitions=order.partitions,
                replication=min(_COPIES, order.brokers),
            ),
        )
        asyncio.run(
            publish_agreement(settings, order.agreement.read_text(), file=order.agreement.name)
        )
        self._progress.part("prepared")
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
        self, stack: contextlib.ExitStack, settings: Settings, crew: Crew
    ) -> tuple[Load, Striker]:
        order, clock = self._order, ScriptClock()
        span_ms = int(order.seconds * 1000)
        script = waves(
            events=order.events, span_ms=span_ms, seed=order.seed, begins_ms=int(time.time() * 1000)
        )
        target = Target(
            client=confluent_options(settings), namespace=NAMESPACE, gateways=crew.gateways
        )
        load = Load(target, script, clock=clock, ledger=self._ledger, seed=order.seed)
        striker = Striker(crew, self._brokers, settings, agreement=order.agreement, pace=order.pace)
        pressure = Pressure(
            clock,
            self._lag,
            lambda behind: self._report(load, striker, behind),
            report_s=order.pace.report_s,
        )
        load.start()
        stack.callback(load.stop)
        pressure.start()
        stack.callback(pressure.stop)
        self._strike(striker, clock, span_ms)
        pressure.stop()
        self._recovery = self._waiting.recovered()
        self._await_answered(load)
        load.stop()
        self._progress.part("under load")
        return load, striker

    def _strike(self, striker: Striker, clock: ScriptClock, span_ms: int) -> None:
        """Each blow when so much of the script has gone by; that stands still while the system
        catches up."""
        for blow in self._blows:
            headway = self._waiting.headway("the script, which waits for the system")
            while (left := int(blow.at * span_ms) - clock.now_ms) > 0:
                headway.saw(left)
                time.sleep(min(0.2, left / 1000))
            self._progress.say(blow.fault)
            striker.strike(blow)
        striker.join()

    def _await_answered(self, load: Load) -> None:
        """Until the script is sent, everything has come through and nobody has anything to say to
        what came of it; but where more leads wait in the queues than the few people of the firm can
        take, not for longer than people go on answering."""
        headway = self._waiting.headway("the last of the script")
        while load.scripted:
            headway.saw(-load.sent)
            time.sleep(self._order.pace.poll_s)
        until = time.monotonic() + self._order.pace.answers_s
        self._waiting.drained(
            "people have answered what came of it", lambda: load.waiting, until=until
        )

    def _report(self, load: Load, striker: Striker, behind: int | None) -> None:
        self._progress.say(
            f"{load.sent:,} sent, {load.acknowledged:,} acknowledged, "
            f"{'nobody says how far' if behind is None else f'{behind:,} offsets'} behind, "
            f"{sum(striker.done.values())} of {len(self._blows)} faults"
        )

    # ------------------------------------------------------------------ verdict

    def _audit(self, client: dict[str, Any]) -> Report:
        self._progress.say("auditing")
        source = KafkaSource(client, NAMESPACE)
        try:
            with self._ledger.open() as ledger:
                return Audit(
                    source,
                    all_reducers(),
                    namespace=NAMESPACE,
                    acknowledged=(line.strip() for line in ledger),
                    grace_ms=_GRACE_MS,
                    processes=min(_MOST_PROCESSES, 1 + self._order.events // _EVENTS_A_PROCESS),
                    progress=lambda what, done, total: self._progress.report(
                        f"{what}: {done:,} of {total:,}"
                    ),
                ).run()
        finally:
            source.close()
            self._progress.part("audited")

    def _judge(
        self, report: Report, load: Load, witness: Witness, did: tuple[Crew, Striker]
    ) -> Outcome:
        crew, striker = did
        wrong = [str(finding) for finding in report.findings] + report.unchecked
        wrong += (
            witness.disagreements()
            + striker.not_done
            + load.wrong
            + self._recovery.late(self._order.pace)
        )
        self._progress.part("witness heard")
        dead = report.checked[LEADS_INBOX_DEAD_LETTERS]
        if dead != load.poison:
            wrong.append(f"{load.poison} lines could not be taken, but {dead} are dead letters")
        return Outcome(
            report=report,
            faults=striker.done,
            sent=load.sent,
            acknowledged=load.acknowledged,
            by_way=load.ledger.by_way,
            unknown=load.ledger.unknown,
            unacknowledged=load.unacknowledged,
            poison=load.poison,
            backlog=self._recovery.backlog,
            worker_starts=crew.starts,
            witnessed=witness.seen,
            seconds=self._progress.seconds
            | {
                "recovered": self._recovery.seconds,
                "recovered, as given by the machine": self._recovery.given_s,
                "all": self._progress.elapsed,
            },
            skipped=striker.skipped,
            wrong=wrong,
        )

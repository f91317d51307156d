"""A whole Baton on this machine: starts the parts in order, tends them, and ends all of them again.

The order is broker, preparation (topics, agreement), services; it ends in the reverse order, and
only what it started itself. The caller gives it turns (:meth:`System.tend`) and so decides how long
it runs.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from baton.local.broker.broker_record import broker_home, running_broker
from baton.local.broker.embedded import EmbeddedBroker
from baton.local.broker.fetch import Progress
from baton.local.private_files import rotate
from baton.local.up.child import Child, Command, Spawn
from baton.local.up.former import claimed, clear_former
from baton.local.up.readiness import Answer, ask
from baton.local.up.run_record import ProcessRecord, RunRecord, RunState, forget_run, write_run
from baton.local.up.tended_broker import TendedBroker
from baton.processes import Mark, own_mark
from baton.settings import Settings

Say = Callable[[str], None]
Prepare = Callable[[Settings], None]
Commands = Callable[[Settings], Sequence[Command]]

_STOP_GRACE_S = 20.0
_STARTS_BEFORE_GIVING_UP = 3
_POLL_S = 0.1
_ROTATE_S = 5.0
_DISK_WAIT_S = 10.0
_LAST_LINES = 6
_LINE = 300


class ServiceFailed(RuntimeError):
    """A service did not become ready; the text has the end of its log."""


class System:
    """``prepare`` makes topics and publishes; ``commands`` says which services run. Both get
    settings with an address."""

    def __init__(
        self,
        settings: Settings,
        *,
        prepare: Prepare,
        commands: Commands,
        say: Say,
        progress: Progress | None = None,
        supervisor: Mark | None = None,
        spawn: Spawn = subprocess.Popen,
    ) -> None:
        self.settings = settings
        self._prepare = prepare
        self._commands = commands
        self._say = say
        self._progress = progress
        self._spawn = spawn
        self._broker = TendedBroker(self._broker_at, settings.broker_port, say)
        self._children: list[Child] = []
        self._due: dict[str, float] = {}
        self._rotate_at = 0.0
        self._run = RunRecord(
            supervisor=supervisor or own_mark(),
            state=RunState.STARTING,
            namespace=settings.namespace,
        )

    @property
    def run(self) -> RunRecord:
        """What is written down of this run."""
        return self._run

    @contextlib.contextmanager
    def running(self, *, ready_timeout_s: float = 180.0) -> Iterator["System"]:
        """Everything started and ready inside, everything stopped afterwards, whatever happens."""
        with claimed(self.settings.home):
            clear_former(self.settings.home, self._say)
            try:
                self.start()
                self.await_ready(ready_timeout_s)
                yield self
            finally:
                self.stop()

    def start(self) -> None:
        """Start every part; raises what a part says that cannot be started."""
        self._write()
        address = self._start_broker()
        if self.settings.embedded:
            self.settings = self.settings.reached_at(address)
        self._write(bootstrap=address)
        self._prepare(self.settings)
        for command in self._commands(self.settings):
            child = Child(command, self.settings.home / "logs", self._spawn)
            self._children.append(child)
            child.start()
            self._write()

    def await_ready(self, timeout_s: float) -> None:
        """Tend the services until all are ready; raises :class:`ServiceFailed` for one that keeps
        ending or takes too long."""
        deadline = time.monotonic() + timeout_s
        waiting = self._not_ready()
        self._say(f"waiting for {', '.join(waiting)}")
        while waiting:
            self.tend()
            for child in self._children:
                if (
                    child.command.name in waiting
                    and child.restarts >= _STARTS_BEFORE_GIVING_UP - 1
                    and child.exit_code() is not None
                ):
                    raise ServiceFailed(
                        _failure(
                            child, f"ended {_STARTS_BEFORE_GIVING_UP} times before it was ready"
                        )
                    )
                if child.command.name in waiting and time.monotonic() > deadline:
                    raise ServiceFailed(_failure(child, f"was not ready after {timeout_s:.0f} s"))
            time.sleep(_POLL_S)
            waiting = self._not_ready()
        self._write(state=RunState.RUNNING)

    def tend(self) -> None:
        """Start again what has ended, broker or service, each after its wait. To be called a few
        times a second."""
        if self._run.owns_broker:
            self._broker.tend()
            if self._broker.restarts != self._run.broker_restarts:
                self._run = replace(self._run, broker_restarts=self._broker.restarts)
                self._write_if_possible()
        now = time.monotonic()
        for child in self._children:
            code = child.exit_code()
            if code is not None:
                self._tend_ended(child, code, now)
            elif now >= self._rotate_at:
                with contextlib.suppress(OSError):
                    rotate(child.log)
        if now >= self._rotate_at:
            self._rotate_at = now + _ROTATE_S

    def _tend_ended(self, child: Child, code: int, now: float) -> None:
        name = child.command.name
        if name not in self._due:
            wait_s = child.backoff.wait_s(ran_s=now - child.started_at)
            self._due[name] = now + wait_s
            self._say(
                f"{name} ended with code {code}; starting it again in {wait_s:g} s; its log: "
                f"{child.log}"
            )
        elif now >= self._due[name]:
            try:
                child.start()
            except OSError as error:  # a full disk: what runs goes on, and this is tried again
                self._due[name] = now + _DISK_WAIT_S
                self._say(
                    f"{name} cannot be started: {child.log}: {error.strerror}; trying again in "
                    f"{_DISK_WAIT_S:g} s"
                )
                return
            del self._due[name]
            self._write_if_possible()

    def stop(self) -> None:
        """End services, then the broker if it is ours. Calling it again does no harm."""
        with contextlib.suppress(OSError):  # a full disk must not keep anything running
            self._write(state=RunState.STOPPING)
        for child in self._children:
            child.ask_to_end()
        deadline = time.monotonic() + _STOP_GRACE_S
        for child in self._children:
            child.end(max(0.5, deadline - time.monotonic()))
        if self._run.owns_broker:
            self._broker.stop()
        forget_run(self.settings.home)

    def _start_broker(self) -> str:
        if self.settings.bootstrap is not None:
            self._say(f"using the Kafka at {self.settings.bootstrap}")
            return self.settings.bootstrap
        if (running := running_broker(broker_home(self.settings.home))) is not None:
            self._say(f"using the embedded broker that runs at {running.bootstrap}")
            return running.bootstrap
        self._say("starting Apache Kafka")
        self._run = replace(self._run, owns_broker=True)
        self._write()
        return self._broker.start()

    def _broker_at(self, port: int) -> EmbeddedBroker:
        return EmbeddedBroker(
            broker_home(self.settings.home),
            port,
            cache=self.settings.cache,
            repository=self.settings.maven_repository,
            heap_mb=self.settings.broker_heap_mb,
            progress=self._progress,
        )

    def _not_ready(self) -> list[str]:
        return [
            child.command.name
            for child in self._children
            if (record := child.record) is None
            or child.exit_code() is not None
            or ask(record) is not Answer.READY
        ]

    def _write_if_possible(self) -> None:
        """A full disk must not end what runs; the record is brought up to date with the next
        change."""
        try:
            self._write()
        except OSError as error:
            self._say(f"{self.settings.home}: {error.strerror}; see: baton doctor")

    def _write(self, *, state: RunState | None = None, bootstrap: str | None = None) -> None:
        processes: tuple[ProcessRecord, ...] = tuple(
            child.record for child in self._children if child.record is not None
        )
        self._run = replace(
            self._run,
            processes=processes,
            state=self._run.state if state is None else state,
            bootstrap=self._run.bootstrap if bootstrap is None else bootstrap,
        )
        write_run(self.settings.home, self._run)


def _failure(child: Child, what: str) -> str:
    lines = "\n  ".join(
        line if len(line) <= _LINE else f"{line[:_LINE]} ..."
        for line in child.last_lines(_LAST_LINES)
    )
    return f"{child.command.name} {what}; the end of {child.log}:\n  {lines}"

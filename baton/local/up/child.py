"""One process that a run looks after: started apart from the terminal, its output in a file,
started again when it ends.

Deciding when to start it again is :class:`Backoff`, which is handed the time.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Protocol

from baton.lifeline import VARIABLE
from baton.local.private_files import PRIVATE_UMASK, last_lines, open_log, rotate
from baton.local.up.priority import lower_priority
from baton.local.up.run_record import ProcessRecord
from baton.processes import end, mark_of

LOG_FILE = "BATON_LOG_FILE"
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_SETTLED_S = 60.0


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Doubles the wait with each end that follows soon after a start; one that ran for a minute
    begins anew."""

    failures: int = 0

    def wait_s(self, *, ran_s: float) -> float:
        """How long to wait before starting again what has just ended after running for
        ``ran_s``."""
        self.failures = 1 if ran_s >= _SETTLED_S else self.failures + 1
        return float(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (self.failures - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a process listens: what says so in its environment, and its addresses; ``again``: where
    it is to listen once it has ended, which is elsewhere if a port is somebody else's now."""

    environment: Mapping[str, str]
    addresses: Mapping[str, str]
    again: "Callable[[], Listening] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: its name in messages and files, the words of the command and what is added to
    the environment; ``nice``: by how much its priority is lowered; ``again``: where it listens once
    it has ended; what else is in its environment stays."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0
    again: Callable[[], Listening] | None = None


class Process(Protocol):
    """What a child needs of ``subprocess.Popen``."""

    pid: int

    @property
    def stdin(self) -> IO[bytes] | None:
        """The end of its lifeline."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def terminate(self) -> None:
        """SIGTERM."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""


Spawn = Callable[..., Process]
"""Starts a process as ``subprocess.Popen`` does, with the arguments that it is given here."""


class Child:
    """A running (or ended) process of a :class:`Command`."""

    def __init__(self, command: Command, logs: Path, spawn: Spawn = subprocess.Popen) -> None:
        self.command = command
        self._spawn = spawn
        self.log = logs / f"{command.name}.log"
        self.backoff = Backoff()
        self.restarts = 0
        self.started_at = 0.0
        self._process: Process | None = None
        self._record: ProcessRecord | None = None

    def start(self) -> ProcessRecord:
        """Start it; its log goes on. Raises OSError where the log cannot be written."""
        if self._record is not None:
            self.restarts += 1
            self._take_other_ports()
        self._close_lifeline()
        rotate(self.log)
        with open_log(self.log) as out:
            # A session of its own: Ctrl-C reaches the supervisor alone, which ends the others in
            # order.
            self._process = self._spawn(
                self.command.words,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env={
                    **os.environ,
                    **self.command.environment,
                    VARIABLE: "1",
                    LOG_FILE: str(self.log),
                },
                start_new_session=True,
                umask=PRIVATE_UMASK,
            )
        lower_priority(self._process.pid, self.command.nice)
        self.started_at = time.monotonic()
        self._record = ProcessRecord(
            name=self.command.name,
            mark=mark_of(self._process.pid),
            log=str(self.log),
            addresses=self.command.addresses,
            restarts=self.restarts,
        )
        return self._record

    def _take_other_ports(self) -> None:
        if self.command.again is None:
            return
        other = self.command.again()
        self.command = replace(
            self.command,
            environment={**self.command.environment, **other.environment},
            addresses=other.addresses,
            again=other.again,
        )

    @property
    def record(self) -> ProcessRecord | None:
        """Its record, once it was started."""
        return self._record

    def exit_code(self) -> int | None:
        """The code it ended with; None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self, grace_s: float) -> None:
        """End it, by force after ``grace_s``."""
        if self._record is not None and self.exit_code() is None:
            end(self._record.mark, grace_s=grace_s)
        if self._process is not None:
            self._process.wait(5)
            self._close_lifeline()

    def _close_lifeline(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def last_lines(self, count: int = 12) -> list[str]:
        """The end of its log."""
        return last_lines(self.log, count)

"""``run.json``: what runs, so that any command can show it and the next run can clear away what a
killed one left behind."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from baton.processes import Mark

_FILE = "run.json"


class RunState(StrEnum):
    """How far a run is."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class ProcessState(StrEnum):
    """How a process is: ``alive`` answers but is not ready (restoring, waiting for a broker);
    ``starting`` does not listen yet; ``silent`` listens and does not answer: it hangs, is stopped,
    or has no processor; ``gone`` is none of ours any more."""

    READY = "ready"
    ALIVE = "alive"
    STARTING = "starting"
    SILENT = "silent"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One process of a run. ``addresses`` by what is there, such as ``http`` or ``metrics``."""

    name: str
    mark: Mark
    log: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0

    @property
    def readiness(self) -> str | None:
        """Where to ask whether it is ready."""
        metrics = self.addresses.get("metrics")
        return None if metrics is None else f"{metrics}/readyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of ``baton up``. ``owns_broker``: whether the embedded broker was started by it and
    ends with it."""

    supervisor: Mark
    state: RunState
    namespace: str
    bootstrap: str = ""
    owns_broker: bool = False
    broker_restarts: int = 0
    processes: tuple[ProcessRecord, ...] = ()


def write_run(home: Path, run: RunRecord) -> None:
    """Write it whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    part = home / f"{_FILE}.new"
    part.write_text(json.dumps(asdict(run), indent=1))
    part.replace(home / _FILE)


def read_run(home: Path) -> RunRecord | None:
    """The last run of this home, whether it still runs or not; None where there is none that can be
    read."""
    try:
        raw = json.loads((home / _FILE).read_text())
        processes = tuple(
            ProcessRecord(**{**row, "mark": Mark(**row["mark"])}) for row in raw.pop("processes")
        )
        supervisor, state = Mark(**raw.pop("supervisor")), RunState(raw.pop("state"))
        return RunRecord(supervisor=supervisor, state=state, processes=processes, **raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def forget_run(home: Path) -> None:
    """Remove the record: nothing runs and nothing is left to clear away."""
    (home / _FILE).unlink(missing_ok=True)

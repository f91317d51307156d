"""A former run: refuses to disturb one that runs, clears away what a killed one left behind, ends
one on request."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

from baton.local.broker.broker_record import running_process
from baton.local.broker.embedded import EmbeddedBroker
from baton.local.up.run_record import RunRecord, forget_run, read_run
from baton.processes import end, is_running

_GRACE_S = 10.0
_SUPERVISOR_GRACE_S = 60.0


class RunsAlready(RuntimeError):
    """A Baton with this home runs; the text says which process and how to stop it."""


@contextlib.contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Be the only run of this home while inside. The claim ends with the process, so a killed run
    leaves none."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready(_words(home, read_run(home))) from None
        yield


def refuse_if_running(home: Path) -> None:
    """Raise :class:`RunsAlready` if a run of this home is there; for who does not want the home for
    itself."""
    run = read_run(home)
    if run is not None and is_running(run.supervisor):
        raise RunsAlready(_words(home, run))


def _words(home: Path, run: RunRecord | None) -> str:
    who = "" if run is None else f"pid {run.supervisor.pid}, "
    return f"Baton runs already ({who}{home}); stop it with `baton down`"


def clear_former(home: Path, say: Callable[[str], None]) -> None:
    """End whatever a killed run left behind. Only for who has claimed the home."""
    former = read_run(home)
    if former is not None:
        _clear(home, former, say)


def stop_run(home: Path, say: Callable[[str], None]) -> bool:
    """End the run of this home and all that belongs to it; False if there was none. Calling it
    again does no harm."""
    run = read_run(home)
    if run is None:
        return False
    if is_running(run.supervisor):
        say(f"stopping Baton (pid {run.supervisor.pid})")
        end(run.supervisor, grace_s=_SUPERVISOR_GRACE_S)
    # It cleans up itself; what is still there was left by a kill.
    left = read_run(home)
    if left is not None:
        _clear(home, left, say)
    return True


def _clear(home: Path, former: RunRecord, say: Callable[[str], None]) -> None:
    left = [process for process in former.processes if is_running(process.mark)]
    broker = EmbeddedBroker(home / "broker", cache=home)
    owned = running_process(broker.home) if former.owns_broker else None
    if left or owned:
        names = [f"{process.name} (pid {process.mark.pid})" for process in left]
        say(
            "a former run was killed; ending what it left: "
            + ", ".join([*names, *(["the broker"] if owned else [])])
        )
    for process in left:
        end(process.mark, grace_s=_GRACE_S)
    if owned:
        broker.stop()
    forget_run(home)

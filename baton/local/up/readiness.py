"""Whether a process of a run is ready, asked as any load balancer would ask: GET /readyz."""

import http.client
import json
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from baton.local.up.run_record import ProcessRecord, ProcessState
from baton.processes import is_running

_TIMEOUT_S = 1.0
_MOST_BYTES = 1 << 20
_MOST_REASONS = 5


class Answer(StrEnum):
    """What a process says of itself."""

    READY = "ready"
    NOT_READY = "not ready"
    ABSENT = "absent"  # nothing listens there
    SILENT = "silent"


class Seen(NamedTuple):
    """How a process is, and why it is not ready; no reasons where it is, or is gone."""

    state: ProcessState
    reasons: tuple[str, ...] = ()


def ask(process: ProcessRecord) -> Answer:
    """Ask it once. A process without an address to ask is ready when it runs."""
    return _asked(process)[0]


def state_of(process: ProcessRecord) -> ProcessState:
    """How it is now."""
    return look_at(process).state


def look_at(process: ProcessRecord) -> Seen:
    """How it is now, and why."""
    if not is_running(process.mark):
        return Seen(ProcessState.GONE)
    match _asked(process):
        case Answer.READY, _:
            return Seen(ProcessState.READY)
        case Answer.NOT_READY, reasons:
            return Seen(ProcessState.ALIVE, reasons)
        case Answer.ABSENT, _:
            return Seen(ProcessState.STARTING, ("it does not listen yet",))
    silent = f"it listens, and gave no answer within {_TIMEOUT_S:.0f} s"
    return Seen(ProcessState.SILENT, (silent,))


def _asked(process: ProcessRecord) -> tuple[Answer, tuple[str, ...]]:
    if process.readiness is None:
        return (Answer.READY if is_running(process.mark) else Answer.ABSENT), ()
    parts = urlsplit(process.readiness)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        if answer.status == http.client.OK:
            return Answer.READY, ()
        return Answer.NOT_READY, reasons_in(answer.read(_MOST_BYTES))
    except ConnectionRefusedError:
        return Answer.ABSENT, ()
    except (OSError, http.client.HTTPException):
        return Answer.SILENT, ()
    finally:
        connection.close()


def reasons_in(body: bytes) -> tuple[str, ...]:
    """What the body of a ``/readyz`` that is not ready gives as reasons: the gateway's list, the
    board's or delivery's sentence, or the tasks of a worker that do not run."""
    try:
        said: dict[str, Any] = json.loads(body)
        found = [
            *said.get("reasons", ()),
            *filter(None, (said.get("reason"), said.get("words"))),
            *(task for task in said.get("tasks", ()) if not task.endswith(" running")),
        ]
    except (ValueError, TypeError, AttributeError):
        return ()
    more = len(found) - _MOST_REASONS
    return (*map(str, found[:_MOST_REASONS]), *([f"and {more} more"] if more > 0 else ()))

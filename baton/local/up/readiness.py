"""Whether a process of a run is ready, asked as any load balancer would ask: GET /readyz."""

import http.client
from enum import StrEnum
from urllib.parse import urlsplit

from baton.local.up.record import ProcessRecord, ProcessState
from baton.processes import is_running

_TIMEOUT_S = 1.0


class Answer(StrEnum):
    """What a process says of itself."""

    READY = "ready"
    NOT_READY = "not ready"
    SILENT = "silent"


def ask(process: ProcessRecord) -> Answer:
    """Ask it once. A process without an address to ask is ready when it runs."""
    if process.readiness is None:
        return Answer.READY if is_running(process.mark) else Answer.SILENT
    parts = urlsplit(process.readiness)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        return (
            Answer.READY if connection.getresponse().status == http.client.OK else Answer.NOT_READY
        )
    except (OSError, http.client.HTTPException):
        return Answer.SILENT
    finally:
        connection.close()


def state_of(process: ProcessRecord) -> ProcessState:
    """How it is now."""
    if not is_running(process.mark):
        return ProcessState.GONE
    match ask(process):
        case Answer.READY:
            return ProcessState.READY
        case Answer.NOT_READY:
            return ProcessState.ALIVE
        case Answer.SILENT:
            return ProcessState.STARTING

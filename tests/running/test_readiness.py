"""What `baton status` reports of a process that runs and is not ready: its own reasons."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from baton.local.up.readiness import Answer, ask, look_at, reasons_in
from baton.local.up.run_record import ProcessRecord, ProcessState
from baton.processes import mark_of


@pytest.fixture
def page() -> Iterator[dict[str, Any]]:
    """A `/readyz` that answers ``status`` and ``body``, at ``address``."""
    answers: dict[str, Any] = {"status": 503, "body": {}}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers["status"])
            self.end_headers()
            self.wfile.write(json.dumps(answers["body"]).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    answers["address"] = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield answers
    server.shutdown()
    thread.join()
    server.server_close()


def _process(address: str) -> ProcessRecord:
    mark = mark_of(os.getpid())
    return ProcessRecord(name="one", mark=mark, log="", addresses={"metrics": address})


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (
            {"ready": False, "reasons": ["events are not being processed"]},
            ("events are not being processed",),
        ),
        (
            {"ready": False, "reading": "behind", "reason": "no broker answers"},
            ("no broker answers",),
        ),
        ({"ready": False, "projection": "ready", "words": ""}, ()),
        (
            {"ready": False, "tasks": ["lead[0] running", "lead[1] restoring"]},
            ("lead[1] restoring",),
        ),
        (
            {"ready": False, "tasks": ["lead[0] running, no batch for 70 s"]},
            ("lead[0] running, no batch for 70 s",),
        ),
        (
            {"tasks": [f"lead[{number}] restoring" for number in range(8)]},
            (*(f"lead[{number}] restoring" for number in range(5)), "and 3 more"),
        ),
    ],
)
def test_a_process_that_is_not_ready_is_shown_with_its_own_reasons(
    page: dict[str, Any], body: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    page["body"] = body
    process = _process(page["address"])
    assert look_at(process) == (ProcessState.ALIVE, reasons)
    page["status"] = 200
    assert look_at(process) == (ProcessState.READY, ())


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b'{"tasks": 3}', b'{"reasons": null}', b'{"tasks": [1]}']
)
def test_a_body_that_no_process_of_ours_would_send_gives_no_reasons(body: bytes) -> None:
    assert reasons_in(body) == ()


def test_a_process_that_does_not_listen_yet_is_starting() -> None:
    process = _process("http://127.0.0.1:1")
    assert ask(process) is Answer.ABSENT
    assert look_at(process) == (ProcessState.STARTING, ("it does not listen yet",))


def test_a_process_that_listens_and_does_not_answer_is_silent_and_not_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        process = _process(f"http://127.0.0.1:{hung.getsockname()[1]}")
        assert ask(process) is Answer.SILENT
        reasons = ("it listens, and gave no answer within 1 s",)
        assert look_at(process) == (ProcessState.SILENT, reasons)

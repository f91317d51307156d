"""A receiver of webhooks that kills itself: run as a process by the tests of kill -9.

``python -m tests.services.delivery.killed_target PORT TAKEN MOMENT NUMBER``: what it takes is on
the disk in the file TAKEN before it answers. At the NUMBER-th request it is gone, as by kill -9,
before it took it or before it answers. It takes an id that it has already for good.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

MOMENTS = ("before_taking", "before_answering")


def handler(taken: Path, moment: str, number: int) -> type[BaseHTTPRequestHandler]:
    left = [number]

    def come_to(now: str) -> None:
        if now == moment:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            come_to("before_taking")
            lead = json.loads(body)["data"]["lead_id"]
            with taken.open("a") as file:
                file.write(f"{self.headers['webhook-id']} {lead}\n")
                file.flush()
                os.fsync(file.fileno())
            come_to("before_answering")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main() -> None:
    port, taken, moment, number = sys.argv[1:]
    server = HTTPServer(("127.0.0.1", int(port)), handler(Path(taken), moment, int(number)))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

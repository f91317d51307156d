"""The answer to an open form while everything else is at work: how long a peek and a claim take, at
a steady rate of forms, beside a steady rate of events.

All services run, each a process of its own; delivery has calendars for everybody of the agreement.
The callers are a process of their own, too. A form's peek is due at its moment and is measured from
then on, so that waiting for a caller counts; its claim, with a time where one was shown, follows at
once. Every form is of another buyer, so that every claim is a turn. The callers have addresses of
their own (127.0.1.x), because the concierge limits by address.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from baton.local.up.system import System
from benchmarks.pacing import paced, percentiles
from benchmarks.running import running
from benchmarks.whole import Way, agreement

_CALLERS = 40
_KEY, _PAGE = "pk_0123456789abcdef", "https://www.example.com"
_PEOPLE = ("sdr-anna", "sdr-ben", "sdr-cleo", "ae-greta", "ae-hugo")
_MEETINGS = 40
_WARM_S, _STARTING_S = 5.0, 3.0


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """``forms`` a second for ``seconds``, beside ``rate`` events a second."""
    with running(options, agreement(), _configure) as system:
        return _beside(system, options)


def call(options: dict[str, Any]) -> dict[str, Any]:
    """The callers: the answers' delays, from when each was due."""
    found = _Callers(options)
    threads = [threading.Thread(target=found.work, args=(n,)) for n in range(_CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if found.faults:
        raise RuntimeError("; ".join(found.faults[:3]))
    return {
        "peek": percentiles(found.peeks) | {"answers": len(found.peeks)},
        "claim": percentiles(found.claims) | {"answers": len(found.claims)},
        "later_without_token": found.without_token,
        "with_slot": found.with_slot,
        "peek_over_300_ms": sum(delay > 0.3 for delay in found.peeks),
        "statuses": found.statuses,
    }


def _beside(system: System, options: dict[str, Any]) -> dict[str, Any]:
    (concierge,) = (one for one in system.run.processes if one.name == "concierge")
    asked = options | {"concierge": concierge.addresses["concierge"], "warm_s": _WARM_S}
    found: dict[str, Any] = {}
    longer = options | {"seconds": options["seconds"] + _WARM_S + _STARTING_S}

    def send() -> None:
        found["events"] = Way(system, longer).measured()["way"]

    sending = threading.Thread(target=send)
    words = [sys.executable, "-m", "benchmarks.parts", "concierge_caller"]
    sending.start()
    time.sleep(options["warm_s"])  # the events are at their rate
    done = subprocess.run([*words, json.dumps(asked)], capture_output=True, text=True, check=False)
    sending.join()
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["the callers failed"])[-1])
    return found | json.loads(done.stdout.splitlines()[-1])


def _configure(home: Path) -> None:
    people = {}
    for number, person in enumerate(_PEOPLE):
        (home / f"{person}.ics").write_text(_calendar(number))
        people[person] = {"calendar": f"{person}.ics"}
    (home / "people.yaml").write_text(json.dumps({"version": 1, "people": people}))
    concierge = {
        "key": _KEY,
        "origins": [_PAGE],
        "signing_secret_env": "BATON_SECRET_CONCIERGE",
        "people": "people.yaml",
        "slots": {"minutes": 15, "days": 30},
        "per_minute": 600,
        "turns_per_hour": 10_000,
        "turns_per_address": 10_000,
    }
    (home / "targets.yaml").write_text(json.dumps({"version": 1, "concierge": concierge}))
    os.environ |= {
        "BATON_DELIVERY_TARGETS": str(home / "targets.yaml"),
        "BATON_SECRET_CONCIERGE": "only-for-this-measurement",
    }


def _calendar(number: int) -> str:
    """A month of meetings, one every day."""
    first = datetime.now(UTC).replace(hour=8 + number, minute=0, second=0)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for day in range(_MEETINGS):
        starts = (first + timedelta(days=day)).strftime("%Y%m%dT%H%M%SZ")
        lines += ["BEGIN:VEVENT", f"UID:{number}-{day}", f"DTSTAMP:{starts}"]
        lines += [f"DTSTART:{starts}", "DURATION:PT90M", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


class _Callers:
    """What the callers saw. The first seconds are not counted: connections and caches are new."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self.peeks: list[float] = []
        self.claims: list[float] = []
        self.faults: list[str] = []
        self.statuses: dict[str, int] = {}
        self.without_token = self.with_slot = 0
        self._lock = threading.Lock()

    def work(self, number: int) -> None:
        """One caller, with a connection of its own."""
        try:
            self._work(number)
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {error}")

    def _work(self, number: int) -> None:
        options, parts = self._options, urlsplit(self._options["concierge"])
        connection = http.client.HTTPConnection(
            parts.hostname or "",
            parts.port,
            timeout=30.0,
            source_address=(f"127.0.1.{number + 1}", 0),
        )
        rate = options["forms"] / _CALLERS
        count = int(rate * (options["seconds"] + options["warm_s"]))
        began = time.perf_counter() + number / options["forms"]
        for turn in paced(rate, count, number / options["forms"]):
            due = began + turn / rate
            self._one(connection, f"{number}-{turn}", due, turn / rate >= options["warm_s"])
        connection.close()

    def _one(
        self, connection: http.client.HTTPConnection, name: str, due: float, counts: bool
    ) -> None:
        fields = {"email": f"form-{name}@buyer{name}.example", "country": "DE"}
        shown = self._ask(connection, "peek", {"fields": fields})
        peeked = time.perf_counter()
        more = {"slot": shown["slots"][0]} if shown["slots"] else {}
        if shown["token"]:
            self._ask(connection, "claim", {"fields": fields, "token": shown["token"], **more})
        claimed = time.perf_counter()
        with self._lock:
            self.without_token += not shown["token"]
            self.with_slot += bool(more)
            if counts:
                self.peeks.append(peeked - due)
            if counts and shown["token"]:
                self.claims.append(claimed - peeked)

    def _ask(
        self, connection: http.client.HTTPConnection, call: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        headers = {"Origin": _PAGE, "Content-Type": "application/json"}
        content = json.dumps({"key": _KEY, **body})
        connection.request("POST", f"/v1/concierge/{call}", body=content, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        word = f"{call} {answer.status}"
        with self._lock:
            self.statuses[word] = self.statuses.get(word, 0) + 1
        if answer.status != http.client.OK:
            raise RuntimeError(f"{word}: {text[:100]!r}")
        found: dict[str, Any] = json.loads(text)
        return found

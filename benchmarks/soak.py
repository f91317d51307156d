"""A steady load for as long as one likes, and whether anything grows that should not.

    .venv/bin/python -m benchmarks.soak --rate 600 --minutes 60 --disk

Every process, a broker of its own, a crowd of a fixed size. One line a minute: 202 to routed of the
leads of that minute, memory and CPU of each process, and the bytes of the files that each kind of
store has. What an event leaves behind on purpose (a log, an id that is remembered, a row of the
board) grows with the events; so the last lines give each growth as bytes an event, over the second
half of the run, when caches are full.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.cluster import kafka
from benchmarks.pacing import percentiles
from benchmarks.running import BROKER, ProcessTimes, running
from benchmarks.whole import Way, agreement

_LATEST_S = 15.0
_KINDS: Mapping[str, tuple[str, ...]] = {
    "board": ("**/board*.sqlite*", "**/insights*.sqlite*"),
    "delivery": ("**/delivery*",),
    "state": ("state/**/*",),
    "logs": ("*.log*", "logs/*"),
}


class Soak(Way):
    """The way of :mod:`benchmarks.whole`, minute after minute, with nothing kept of the minutes
    before."""

    def minutes(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """A line a window of so many seconds; the first is still warming up."""
        lines: list[dict[str, Any]] = []
        with self.reading():
            for number in range(count):
                times = ProcessTimes(self._system, self._options.get("broker"))
                sent = self._send(seconds, f"minute-{number}")
                line = {"minute": number, "sent": sent, **self._way(), "cpu": times.shares()}
                line |= {"memory": self._memory(), "files": self._files()}
                print(json.dumps(line), flush=True)
                lines.append(line)
        return lines

    def _way(self) -> dict[str, Any]:
        delays = self._arrivals(_LATEST_S)
        asked, behind = len(self._taken), round(self._late_s * 1e3)
        self._taken.clear()
        self._routed.clear()
        self._late_s = 0.0
        return {
            "asked": asked,
            "routed": len(delays),
            "behind_ms": behind,
        } | percentiles(delays)

    def _memory(self) -> dict[str, int]:
        """Resident bytes by process."""
        pids = {process.name: process.mark.pid for process in self._system.run.processes}
        if (broker := self._options.get("broker")) is not None:
            pids[BROKER] = broker
        return {name: psutil.Process(pid).memory_info().rss for name, pid in pids.items()}

    def _files(self) -> dict[str, int]:
        home = Path(self._system.settings.home)
        found = {
            kind: sum(_size(path) for path in {path for one in globs for path in home.glob(one)})
            for kind, globs in _KINDS.items()
        }
        return found | {"home": sum(_size(path) for path in home.rglob("*"))}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def growth(lines: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Bytes an event by what has them, between the middle of the run and its end; two lines
    at least."""
    half = (len(lines) - 1) // 2
    middle, last = lines[half], lines[-1]
    events = sum(line["sent"] for line in lines[half + 1 :])
    return {
        what: {
            name: round((size - middle[what].get(name, 0)) / events, 1)
            for name, size in last[what].items()
        }
        for what in ("memory", "files")
    }


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--rate", type=int, default=300, help="events a second")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--window", type=float, default=60.0, help="seconds of a line")
    parser.add_argument("--one-in", type=int, default=60, help="one in so many is a new lead")
    parser.add_argument("--disk", action="store_true", help="state on disk instead of in memory")
    words = parser.parse_args()
    if words.minutes < 2:
        parser.error("--minutes: two at least, since growth is between two of them")
    return words


def main() -> None:
    """Run it; exit code 1 where a lead did not come."""
    words = _words()
    with kafka(Console(stderr=True)) as (bootstrap, broker):
        options: dict[str, Any] = {
            "bootstrap": bootstrap,
            "namespace": "soak",
            "broker": broker,
            "rate": words.rate,
            "one_in": words.one_in,
        }
        with running(options, agreement(), _on_disk if words.disk else None) as system:
            lines = Soak(system, options).minutes(words.minutes, words.window)
    print(json.dumps({"bytes_an_event": growth(lines)}), flush=True)
    sys.exit(any(line["routed"] < line["asked"] for line in lines))


def _on_disk(home: Path) -> None:
    os.environ["BATON_STATE_DIR"] = str(home / "state")


if __name__ == "__main__":
    main()

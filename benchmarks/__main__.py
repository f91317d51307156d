"""``make bench``: everything that is measured, in one run, on the same events and on real Kafka.

    python -m benchmarks [--quick] [--only NAME ...] [--json FILE] [--markdown FILE]

It uses the Kafka of BATON_BOOTSTRAP, else starts one. Each thing is measured in a process of its
own, one after the other. Exit code 1 if something could not be measured; a target that is missed is
said in the table and is no error.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.cluster import clear, kafka
from benchmarks.machine import machine
from benchmarks.report import rows, shown
from benchmarks.showing import markdown_of, table_of

_LIMIT_S = 1_200.0
_WIDTH = 200
_BYTES_A_LEAD = 8_000
"""Memory that must be free for a lead of 30 entries, or its population is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of everything."""

    events: int = 300_000
    faust_events: int = 60_000
    restored: int = 1_000_000
    acts: int = 5
    calls: int = 5_000
    leads: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    lead_events: int = 20_000
    intake_events: int = 5_000
    body_events: int = 2_500
    body_rounds: int = 5
    identities: int = 100_000
    many: int = 1_000_000
    core_events: int = 40_000
    chain_events: int = 30_000
    chain_people: int = 3_000
    chain_companies: int = 750
    company_people: int = 500
    listed: int = 20_000
    rates: tuple[int, ...] = (10, 300, 1_000)
    rate: int = 300
    seconds: float = 30.0
    one_in: int = 15
    forms: int = 50
    idle_s: float = 20.0
    warm_s: float = 10.0
    hop_warm_s: float = 3.0
    rest_s: float = 10.0
    """After the start, before what an idle system takes is measured."""
    way_warm_s: float = 60.0
    chain_warm_s: float = 120.0
    """While the broker's Java compiles what is hot, that takes a third of a core and more."""


QUICK = Sizes(
    events=4_000,
    faust_events=1_000,
    restored=2_000,
    calls=100,
    leads=(1_000,),
    lead_events=200,
    intake_events=200,
    body_events=100,
    body_rounds=1,
    identities=500,
    many=2_000,
    core_events=200,
    chain_events=1_000,
    chain_people=100,
    chain_companies=25,
    company_people=50,
    listed=500,
    rates=(50,),
    rate=50,
    seconds=2.0,
    one_in=5,
    forms=40,
    idle_s=1.0,
    warm_s=1.0,
    hop_warm_s=1.0,
    rest_s=1.0,
    way_warm_s=1.0,
    chain_warm_s=0.0,
)
"""Shows that everything works; its figures mean nothing."""


class Bench:
    """Runs parts and keeps what they report."""

    def __init__(
        self,
        sizes: Sizes,
        only: tuple[str, ...],
        console: Console,
        bootstrap: str,
        broker: int | None,
    ) -> None:
        self.results: dict[str, Mapping[str, Any]] = {}
        self._sizes, self._only, self._console = sizes, only, console
        self._bootstrap, self._broker = bootstrap, broker
        self._name = f"bench{uuid.uuid4().hex[:8]}"

    def run(self) -> None:
        """Measure what is asked for."""
        sizes = self._sizes
        for part, module, options in (
            ("codec", "codec", {"calls": sizes.calls}),
            ("agreement", "agreement", {"calls": sizes.calls}),
            ("intake", "intake", _intake(sizes)),
            ("core", "core", {"events": sizes.core_events, "many": sizes.many}),
            *(
                (f"leads_{leads}", "lead", {"leads": [leads], "events": sizes.lead_events})
                for leads in sizes.leads
            ),
        ):
            self._part(part, module, options)
        self._together(
            "a", ("loop", "empty", "adding", "lead", "faust", "faust_table", "streams"), self._flow
        )
        self._together("b", ("restore",), self._restore)
        if "chain" in self._only:
            self._together("e", ("chain",), self._chain)
        for number, rate in enumerate(sizes.rates):
            letter = f"c{number}"
            self._together(letter, (f"way_{rate}",), partial(self._way, rate, letter))
        if "concierge" in self._only:
            self._together("f", ("concierge",), self._concierge)
        if "hops" in self._only:
            self._together("g", ("hops",), self._hops)
        self._together(
            "d",
            ("hop",),
            lambda: self._part("hop", "hop", {**_hop(sizes), **self._where("d")}),
        )

    def _flow(self) -> None:
        sizes, where = self._sizes, self._where("a")
        if not self._made("fill", {"events": sizes.events, "leads": sizes.events // 10, **where}):
            return
        everything = {"events": sizes.events, **where}
        self._part("loop", "loop", everything)
        for reducer in ("empty", "adding", "lead"):
            self._part(reducer, "engine", {"reducer": reducer, **everything})
        self._part("streams", "streams", everything)
        for name, reports in (("faust_table", False), ("faust", True)):
            self._part(
                name, "faust", {"reports": reports, **everything, "events": sizes.faust_events}
            )

    def _restore(self) -> None:
        options = {"leads": self._sizes.restored, "acts": self._sizes.acts, **self._where("b")}
        if self._made("restore_fill", options):
            self._part("restore", "restore", options)

    def _chain(self) -> None:
        """A crowd in many companies, as many events of one company's people, a list."""
        sizes = self._sizes
        events = {"events": sizes.chain_events}
        mixes = {
            "chain": {**events, "people": sizes.chain_people, "companies": sizes.chain_companies},
            "chain_company": {**events, "people": sizes.company_people, "companies": 1},
            "chain_list": {"rows": sizes.listed},
        }
        options = {"mixes": mixes, "broker": self._broker, "warm_s": sizes.chain_warm_s}
        self._part("chain", "chain", {**options, **self._where("e")})
        found = self.results.pop("chain", {})
        whole = "failed" in found
        self.results |= {name: found if whole else found[name] for name in (*mixes, "audit")}

    def _way(self, rate: int, letter: str) -> None:
        sizes = self._sizes
        paces = {"rate": rate, "seconds": sizes.seconds, "one_in": sizes.one_in}
        rests = {"rest_s": sizes.rest_s, "warm_s": sizes.way_warm_s, "idle_s": sizes.idle_s}
        where = {"broker": self._broker, **self._where(letter)}
        self._part(f"way_{rate}", "whole", {**paces, **rests, **where})

    def _concierge(self) -> None:
        sizes = self._sizes
        paces = {"rate": sizes.rate, "seconds": sizes.seconds, "one_in": sizes.one_in}
        rests = {"warm_s": sizes.warm_s, "forms": sizes.forms, "broker": self._broker}
        self._part("concierge", "concierge", {**paces, **rests, **self._where("f")})

    def _hops(self) -> None:
        """The way at the middle rate, hop by hop."""
        sizes = self._sizes
        paces = {"rate": sizes.rate, "seconds": sizes.seconds, "one_in": sizes.one_in}
        rests = {"warm_s": sizes.way_warm_s, "broker": self._broker}
        self._part("hops", "hops", {**paces, **rests, **self._where("g")})

    def _where(self, letter: str) -> dict[str, Any]:
        return {"bootstrap": self._bootstrap, "namespace": f"{self._name}{letter}"}

    def _together(self, letter: str, names: tuple[str, ...], work: Any) -> None:
        """Parts that share topics, which are deleted after the last."""
        asked = [name for name in names if not self._only or name in self._only]
        if not asked:
            return
        try:
            work()
        finally:
            clear(self._bootstrap, f"{self._name}{letter}")
        for name in asked:
            self.results.setdefault(name, {"failed": "what it works on could not be made"})

    def _part(self, part: str, module: str, options: Mapping[str, Any]) -> None:
        if self._only and part not in self._only:
            return
        if part.startswith("leads_") and (why := _too_large(options["leads"][0])):
            self.results[part] = {"left_out": why}
            return
        self._measure(part, module, options)

    def _made(self, part: str, options: Mapping[str, Any]) -> bool:
        """Whether what others work on is there."""
        return "failed" not in self._measure(part, part, options)

    def _measure(self, part: str, module: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        self._console.print(f"{part} ...", end=" ", highlight=False)
        began = time.monotonic()
        self.results[part] = found = measured(module, options)
        reported = (
            f"failed: {found['failed']}"
            if "failed" in found
            else f"{time.monotonic() - began:.0f} s"
        )
        self._console.print(reported, highlight=False, markup=False)
        return found


def _intake(sizes: Sizes) -> dict[str, Any]:
    bodies = {"body_events": sizes.body_events, "body_rounds": sizes.body_rounds}
    return {"events": sizes.intake_events, "identities": [sizes.identities], **bodies}


def _hop(sizes: Sizes) -> dict[str, Any]:
    return {"rate": sizes.rate, "seconds": sizes.seconds, "warm_s": sizes.hop_warm_s}


def measured(module: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a part reports, from a process of its own."""
    words = [sys.executable, "-m", "benchmarks.parts", module, json.dumps(options)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, err = process.communicate(timeout=_LIMIT_S)
        except BaseException as error:
            process.terminate()  # it ends what it has started
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                return {"failed": f"not done after {_LIMIT_S:.0f} s"}
            raise
    if process.returncode:
        return {
            "failed": (err.strip().splitlines() or [f"exit code {process.returncode}"])[-1][:300]
        }
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def _too_large(leads: int) -> str:
    free = psutil.virtual_memory().available
    needed = leads * _BYTES_A_LEAD
    return (
        "" if free > needed else f"{needed >> 20} MB of memory are needed, {free >> 20} MB are free"
    )


def _known_parts(sizes: Sizes) -> list[str]:
    """What ``--only`` may name."""
    return [
        *("codec", "agreement", "intake", "core", *(f"leads_{leads}" for leads in sizes.leads)),
        *("loop", "empty", "adding", "lead", "faust", "faust_table", "streams", "restore"),
        *("chain", *(f"way_{rate}" for rate in sizes.rates), "concierge", "hops", "hop"),
    ]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small numbers: whether it all works; the figures mean nothing",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only this part, such as lead, restore or chain; may be repeated. concierge (peek and "
        "claim beside events), hops (202 to routed by hop) and chain: only where they are named",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything, with the machine")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="the table, for docs/BENCHMARKS.md"
    )
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    known = _known_parts(sizes)
    if unknown := set(options.only) - set(known):
        parser.error(f"no part is named {min(unknown)}; there are {', '.join(known)}")
    console = Console(stderr=True)
    # however it is ended, nothing stays behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    about = machine()
    with kafka(console) as (bootstrap, broker):
        bench = Bench(sizes, tuple(options.only), console, bootstrap, broker)
        bench.run()
    found = rows(bench.results, leads=sizes.leads, rates=sizes.rates)
    if options.json:
        reported = {
            "machine": about,
            "quick": options.quick,
            "rows": [row.plain() for row in found],
            "results": bench.results,
        }
        options.json.write_text(json.dumps(reported, indent=2, default=str) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown_of(shown(found), about))
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table_of(shown(found)))
    return 1 if any("failed" in part for part in bench.results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

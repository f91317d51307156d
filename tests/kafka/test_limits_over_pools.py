"""Limits of a person over all pools on the running system: two pools in two partitions, a router
that is killed in between, and an audit that finds nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.topic_names import LEADS_ROUTED_SALES, LEADS_ROUTED_SDR, LEADS_UNROUTED
from baton.flow import all_reducers
from baton.local.up.preparing import example_agreement
from baton.local.up.run_record import read_run
from baton.local.up.system import System
from baton.processes import Mark, is_running
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import Report
from baton.proof.audit.source import KafkaSource
from tests.kafka.conftest import LiveSystem
from tests.kafka.test_handoff_is_whole import client_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

FIRST = Path(example_agreement()).with_name("first.yaml")
CAPACITY, OF_EACH = 3, 4
PATIENCE_S = 150.0
POOLS = """pools:
  sdr: {kind: sdr, manager: mgr-ines, members: {ae-hugo: {}}}
  sales: {kind: sales, manager: mgr-ines, members: {ae-hugo: {}}}
"""


def _agreement(folder: Path) -> Path:
    """Hugo is in both pools and takes so many leads over the two."""
    text = FIRST.read_text().replace("ae-hugo: {name", f"ae-hugo: {{capacity: {CAPACITY}, name")
    path = folder / "both.yaml"
    path.write_text(re.sub(r"^pools:\n(?:  .*\n)+", POOLS, text, flags=re.MULTILINE))
    return path


def _line(number: int, own: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{own}-{number}",
        "source": "web",
        "occurred_at": datetime.now(UTC).isoformat(),
        "identifiers": {"email": f"cto{number}@firm{number}.example"},
        **more,
    }


def _asks(number: int) -> dict[str, Any]:
    """Every other one asks for a demonstration, and is for sales."""
    return _line(
        number,
        "asks",
        kind="engagement",
        engagement={"act": "demo_request" if number % 2 else "webinar"},
        profile={"country": "DE", "role": "C-level", "employees": "500"},
        person={"phone": "+49 30 1234567"},
    )


class Facts:
    """What the router has published by now."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def _all(self, *topics: str, record: type[Any]) -> list[Any]:
        places = {topic: list(range(self._reader.partitions(topic))) for topic in topics}
        found = self._reader.read(places)
        return [codec_for(record).decode(one.value) for one in found if one.value is not None]

    def given(self) -> list[LeadRouted]:
        return self._all(LEADS_ROUTED_SDR, LEADS_ROUTED_SALES, record=LeadRouted)

    def waiting(self) -> set[str]:
        held: list[LeadUnrouted] = self._all(LEADS_UNROUTED, record=LeadUnrouted)
        return {one.lead_id for one in held} - {one.lead_id for one in self.given()}


def _until(system: System, came_to_pass: Callable[[], bool], what: str) -> None:
    """Tend the processes until it has; those that were killed are started again."""
    deadline = time.monotonic() + PATIENCE_S
    while not came_to_pass():
        assert time.monotonic() < deadline, what
        system.tend()
        time.sleep(0.3)


def _kill_router(system: System) -> None:
    """Kill the router that runs; one killed before may have to be started again first."""

    def mark() -> Mark:
        run = read_run(system.settings.home)
        assert run is not None
        [found] = [one.mark for one in run.processes if one.name.startswith("router")]
        return found

    _until(system, lambda: is_running(mark()), "the router did not come back")
    os.kill(mark().pid, signal.SIGKILL)


def _send(client: httpx.Client, *lines: dict[str, Any]) -> None:
    assert client.post("/v1/events", content=json.dumps(lines)).status_code in (200, 202)


def _audited(system: System) -> Report:
    source = KafkaSource(confluent_options(system.settings), system.settings.namespace)
    try:
        namespace = system.settings.namespace
        return Audit(source, all_reducers(), namespace=namespace, grace_ms=60_000).run()
    finally:
        source.close()


def test_two_pools_keep_one_limit_though_the_router_is_killed_between_them(
    live_system: LiveSystem, tmp_path: Path
) -> None:
    with live_system(_agreement(tmp_path)) as system, client_of(system) as client:
        with LogReader(confluent_options(system.settings), system.settings.namespace) as reader:
            facts = Facts(reader)
            _send(client, *[_asks(number) for number in range(2 * OF_EACH)])
            _until(system, lambda: bool(facts.given()), "nothing was handed out")
            _kill_router(system)
            waiting = 2 * OF_EACH - CAPACITY
            _until(
                system,
                lambda: (len(facts.given()), len(facts.waiting())) == (CAPACITY, waiting),
                "the rest does not wait",
            )
            first = facts.given()[0]
            _kill_router(system)
            number = re.search(r"cto(\d+)@", str(first.qualified.story.person))
            assert number is not None
            verdict = {"kind": "disqualified", "by": "ae-hugo", "reason": "not_icp"}
            _send(client, _line(int(number[1]), "ends", kind="act", act=verdict))
            _until(system, lambda: len(facts.given()) == CAPACITY + 1, "no room was used")
            assert {one.owner for one in facts.given()} == {"ae-hugo"}
        reports: list[Report] = []

        def clean() -> bool:
            reports.append(_audited(system))
            return reports[-1].sound

        _until(system, clean, str(reports[-1].findings if reports else ""))
        assert reports[-1].unchecked == []

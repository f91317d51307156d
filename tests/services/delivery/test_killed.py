"""kill -9 of the sender at every step, while the endpoint is flaky: nothing is lost, and an id is
always the same delivery."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from services.delivery.store.store import Store
from services.delivery.targets.reading import read_targets
from tests.services.delivery.facts import NOON, routed
from tests.services.delivery.killed_sender import MOMENTS
from tests.services.delivery.receivers import Receiver, receiving

ROOT = Path(__file__).resolve().parents[3]
LEADS = 20


async def run(folder: Path, file: Path, moment: str, number: int) -> int:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.services.delivery.killed_sender",
        str(folder),
        str(file),
        moment,
        str(number),
        cwd=ROOT,
    )
    return await child.wait()


def flaky(number: int) -> Any:
    return {0: 500, 3: "reset", 5: (503, {"Retry-After": "1"})}.get(number % 7, 200)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_at_any_moment_nothing_is_lost_and_no_id_means_two_things(
    tmp_path: Path, moment: str
) -> None:
    async with receiving(Receiver(answer=flaky)) as receiver:
        file = tmp_path / "targets.yaml"
        file.write_text(
            "version: 1\nwebhooks:\n  tool:\n"
            f"    url: http://127.0.0.1:{receiver.port}/\n    ports: [{receiver.port}]\n"
            "    allow_networks: [127.0.0.0/8]\n    secret_env: [BATON_S]\n"
            "    topics: [leads.routed.sales.v1]\n    since: 2020-01-01T00:00:00Z\n"
        )
        targets = read_targets(file)
        store = Store(tmp_path, "baton")
        store.register(targets, 0)
        store.apply([routed(f"lead-{n}") for n in range(LEADS)], {}, targets, NOON)
        planned = {name for (name,) in store.db.execute("SELECT id FROM delivery")}
        store.close()
        for number in (1, 3, 9):
            assert await run(tmp_path, file, moment, number) == -signal.SIGKILL
        assert await run(tmp_path, file, "never", 0) == 0
    bodies: dict[str, set[str]] = {}
    for request in receiver.requests:
        lead = json.loads(request.body)["data"]["lead_id"]
        bodies.setdefault(request.headers["webhook-id"], set()).add(lead)
    assert bodies.keys() == planned
    assert sorted(lead for leads in bodies.values() for lead in leads) == sorted(
        f"lead-{n}" for n in range(LEADS)
    )

"""kill -9 of the sender, of its target and of whoever else writes to its store, at every step:
nothing is lost, and an id is always the same delivery."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.delivery.store import outbox
from services.delivery.store.outbox_store import Store, reader
from services.delivery.targets.target_reading import read_targets
from tests.kafka.nursery import Forked, Nursery
from tests.services.delivery import killed_target
from tests.services.delivery.facts import ANN, NOON, agreement, qualified, routed
from tests.services.delivery.fake_hubspot import FakeHubSpot
from tests.services.delivery.fake_slack import TOKEN, FakeSlack
from tests.services.delivery.killed_sender import CRM_MOMENTS, MOMENTS, SLACK_MOMENTS
from tests.services.delivery.receivers import Receiver, receiving
from tests.services.delivery.serving import served

ROOT = Path(__file__).resolve().parents[3]
LEADS, FEW = 20, 4
SECRETS = {
    "BATON_S": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "BATON_SIGNING": "signing",
    "BATON_TOKEN": TOKEN,
    "BATON_CRM": "pat-1",
}


Run = Callable[[Path, str, int], Awaitable[int]]


@pytest.fixture
def run(nursery: Nursery, tmp_path: Path) -> Run:
    """Runs a sender on the store of the test's folder, with a file of targets, until it kills
    itself at the given time that it comes to the given moment; its exit code."""

    async def started_and_ended(file: Path, moment: str, number: int) -> int:
        words = [str(tmp_path), str(file), moment, str(number)]
        module = "tests.services.delivery.killed_sender"
        log = tmp_path / "sender.log"
        code = await ended(nursery.start(module, words, {**os.environ, **SECRETS}, log))
        print(log.read_text())
        return code

    return started_and_ended


async def ended(process: Forked) -> int:
    while (code := process.poll()) is None:  # noqa: ASYNC110 - it happens in another process
        await asyncio.sleep(0.02)
    return code


def flaky(number: int) -> Any:
    return {0: 500, 3: "reset", 5: (503, {"Retry-After": "1"})}.get(number % 7, 200)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_at_any_moment_nothing_is_lost_and_no_id_means_two_things(
    run: Run, tmp_path: Path, moment: str
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
            assert await run(file, moment, number) == -signal.SIGKILL
        assert await run(file, "never", 0) == 0
    bodies: dict[str, set[str]] = {}
    for request in receiver.requests:
        lead = json.loads(request.body)["data"]["lead_id"]
        bodies.setdefault(request.headers["webhook-id"], set()).add(lead)
    assert bodies.keys() == planned
    assert sorted(lead for leads in bodies.values() for lead in leads) == sorted(
        f"lead-{n}" for n in range(LEADS)
    )


def filled(folder: Path, file: dict[str, Any], leads: int) -> Path:
    """The file of targets, and a store in which everything waits."""
    path = folder / "targets.yaml"
    path.write_text(json.dumps({"version": 1, **file}))
    targets = read_targets(path)
    store = Store(folder, "baton")
    store.register(targets, 0)
    facts = []
    for number in range(leads):
        person = replace(ANN, email=f"lead-{number}@acme.example", last_name=f"Berg{number}")
        one = qualified(f"lead-{number}", person=person)
        facts.append(routed(f"lead-{number}", qualified=one))
    store.apply([*agreement(), *facts], {}, targets, NOON)
    store.close()
    return path


async def kill_at_all(run: Run, file: Path, moments: tuple[str, ...]) -> None:
    for moment in moments:
        assert await run(file, moment, 1) == -signal.SIGKILL, moment
    assert await run(file, "never", 0) == 0


async def test_killed_at_any_moment_a_hand_off_has_one_card_in_slack(
    run: Run, tmp_path: Path
) -> None:
    fake = FakeSlack(spacing_s=0.0)
    async with served(fake.app()) as base:
        desk = {
            "token_env": "BATON_TOKEN",
            "signing_secret_env": "BATON_SIGNING",
            "channel": "C1",
            "api_url": f"{base}/api/",
            "since": "2020-01-01T00:00:00Z",
        }
        file = filled(tmp_path, {"slack": {"desk": desk}}, FEW)
        await kill_at_all(run, file, (*SLACK_MOMENTS, *MOMENTS[2:]))
    marks = [card["metadata"]["event_payload"]["id"] for card in fake.messages["C1"]]
    assert len(marks) == len(set(marks)) == FEW
    db = reader(tmp_path / "delivery.sqlite")
    noted = {ts for (ts,) in db.execute("SELECT ts FROM card")}
    assert noted == {card["ts"] for card in fake.messages["C1"]}, "every card can be updated"


async def test_killed_at_any_moment_a_write_to_the_crm_is_still_known_as_baton_s(
    run: Run, tmp_path: Path
) -> None:
    """The batch is written again as often as it has to be; a person's later value stays."""
    fake = FakeHubSpot()
    for number in range(FEW):
        fake.add(f"lead-{number}@acme.example")
    async with served(fake.app()) as base:
        crm = {
            "token_env": "BATON_CRM",
            "api_url": base,
            "write": {"owner": "hubspot_owner_id", "level": "baton_level"},
            "people": {"ae-greta": "501"},
            "since": "2020-01-01T00:00:00Z",
        }
        file = filled(tmp_path, {"hubspot": {"crm": crm}}, FEW)
        await kill_at_all(run, file, CRM_MOMENTS)
        assert [one.get("hubspot_owner_id") for one in fake.contacts.values()] == ["501"] * FEW
        first = next(iter(fake.contacts.values()))
        first["hubspot_owner_id"] = "777"
        store = Store(tmp_path, "baton")
        store.db.execute("UPDATE delivery SET state = 'waiting', next_at_ms = 0")
        store.close()
        assert await run(file, "never", 0) == 0
    assert first["hubspot_owner_id"] == "777", "set by a person after Baton's write"
    db = reader(tmp_path / "delivery.sqlite")
    assert list(db.execute("SELECT DISTINCT pending FROM own_write")) == [(None,)]
    assert list(db.execute("SELECT count(*) FROM own_write")) == [(FEW,)]


@pytest.mark.parametrize("moment", killed_target.MOMENTS)
async def test_a_target_killed_while_it_takes_gets_everything_once_it_is_back(
    run: Run, nursery: Nursery, tmp_path: Path, moment: str
) -> None:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    bound.close()
    tool = {
        "url": f"http://127.0.0.1:{port}/",
        "ports": [port],
        "allow_networks": ["127.0.0.0/8"],
        "secret_env": ["BATON_S"],
        "topics": ["leads.routed.sales.v1"],
        "since": "2020-01-01T00:00:00Z",
    }
    file = filled(tmp_path, {"webhooks": {"tool": tool}}, LEADS)
    taken = tmp_path / "taken"
    sending = asyncio.ensure_future(run(file, "slowly", 0))
    for number in (1, 4, 7):
        target = await started(nursery, port, taken, moment, number)
        while target.poll() is None:
            await let_time_pass(tmp_path)
        assert target.poll() == -signal.SIGKILL
    target = await started(nursery, port, taken, "never", 0)
    while not sending.done():
        await let_time_pass(tmp_path)
    target.kill()
    await ended(target)
    assert sending.result() == 0
    lines = [line.split() for line in taken.read_text().splitlines()]
    assert len({name for name, _ in lines}) == LEADS
    assert len({(name, lead) for name, lead in lines}) == LEADS, "an id is one lead"
    assert sorted({lead for _, lead in lines}) == sorted(f"lead-{n}" for n in range(LEADS))


async def let_time_pass(folder: Path) -> None:
    """What waits for another attempt waits no longer: minutes by the schedule."""
    store = Store(folder, "baton")
    store.db.execute("UPDATE delivery SET next_at_ms = 0 WHERE state = 'waiting'")
    store.db.execute("UPDATE target SET not_before_ms = 0")
    store.close()
    await asyncio.sleep(0.5)


async def started(nursery: Nursery, port: int, taken: Path, moment: str, number: int) -> Forked:
    """A target that listens."""
    words = ["-m", "tests.services.delivery.killed_target", str(port), str(taken)]
    reads, writes = os.pipe()
    with os.fdopen(reads) as said:
        with os.fdopen(writes, "wb") as out, taken.with_suffix(".log").open("ab") as errors:
            given = [*words, moment, str(number)]
            target = nursery.popen(given, env=os.environ, stdout=out, stderr=errors)
        assert await asyncio.to_thread(said.readline) == "ready\n"
    return target


HOLDER = """
import sys, time
from pathlib import Path
from services.delivery.store.outbox_store import Store
store = Store(Path(sys.argv[1]), "baton")
store.db.execute("BEGIN IMMEDIATE")
store.db.execute("UPDATE delivery SET state = 'dead'")
print("holds", flush=True)
time.sleep(600)
"""


async def test_whoever_is_killed_inside_a_transaction_of_the_store_leaves_no_trace_and_no_lock(
    tmp_path: Path,
) -> None:
    """As ``baton delivery resend`` could be, beside a worker."""
    file = filled(tmp_path, {"webhooks": {"tool": NOWHERE}}, FEW)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"holds\n"
    holder.kill()
    await holder.wait()
    store = Store(tmp_path, "baton")
    store.register(read_targets(file), NOON)
    assert outbox.counts(store.db) == {("tool", "waiting"): FEW}
    assert list(store.db.execute("PRAGMA integrity_check")) == [("ok",)]
    store.close()


NOWHERE = {
    "url": "https://hooks.example/",
    "secret_env": ["BATON_S"],
    "topics": ["leads.routed.sales.v1"],
    "since": "2020-01-01T00:00:00Z",
}

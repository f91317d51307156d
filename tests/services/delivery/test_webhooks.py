"""Webhooks end to end: from a fact in the store to an endpoint, verified by receivers that others
wrote."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from pydantic import SecretStr

from baton.contracts.public_record import PublicRecord
from services.delivery.planning import MAX_BODY, plan
from services.delivery.sender import Carrier, Sender
from services.delivery.store import outbox
from services.delivery.store.outbox_store import Store, reader, rows
from services.delivery.targets.target_model import TargetsFile
from services.delivery.webhooks.webhook_carrier import WebhookCarrier, retry_after_ms
from tests.services.delivery.facts import MINUTE, NOON, erased, routed, staged
from tests.services.delivery.receivers import Receiver, receiving

NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
ROUTED = "leads.routed.sales.v1"


def targets(**webhooks: Any) -> TargetsFile:
    usual = {"secret_env": ["BATON_S"], "topics": [ROUTED], "since": "2020-01-01T00:00:00Z"}
    return TargetsFile.model_validate(
        {"version": 1, "webhooks": {name: usual | more for name, more in webhooks.items()}}
    )


def at(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {
        "url": f"http://127.0.0.1:{receiver.port}/hook",
        "ports": [receiver.port],
        "allow_networks": ["127.0.0.0/8"],
    } | more


def fill(folder: Path, file: TargetsFile, facts: list[PublicRecord]) -> None:
    store = Store(folder, "baton")
    store.register(file, 0)
    store.apply(facts, {(ROUTED, 0): len(facts)}, file, NOON)
    store.close()


def carriers(file: TargetsFile, *secrets: str) -> dict[str, Carrier]:
    context = ssl.create_default_context()
    keys = [SecretStr(secret) for secret in secrets or (NEW,)]
    return {name: WebhookCarrier(one, keys, context) for name, one in file.webhooks.items()}


def waiting(folder: Path) -> dict[str, int]:
    db = reader(folder / "delivery.sqlite")
    found = dict(db.execute("SELECT state, count(*) FROM delivery GROUP BY 1"))
    db.close()
    return found


async def send_until(
    folder: Path,
    moving: dict[str, Carrier],
    condition: Callable[[], Any],
    *,
    clock: Callable[[], int] = lambda: NOON,
    patience_s: float = 120,
) -> None:
    sender = Sender(lambda: Store(folder, "baton"), moving, clock=clock)
    running = asyncio.create_task(sender.run())
    try:
        async with asyncio.timeout(patience_s):
            while not condition():
                assert not running.done(), running.exception()
                await asyncio.sleep(0.02)
                sender.wake.set()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_receivers_that_others_wrote_verify_a_webhook(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        file = targets(tool=at(receiver))
        fill(tmp_path, file, [routed()])
        await send_until(tmp_path, carriers(file), lambda: waiting(tmp_path) == {"sent": 1})
    (request,) = receiver.requests
    for verifier in (standardwebhooks.Webhook(NEW), svix.webhooks.Webhook(NEW)):
        verifier.verify(request.body, request.headers)
    assert json.loads(request.body)["type"] == ROUTED
    assert "." not in request.headers["webhook-id"]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(NEW).verify(request.body + b" ", request.headers)
    with pytest.raises(svix.webhooks.WebhookVerificationError):
        svix.webhooks.Webhook(OLD).verify(request.body, request.headers)


async def test_while_a_secret_is_rotated_a_receiver_may_check_either(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        file = targets(tool=at(receiver))
        fill(tmp_path, file, [routed()])
        moving = carriers(file, NEW, OLD)
        await send_until(tmp_path, moving, lambda: waiting(tmp_path) == {"sent": 1})
    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (NEW, OLD):
        for verifier in (standardwebhooks.Webhook(secret), svix.webhooks.Webhook(secret)):
            verifier.verify(request.body, request.headers)


def body_of(fact: PublicRecord, **more: Any) -> dict[str, Any]:
    file = targets(tool={"url": "https://hooks.example/", **more})
    (planned,) = plan(fact, file)
    return json.loads(planned.payload)  # type: ignore[no-any-return]


def test_a_thin_body_has_ids_and_no_person() -> None:
    assert body_of(routed()) == {
        "type": ROUTED,
        "timestamp": "2026-09-21T14:13:20.000Z",
        "data": {
            "id": "routed-h-lead-1-1",
            "lead_id": "lead-1",
            "handoff_id": "h-lead-1-1",
            "qualification_id": "q-lead-1",
        },
    }


def test_a_full_body_has_the_chosen_fields_or_all() -> None:
    paths = ["owner", "qualified.story.person.email"]
    assert body_of(routed(), body="full", fields=paths)["data"] == {
        "owner": "ae-greta",
        "qualified": {"story": {"person": {"email": "ann.berg@acme.example"}}},
    }
    whole = body_of(routed(), body="full")["data"]
    assert whole["qualified"]["story"]["why_now"][0]["points_micro"] == 40_000_000


def test_a_body_that_would_be_too_long_is_thin() -> None:
    from baton.contracts.leads import Story
    from tests.services.delivery.facts import qualified

    long = qualified(story=Story(profile={"note": "x" * MAX_BODY}))
    assert "qualified" not in body_of(routed(qualified=long), body="full")["data"]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ({}, True),
        ({"level": ["hot"]}, True),
        ({"level": ["warm", "cold"]}, False),
        ({"level": ["hot"], "pool": ["emea"]}, False),
        ({"hand_raised": ["true"]}, True),
        ({"qualified.story.profile.country": ["DE", "AT"]}, True),
        ({"qualified.story.profile.size": ["large"]}, False),
        ({"segment": ["None"]}, False),
    ],
)
def test_a_filter_wants_one_of_the_values_at_each_path(where: Any, wanted: bool) -> None:
    file = targets(tool={"url": "https://hooks.example/", "where": where})
    assert bool(list(plan(routed(), file))) is wanted


def test_the_same_fact_read_twice_is_one_delivery_with_one_id(tmp_path: Path) -> None:
    file = targets(one={"url": "https://a.example/"}, two={"url": "https://b.example/"})
    fill(tmp_path, file, [routed(), routed()])
    fill(tmp_path, file, [routed()])
    db = reader(tmp_path / "delivery.sqlite")
    ids = [name for (name,) in db.execute("SELECT id FROM delivery")]
    assert len(ids) == len(set(ids)) == 2


def test_a_new_target_does_not_receive_the_past(tmp_path: Path) -> None:
    usual = {"url": "https://a.example/", "secret_env": ["BATON_S"], "topics": [ROUTED]}
    file = TargetsFile.model_validate({"version": 1, "webhooks": {"new": usual}})
    store = Store(tmp_path, "baton")
    store.register(file, NOON)
    before, after = routed(at_ms=NOON - 1), routed("lead-2", at_ms=NOON)
    store.apply([before, after], {}, file, NOON)
    assert rows(store.db, "SELECT lead_id FROM delivery") == [{"lead_id": "lead-2"}]


async def test_it_is_tried_again_under_the_same_id_and_signed_anew(tmp_path: Path) -> None:
    now = [NOON]
    async with receiving(Receiver(answer=lambda number: 500 if number < 3 else 204)) as receiver:
        file = targets(tool=at(receiver))
        fill(tmp_path, file, [routed()])

        def done() -> bool:
            now[0] += MINUTE
            return waiting(tmp_path) == {"sent": 1}

        await send_until(tmp_path, carriers(file), done, clock=lambda: now[0])
    assert len(receiver.requests) == 3
    assert len(set(receiver.ids)) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "500"),
        (302, "302 (redirects are not followed)"),
        ("reset", "it ended without an answer in HTTP"),
        ("hang", "no answer in time"),
        ((503, {"Retry-After": "120"}), "503"),
    ],
)
async def test_a_failure_is_noted_with_its_reason_and_waits(
    tmp_path: Path, answer: Any, words: str
) -> None:
    async with receiving(Receiver(answer=lambda number: answer)) as receiver:
        file = targets(tool=at(receiver, timeout_s=0.5))
        fill(tmp_path, file, [routed()])

        def noted() -> list[dict[str, Any]]:
            db = reader(tmp_path / "delivery.sqlite")
            return rows(db, "SELECT * FROM delivery WHERE attempts = 1")

        await send_until(tmp_path, carriers(file), noted)
        (row,) = noted()
    assert (row["state"], row["outcome"]) == ("waiting", words)
    wait = row["next_at_ms"] - NOON
    assert wait == 120_000 if isinstance(answer, tuple) else 5_000 <= wait <= 5_500


async def test_410_disables_the_target_what_waits_stays_and_resume_sends_it(
    tmp_path: Path,
) -> None:
    answers = [410]
    async with receiving(Receiver(answer=lambda number: answers[0])) as receiver:
        file = targets(tool=at(receiver, parallel=1))
        fill(tmp_path, file, [routed(f"lead-{n}") for n in range(3)])

        def disabled() -> bool:
            db = reader(tmp_path / "delivery.sqlite")
            return bool(rows(db, "SELECT 1 FROM target WHERE disabled IS NOT NULL"))

        await send_until(tmp_path, carriers(file), disabled)
        assert (len(receiver.requests), waiting(tmp_path)) == (1, {"waiting": 3})
        answers[0] = 200
        store = Store(tmp_path, "baton")
        assert outbox.set_paused(store, "tool", paused=False)
        store.close()
        await send_until(tmp_path, carriers(file), lambda: waiting(tmp_path) == {"sent": 3})


async def test_the_deliveries_of_a_lead_come_in_order_where_that_is_wished(tmp_path: Path) -> None:
    now = [NOON]
    failed: set[str] = set()

    def sometimes(number: int) -> int:
        name = receiver.ids[-1]
        if name not in failed and number % 2:
            failed.add(name)
            return 500
        return 200

    async with receiving(Receiver(answer=sometimes)) as receiver:
        file = targets(tool=at(receiver, order="lead", topics=["leads.stages.v1"], parallel=8))
        facts = [
            staged("consent_changed", f"lead-{lead}", at_ms=NOON + step)
            for step in range(6)
            for lead in range(4)
        ]
        fill(tmp_path, file, facts)

        def done() -> bool:
            now[0] += 10 * MINUTE
            return waiting(tmp_path) == {"sent": 24}

        await send_until(tmp_path, carriers(file), done, clock=lambda: now[0])
    taken: dict[str, list[int]] = {}
    good = {}
    for request in receiver.requests:
        good[request.headers["webhook-id"]] = json.loads(request.body)["data"]
    for data in good.values():
        taken.setdefault(data["lead_id"], []).append(data["at_ms"])
    assert all(times == sorted(times) and len(times) == 6 for times in taken.values())


@pytest.mark.timeout(600)
async def test_a_thousand_endpoints_do_not_wait_for_a_dead_one(tmp_path: Path) -> None:
    hanging, answering = Receiver(answer=lambda number: "hang"), Receiver()
    async with receiving(hanging) as dead, receiving(answering) as alive:
        live = {f"live-{n}": at(alive, parallel=1) for n in range(999)}
        file = targets(dead=at(dead, timeout_s=60, parallel=4), **live)
        fill(tmp_path, file, [routed("lead-1"), routed("lead-2")])
        began = time.monotonic()
        moving = carriers(file)
        everything = {"sent": 999 * 2, "waiting": 2}
        await send_until(tmp_path, moving, lambda: waiting(tmp_path) == everything, patience_s=500)
        took = time.monotonic() - began
    print(f"999 endpoints x 2 beside a dead one: {took:.1f} s")
    assert len(alive.requests) == 999 * 2
    assert len(dead.requests) <= 4


async def test_a_dead_letter_is_sent_again_under_its_id_and_does_not_count(tmp_path: Path) -> None:
    now = [NOON]
    answers = [500]
    async with receiving(Receiver(answer=lambda number: answers[0])) as receiver:
        file = targets(tool=at(receiver))
        fill(tmp_path, file, [routed()])

        def dead() -> bool:
            now[0] += 30 * 60 * MINUTE
            return waiting(tmp_path) == {"dead": 1}

        await send_until(tmp_path, carriers(file), dead, clock=lambda: now[0])
        assert len(receiver.requests) == 10
        store = Store(tmp_path, "baton")
        outbox.set_paused(store, "tool", paused=False)
        failures = rows(store.db, "SELECT failures FROM target")
        assert outbox.resend(store, [receiver.ids[0], "msg_unknown"], now[0]) == [receiver.ids[0]]
        store.close()
        answers[0] = 200
        await send_until(
            tmp_path, carriers(file), lambda: waiting(tmp_path) == {"sent": 1}, clock=lambda: now[0]
        )
    assert len(set(receiver.ids)) == 1
    store = Store(tmp_path, "baton")
    assert rows(store.db, "SELECT failures FROM target") == failures


def test_who_is_forgotten_is_in_no_payload_any_more_and_comes_back_by_none(tmp_path: Path) -> None:
    full = {"url": "https://a.example/", "body": "full"}
    file = targets(full=full, thin={"url": "https://b.example/"})
    fill(tmp_path, file, [routed(), erased(), routed(attempt=2)])
    store = Store(tmp_path, "baton")
    found = rows(store.db, "SELECT target, state, payload FROM delivery ORDER BY seq")
    assert [(row["target"], row["state"]) for row in found] == [
        ("full", "cancelled"),
        ("thin", "waiting"),
        ("thin", "waiting"),
    ]
    store.close()
    for part in tmp_path.glob("delivery.sqlite*"):
        assert b"ann.berg" not in part.read_bytes(), part.name


def test_what_was_sent_goes_after_its_days_and_the_brief_of_an_end_after_thirty(
    tmp_path: Path,
) -> None:
    file = targets(tool={"url": "https://a.example/"})
    fill(tmp_path, file, [routed(), routed("lead-2"), staged("rejected")])
    store = Store(tmp_path, "baton")
    day = 86_400_000
    store.db.execute("UPDATE delivery SET state = 'sent', done_ms = ?", (NOON,))
    store.db.execute("UPDATE delivery SET state = 'dead' WHERE lead_id = 'lead-2'")
    assert outbox.purge(store, NOON + 6 * day, keep_days=7) == 0
    assert outbox.purge(store, NOON + 8 * day, keep_days=7) == 1
    left = rows(store.db, "SELECT lead_id FROM delivery")
    assert left == [{"lead_id": "lead-2"}], "a dead letter stays"
    query = "SELECT count(*) AS n FROM handoff WHERE brief IS NOT NULL"
    assert rows(store.db, query) == [{"n": 2}]
    outbox.purge(store, NOON + 32 * day, keep_days=7)
    assert rows(store.db, query) == [{"n": 1}]
    store.close()


async def test_a_fault_of_our_own_is_an_attempt_and_its_text_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(WebhookCarrier):
        async def carry(self, deliveries: Any) -> Any:
            raise KeyError("ann.berg@acme.example")

    file = targets(tool={"url": "https://a.example/"})
    fill(tmp_path, file, [routed()])
    faulty = Faulty(file.webhooks["tool"], [SecretStr(NEW)], ssl.create_default_context())

    def noted() -> Any:
        db = reader(tmp_path / "delivery.sqlite")
        return rows(db, "SELECT state, outcome FROM delivery WHERE attempts = 1")

    await send_until(tmp_path, {"tool": faulty}, noted)
    assert noted() == [{"state": "waiting", "outcome": "a fault of Baton's: KeyError"}]
    assert "carrying to tool raised KeyError" in caplog.text
    assert "ann.berg" not in caplog.text


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", 120_000),
        ("Mon, 21 Sep 2026 14:14:20 GMT", 60_000),
        ("Mon, 21 Sep 2026 14:00:00 GMT", 0),
        ("soon", None),
        ("9999999999", 9_999_999_999_000),  # whoever waits has a limit of an hour
        ("Monday, 21-Sep-26 14:14:20 GMT", 60_000),
        ("Mon Sep 21 14:14:20 2026", 60_000),
        ("-5", None),
        ("+3", None),
        ("1.5", None),
        ("120, 120", None),
        ("9" * 30, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_moment(header: str, wait: int | None) -> None:
    now = datetime.fromtimestamp(NOON / 1000, UTC)
    assert retry_after_ms(header, now) == wait

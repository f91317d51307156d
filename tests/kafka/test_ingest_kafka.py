"""The ingest service whole, on a real broker: HTTP and inbox in, accepted events, persons and dead
letters out, each once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from baton.cli.main import build
from baton.cluster.log import LogReader, Record
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent, LeadInput
from baton.contracts.schemas import schema_root
from baton.contracts.topics import TOPICS, dead_letter_topic, physical
from baton.derived_ids import derived_id
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.reducer import Event
from baton.engine.task_config import TaskConfig
from baton.http import PortNotOurs
from baton.intake.keyed_records import event_id_of
from baton.settings import Settings, load_settings
from services.ingest.admit.reducer import Admit
from services.ingest.gateway.process import GatewayProcess
from services.ingest.identify.reducer import Identify
from services.ingest.settings import GatewaySettings

pytestmark = pytest.mark.kafka

PARTITIONS = 2
KEY = "desk-0123456789abcdef"
SOURCES = schema_root().parent / "examples" / "sources" / "hubspot.yaml"
PATIENCE_S = 60.0
NEEDED = [
    spec
    for name, spec in TOPICS.items()
    if name.split(".")[0] in ("leads", "intake", "dlq", "admit", "identify", "baton")
]


@dataclass(frozen=True)
class Terms:
    """Ingest looks at no agreement, but the engine waits for one."""

    version: str = "0" * 32


class TermsBook:
    """Always the same."""

    topics: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        del event

    def at(self, now: int) -> Terms:
        del now
        return Terms()


@dataclass
class Ingest:
    """The running service."""

    bootstrap: str
    namespace: str
    url: str
    reducers: asyncio.Task[None]
    gateway: GatewayProcess

    def produce(self, *values: bytes, headers: list[tuple[str, bytes]] | None = None) -> None:
        # As a foreign client does: librdkafka's own partitioner, no key.
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for value in values:
            producer.produce(physical(self.namespace, "leads.inbox.v1"), value, headers=headers)
        assert producer.flush(30) == 0

    def read(self, topic: str) -> list[Record]:
        with LogReader({"bootstrap.servers": self.bootstrap}, self.namespace) as reader:
            return list(reader.read({topic: list(range(reader.partitions(topic)))}))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - the condition is on the broker
                await asyncio.sleep(0.1)

    def events(self) -> list[LeadEvent]:
        return [
            codec_for(LeadEvent).decode(record.value)
            for record in self.read("leads.accepted.v1")
            if record.value
        ]


@pytest.fixture
async def ingest(
    request: pytest.FixtureRequest,
    bootstrap: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[Ingest]:
    """``request.param``: after how many seconds without progress the gateway halts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_PARTITIONS": str(PARTITIONS),
        "BATON_WRITE_KEYS": f"desk:engagement+acts+commands:{KEY}",
        "BATON_WRITE_KEY": KEY,
        "BATON_GATEWAY_PORT": str(port),
        "BATON_METRICS_PORT": "0",
        "BATON_STALLED_AFTER_S": getattr(request, "param", "600"),
        "BATON_GATEWAY_URL": f"http://127.0.0.1:{port}",
        "BATON_HOME": str(tmp_path),
        "BATON_SOURCES": str(SOURCES),
        "BATON_SECRET_HUBSPOT": KEY,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    await asyncio.to_thread(
        ensure_topics,
        {"bootstrap.servers": bootstrap},
        Layout(namespace=namespace, partitions=PARTITIONS),
        NEEDED,
    )
    host = KafkaHost(
        (Admit(), Identify()),
        TermsBook(),  # type: ignore[arg-type]
        TaskConfig(partitions=PARTITIONS, namespace=namespace),
        HostConfig(
            client={"bootstrap_servers": bootstrap},
            settings=EngineSettings(gather_ms=10, session_timeout_ms=6_000, heartbeat_ms=500),
        ),
    )
    up = asyncio.Event()
    gateway = GatewayProcess(Settings(), GatewaySettings())
    tasks = [asyncio.create_task(host.run()), asyncio.create_task(gateway.run(up.set))]
    try:
        async with asyncio.timeout(PATIENCE_S):
            await up.wait()
            while not host.ready or gateway.reasons():
                assert not any(task.done() for task in tasks), [
                    task.exception() for task in tasks if task.done()
                ]
                await asyncio.sleep(0.05)
        yield Ingest(bootstrap, namespace, environment["BATON_GATEWAY_URL"], tasks[0], gateway)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        load_settings.cache_clear()


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "source": "test",
        "kind": "engagement",
        "occurred_at": "2026-03-02T10:00:00Z",
        "identifiers": {"email": f"p{number % 50}@acme.example", "anonymous": f"n{number % 50}"},
        "engagement": {"act": "form"},
    } | more


POISON = [
    b"{",
    b"\x00\x00\x00\xff\xffab",
    b"[" * 5_000,
    json.dumps(line(1, identifiers={})).encode(),
    b"x" * 40_000,
]


async def test_what_comes_in_twice_and_by_two_ways_is_accepted_once_and_the_poison_is_kept_apart(
    ingest: Ingest,
) -> None:
    lines = [line(number) for number in range(400)]
    async with httpx.AsyncClient(base_url=ingest.url, auth=(KEY, ""), timeout=60) as client:
        for _ in range(2):
            answers = await asyncio.gather(
                *(
                    client.post("/v1/events", json=lines[start : start + 50])
                    for start in range(0, 200, 50)
                )
            )
            assert [response.status_code for response in answers] == [202] * 4
    raw = [json.dumps(entry).encode() for entry in lines[150:]]
    await asyncio.to_thread(
        ingest.produce,
        *raw[:100],
        *POISON,
        *raw[100:],
        *raw[:50],
        headers=[("traceparent", b"00-x")],
    )
    await ingest.until(lambda: len(ingest.read(dead_letter_topic("leads.inbox.v1"))) >= len(POISON))
    await ingest.until(
        lambda: (
            len({event.event_id for event in ingest.events() if event.kind == "engagement"}) >= 400
        )
    )

    accepted = [event for event in ingest.events() if event.kind == "engagement"]
    assert sorted(event.event_id for event in accepted) == sorted(
        event_id_of("test", str(number)) for number in range(400)
    )
    expected = {
        derived_id("lead", derived_id("identity", "email", f"p{number}@acme.example"))
        for number in range(50)
    }
    assert {event.lead_id for event in accepted} == expected
    reported = [
        codec_for(LeadInput).decode(record.value)
        for record in ingest.read("intake.leads.v1")
        if record.value
    ]
    persons = [member.person for member in reported if member.event]
    assert sorted(person.email or "" for person in persons if person) == sorted(
        [f"p{number}@acme.example" for number in range(50)] * 8
    )
    dead = ingest.read(dead_letter_topic("leads.inbox.v1"))
    assert sorted(record.value or b"" for record in dead) == sorted(POISON)
    assert all(record.header("traceparent") == "00-x" for record in dead)
    no_address = [
        record
        for topic in ("leads.accepted.v1", "intake.aliases.v1")
        for record in ingest.read(topic)
    ]
    assert not any(b"@acme" in (record.value or b"") + (record.key or b"") for record in no_address)


async def test_an_anonymous_visitor_who_says_their_name_is_one_lead_from_then_on(
    ingest: Ingest,
) -> None:
    async with httpx.AsyncClient(base_url=ingest.url, auth=(KEY, ""), timeout=60) as client:
        for call, body in (
            ("page", {"anonymousId": "n1", "messageId": "1", "name": "Pricing"}),
            (
                "identify",
                {
                    "anonymousId": "n1",
                    "userId": "u1",
                    "messageId": "2",
                    "traits": {"email": "ann@acme.example"},
                },
            ),
        ):
            assert (await client.post(f"/v1/{call}", json=body)).status_code == 202
            await ingest.until(lambda: len(ingest.events()) > 0)
        await ingest.until(lambda: len(ingest.read("leads.merges.v1")) == 2)
        assert (
            await client.post(
                "/v1/track", json={"anonymousId": "n1", "messageId": "3", "event": "x"}
            )
        ).status_code == 202
    ann = derived_id("lead", derived_id("identity", "email", "ann@acme.example"))
    await ingest.until(
        lambda: any(
            event.lead_id == ann and event.kind == "engagement" for event in ingest.events()
        )
    )


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_send_writes_down_what_was_acknowledged_and_all_of_it_is_accepted(
    ingest: Ingest, via: str, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    words = [
        "send",
        str(schema_root() / "examples" / "events.jsonl"),
        "--via",
        via,
        "--ledger",
        str(ledger),
        "--json",
    ]
    result = await asyncio.to_thread(CliRunner().invoke, build(), words)
    assert result.exit_code == 0, result.output
    ids = ledger.read_text().split()
    assert json.loads(result.stdout)["accepted"] == len(ids) == len(set(ids))
    topics = ("leads.accepted.v1", "leads.acts.v1", "leads.commands.v1")

    def found() -> list[str]:
        records = [record for topic in topics for record in ingest.read(topic)]
        decoded = [
            codec_for(TOPICS[record.topic].record or LeadEvent).decode(record.value or b"")
            for record in records
        ]
        return [record.event_id for record in decoded if record.event_id in ids]

    await ingest.until(lambda: len(found()) >= len(ids))
    assert sorted(found()) == sorted(ids)


def hubspot(url: str, *records: dict[str, Any]) -> httpx.Response:
    """HubSpot's webhook, in the oldest of its signatures."""
    common = {"portalId": 1, "subscriptionId": 2, "occurredAt": 1_772_445_600_000}
    body = json.dumps([{**common, **record} for record in records]).encode()
    digest = hashlib.sha256(KEY.encode() + body).hexdigest()
    headers = {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v1"}
    return httpx.post(f"{url}/hooks/hubspot", content=body, headers=headers, timeout=60)


async def test_what_a_source_sends_and_cannot_be_taken_is_a_dead_letter_that_can_be_mapped_again(
    ingest: Ingest, tmp_path: Path
) -> None:
    good = {"eventId": 1, "objectId": 1, "subscriptionType": "contact.creation"}
    bad = {"eventId": 2, "objectId": 2, "subscriptionType": "contact.renamed"}
    answer = await asyncio.to_thread(hubspot, ingest.url, good, bad)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    (letter,) = await asyncio.to_thread(ingest.read, "dlq.leads.inbox.v1")
    assert letter.value is not None
    assert json.loads(letter.value)["objectId"] == 2
    assert letter.header("baton_source") == "hubspot"
    assert letter.header("__dlq.errors.code") == "no_rule"
    mended = tmp_path / "hubspot.yaml"
    people = SOURCES.parent.parent / "people" / "people.yaml"
    text = SOURCES.read_text().replace("'.creation'", "'.renamed'", 2)
    mended.write_text(text.replace("../people/people.yaml", str(people)))
    words = ["source", "replay", str(mended)]
    replayed = await asyncio.to_thread(CliRunner().invoke, build(), words)
    assert (replayed.exit_code, replayed.stdout) == (0, "1 events sent in\n")
    ids = {event_id_of("hubspot", f"1-2-{n}-{n}-1772445600000") for n in (1, 2)}
    await ingest.until(lambda: {event.event_id for event in ingest.events()} >= ids)
    doctor = await asyncio.to_thread(CliRunner().invoke, build(), ["doctor", "--json"])
    found = [row for row in json.loads(doctor.stdout)["findings"] if row["check"] == "sources"]
    assert found[0]["verdict"] == "good", found
    assert found[0]["text"].startswith("hubspot: secret set; last event at ")
    why = "no_rule: record 1: no rule of the source is for such a record"
    assert f", {why} (baton dlq show dlq.leads.inbox.v1/" in found[0]["text"]


async def test_two_contacts_that_become_one_are_one_lead_until_a_person_separates_them(
    ingest: Ingest,
) -> None:
    for number in (1, 2):
        made = {"eventId": number, "objectId": number, "subscriptionType": "contact.creation"}
        await asyncio.to_thread(hubspot, ingest.url, made)
    await ingest.until(lambda: len(ingest.events()) == 2)
    leads = [event.lead_id for event in ingest.events()]
    assert len(set(leads)) == 2
    merge = {
        "eventId": 3,
        "objectId": 1,
        "subscriptionType": "contact.merge",
        "primaryObjectId": 1,
        "mergedObjectIds": [2],
    }
    await asyncio.to_thread(hubspot, ingest.url, merge)
    await ingest.until(lambda: len(ingest.read("leads.merges.v1")) == 2)
    (command,) = await asyncio.to_thread(ingest.read, "leads.commands.v1")
    survivor = str(command.key, "utf-8") if command.key else ""
    assert survivor in leads

    def send(number: int, kind: str, identifiers: dict[str, Any], **more: Any) -> None:
        line = {
            "id": f"p-{number}",
            "kind": kind,
            "occurred_at": 1_772_445_700_000,
            "identifiers": identifiers,
            **more,
        }
        answer = httpx.post(f"{ingest.url}/v1/events", json=line, auth=(KEY, ""), timeout=60)
        assert answer.status_code == 202, answer.text

    apart = {"kind": "unmerge", "by": "ana", "reason": "two_people"}
    who = {"lead": survivor, "crm": "hubspot:2"}
    await asyncio.to_thread(send, 1, "command", who, command=apart)
    await ingest.until(lambda: len(ingest.read("leads.commands.v1")) == 2)
    for number, crm in ((2, "hubspot:2"), (3, "hubspot:1")):
        await asyncio.to_thread(send, number, "profile", {"crm": crm}, profile={"title": "CTO"})
    await ingest.until(lambda: len(ingest.events()) == 4)
    # a topic has no order across its partitions: not the last two that were read
    late = [event.lead_id for event in ingest.events() if event.profile.get("title") == "CTO"]
    assert len(late) == len(set(late)) == 2
    assert survivor in late
    await asyncio.to_thread(send, 4, "erasure", {"lead": survivor})
    await ingest.until(lambda: any(event.kind == "erasure" for event in ingest.events()))
    await asyncio.to_thread(send, 5, "profile", {"crm": "hubspot:1"}, profile={"title": "CEO"})
    await asyncio.to_thread(send, 6, "profile", {"crm": "hubspot:2"}, profile={"title": "CEO"})
    await ingest.until(
        lambda: sum(event.profile.get("title") == "CEO" for event in ingest.events()) == 1
    )
    assert {event.lead_id for event in ingest.events() if event.kind == "erasure"} == {survivor}


@pytest.mark.parametrize("ingest", ["4"], indirect=True)
async def test_once_nobody_processes_what_comes_in_senders_are_asked_to_come_again(
    ingest: Ingest,
) -> None:
    ingest.reducers.cancel()
    await asyncio.gather(ingest.reducers, return_exceptions=True)
    statuses: list[int] = []
    async with (
        httpx.AsyncClient(base_url=ingest.url, auth=(KEY, ""), timeout=60) as client,
        asyncio.timeout(PATIENCE_S),
    ):
        while 503 not in statuses:
            answer = await client.post(
                "/v1/track", json={"userId": "u", "event": "x", "messageId": str(len(statuses))}
            )
            statuses.append(answer.status_code)
            await asyncio.sleep(0.5)
    assert set(statuses[:-1]) == {202}
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("not_processed", "10")
    assert ingest.gateway.reasons() == ["events are not being processed"]
    stalled_s = REGISTRY.get_sample_value("baton_http_stalled_seconds")
    assert stalled_s is not None
    assert stalled_s > 4


async def test_a_port_that_is_taken_is_said_so(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("BATON_GATEWAY_PORT", str(taken.getsockname()[1]))
        with pytest.raises(PortNotOurs, match="BATON_GATEWAY_PORT"):
            GatewayProcess(Settings(bootstrap=bootstrap), GatewaySettings())

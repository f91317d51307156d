"""Write-back against strict fakes of HubSpot and Salesforce, which their own clients are pointed at
too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from baton.contracts.public_record import PublicRecord
from services.delivery.crm.crm_carrier import CrmCarrier
from services.delivery.crm.deciding import OwnWrite, decide, digest_of
from services.delivery.crm.hubspot import HubSpot
from services.delivery.crm.oauth_tokens import Grant, KeyWrong, TokenDead, TokenKeeper
from services.delivery.crm.salesforce import Salesforce
from services.delivery.sender import Sender
from services.delivery.store.outbox_store import Store, reader, rows
from services.delivery.targets.target_model import TargetsFile
from tests.services.delivery.facts import MINUTE, NOON, erased, fact, qualified, routed, staged
from tests.services.delivery.fake_hubspot import CONTACTS, FakeHubSpot
from tests.services.delivery.fake_salesforce import FakeSalesforce
from tests.services.delivery.serving import served

EMAIL = "ann.berg@acme.example"
WRITE = {
    "owner": "hubspot_owner_id",
    "level": "baton_level",
    "score": "baton_score",
    "stage": "hs_lead_status",
    "next_date": "baton_next",
}
PEOPLE = {"ae-greta": "501", "ae-hugo": "502"}
KEY = Fernet.generate_key().decode()


class Memory:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def send(self, line: Any) -> None:
        self.lines.append(dict(line))


def scored(lead: str = "lead-1", at_ms: int = NOON, level: str = "hot") -> PublicRecord:
    from baton.contracts.leads import LeadScored
    from baton.contracts.topic_names import LEADS_SCORED

    record = LeadScored(
        lead_id=lead,
        cycle=1,
        scored_at_ms=at_ms,
        fit_micro=70_000_000,
        engagement_micro=49_000_000,
        grade="A2",
        level=level,
        level_reason="entered",
        contributions=(),
        criteria=(),
        next_change_at_ms=None,
        cause_id="c",
        agreement="v1",
    )
    return fact(LEADS_SCORED, record, id=f"scored-{lead}-{at_ms}", at_ms=at_ms)


class Desk:
    """A store with a carrier to a fake CRM."""

    def __init__(self, folder: Path, kind: str, target: dict[str, Any]) -> None:
        self.folder, self.inbox, self.now = folder, Memory(), NOON
        usual = {"people": PEOPLE, "since": "2020-01-01T00:00:00Z", "commands_by": "mgr-ines"}
        self.file = TargetsFile.model_validate({"version": 1, kind: {"crm": usual | target}})
        self.kind = kind
        store = Store(folder, "baton")
        store.register(self.file, 0)
        store.close()

    def take(self, *facts: PublicRecord) -> None:
        store = Store(self.folder, "baton")
        store.apply(facts, {}, self.file, self.now)
        store.close()

    def left(self) -> list[dict[str, Any]]:
        db = reader(self.folder / "delivery.sqlite")
        return rows(db, "SELECT * FROM delivery WHERE state = 'waiting'")

    def outcomes(self) -> list[str]:
        db = reader(self.folder / "delivery.sqlite")
        return [row["outcome"] for row in rows(db, "SELECT outcome FROM delivery ORDER BY seq")]

    def carrier(self) -> CrmCarrier:
        place = (self.folder, "baton")
        if self.kind == "hubspot":
            hubspot = self.file.hubspot["crm"]
            token: Any = "pat-1"
            if hubspot.client_id:
                token = TokenKeeper("crm", self.grant(), KEY, place)
            crm: Any = HubSpot(hubspot, token)
            target: Any = hubspot
        else:
            target, crm = self.file.salesforce["crm"], self.salesforce()
        batch = 100 if self.kind == "hubspot" else 200
        return CrmCarrier(
            "crm", target, crm, place, self.inbox, batch=batch, clock=lambda: self.now / 1000
        )

    def salesforce(self) -> Salesforce:
        keeper = TokenKeeper("crm", self.grant(), KEY, (self.folder, "baton"))
        return Salesforce(self.file.salesforce["crm"], keeper)

    def grant(self) -> Grant:
        base, path = (
            (self.file.hubspot["crm"].api_url, "/oauth/v1/token")
            if self.kind == "hubspot"
            else (self.file.salesforce["crm"].login_url, "/services/oauth2/token")
        )
        return Grant(url=base + path, client_id="id", client_secret="s", refresh="refresh-1")

    async def send(self, *, patience_s: float = 120) -> None:
        sender = Sender(
            lambda: Store(self.folder, "baton"), {"crm": self.carrier()}, clock=lambda: self.now
        )
        running = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(patience_s):
                while self.left():
                    assert not running.done(), running.exception()
                    await asyncio.sleep(0.02)
                    self.now += 1_000
                    sender.wake.set()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[tuple[FakeHubSpot, Desk]]:
    fake = FakeHubSpot()
    async with served(fake.app()) as base:
        target = {
            "token_env": "BATON_T",
            "write": WRITE,
            "api_url": base,
            "stages": {"sal": "CONNECTED", "mql": "OPEN"},
        }
        yield fake, Desk(tmp_path, "hubspot", target)


async def test_owner_level_score_stage_and_date_are_written_and_nothing_else(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL, company="Acme")
    desk.take(scored(), routed(), staged("accepted"))
    await desk.send()
    assert fake.contacts[contact] == {
        "email": EMAIL,
        "company": "Acme",
        "hubspot_owner_id": "501",
        "baton_level": "hot",
        "baton_score": "119",
        "hs_lead_status": "CONNECTED",
    }


async def test_a_track_is_enrolled_in_and_ends_by_a_property(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    from baton.contracts.slas import LeadReactivated, LeadRecycled
    from baton.contracts.topic_names import LEADS_REACTIVATED, LEADS_RECYCLED

    fake, desk = hub
    usual = {"lead_id": "lead-1", "cycle": 1, "cause_id": "c", "agreement": "v1"}
    recycled = LeadRecycled(
        **usual, recycle_id="r", outcome="recycle", reason="no_budget", at_ms=NOON, track="learn"
    )
    back = LeadReactivated(**usual, recycle_id="r", reason="return_date", at_ms=NOON + MINUTE)
    contact = fake.add(EMAIL)
    hubspot = desk.file.hubspot["crm"].model_copy(update={"write": {"track": "baton_track"}})
    desk.file = desk.file.model_copy(update={"hubspot": {"crm": hubspot}})
    desk.take(routed(), fact(LEADS_RECYCLED, recycled, id="recycled"))
    await desk.send()
    assert fake.contacts[contact]["baton_track"] == "learn"
    desk.take(fact(LEADS_REACTIVATED, back, id="back", at_ms=NOON + MINUTE))
    await desk.send()
    assert fake.contacts[contact]["baton_track"] == ""


async def test_an_open_offer_s_deadline_is_the_next_date(hub: tuple[FakeHubSpot, Desk]) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    desk.take(routed())
    await desk.send()
    assert fake.contacts[contact]["baton_next"] == "2026-09-21"


async def test_what_is_there_already_is_not_written_again(hub: tuple[FakeHubSpot, Desk]) -> None:
    fake, desk = hub
    fake.add(EMAIL)
    desk.take(scored(), routed())
    await desk.send()
    writes = len(fake.upserts)
    desk.take(scored(at_ms=NOON + 1))
    await desk.send()
    assert len(fake.upserts) == writes


async def test_an_owner_whom_a_person_set_before_stays(hub: tuple[FakeHubSpot, Desk]) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL, hubspot_owner_id="999")
    desk.take(scored(), routed())
    await desk.send()
    assert fake.contacts[contact]["hubspot_owner_id"] == "999"
    assert fake.contacts[contact]["baton_level"] == "hot"
    assert desk.inbox.lines == []


async def test_a_person_s_later_change_of_owner_stays_and_is_a_command_here(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    desk.take(routed())
    await desk.send()
    fake.contacts[contact]["hubspot_owner_id"] = "502"
    desk.take(scored(), staged("accepted"))
    await desk.send()
    assert fake.contacts[contact]["hubspot_owner_id"] == "502"
    assert len({line["id"] for line in desk.inbox.lines}) == 1
    assert desk.inbox.lines[0]["command"] == {
        "kind": "assign",
        "by": "mgr-ines",
        "handoff_id": "h-lead-1-1",
        "to_person": "ae-hugo",
    }


async def test_a_value_that_a_person_changed_stays_whatever_the_field(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    desk.take(scored())
    desk.take(routed())
    await desk.send()
    fake.contacts[contact]["baton_level"] = "mine"
    desk.take(scored(at_ms=NOON + 1, level="warm"))
    await desk.send()
    assert fake.contacts[contact]["baton_level"] == "mine"
    assert "kept what people set: level" in desk.outcomes()


async def test_a_write_whose_answer_was_lost_is_still_baton_s_own(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    fake.lose = 1
    desk.take(routed())
    await desk.send()
    desk.take(routed(owner="ae-hugo", attempt=2, at_ms=NOON + MINUTE))
    await desk.send()
    assert fake.contacts[contact]["hubspot_owner_id"] == "502"
    assert desk.inbox.lines == []


async def test_a_person_s_change_after_a_write_whose_answer_was_lost_is_a_command_too(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    fake.lose = 1
    desk.take(routed())
    await desk.send()  # the second attempt finds it as it is to be
    fake.contacts[contact]["hubspot_owner_id"] = "502"
    desk.take(scored(), staged("accepted"))
    await desk.send()
    assert fake.contacts[contact]["hubspot_owner_id"] == "502"
    assert {line["command"]["to_person"] for line in desk.inbox.lines} == {"ae-hugo"}


async def test_a_hundred_leads_are_one_call_and_one_refusal_spoils_none_of_the_others(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    from dataclasses import replace

    from tests.services.delivery.facts import ANN

    fake, desk = hub
    facts = []
    for number in range(150):
        email = f"p{number}@acme.example"
        fake.add(email)
        person = replace(ANN, email=email)
        facts.append(routed(f"l{number}", qualified=qualified(f"l{number}", person=person)))
    fake.refuse = {"p7@acme.example": "VALIDATION_ERROR"}
    desk.take(*facts)
    await desk.send()
    assert [len(batch) for batch in fake.upserts] == [100, 50]
    owned = [one for one in fake.contacts.values() if one.get("hubspot_owner_id") == "501"]
    assert len(owned) == 149
    db = reader(desk.folder / "delivery.sqlite")
    dead = rows(db, "SELECT lead_id, outcome FROM delivery WHERE state = 'dead'")
    assert dead == [{"lead_id": "l7", "outcome": "the CRM says VALIDATION_ERROR"}]


@pytest.mark.parametrize("status", [400, 409])
async def test_one_contact_for_which_hubspot_refuses_the_whole_batch_holds_up_no_other(
    hub: tuple[FakeHubSpot, Desk], status: int
) -> None:
    from dataclasses import replace

    from tests.services.delivery.facts import ANN

    fake, desk = hub
    for number in range(9):
        email = f"lead-{number}@acme.example"
        fake.add(email)
        person = replace(ANN, email=email)
        one = qualified(f"lead-{number}", person=person)
        desk.take(routed(f"lead-{number}", qualified=one))
    fake.spoil = {"lead-6@acme.example": status}
    await desk.send()
    owners = [contact.get("hubspot_owner_id") for contact in fake.contacts.values()]
    assert owners == ["501"] * 6 + [None] + ["501"] * 2
    bad = f"the CRM says HubSpot answers {status}"
    assert [words for words in desk.outcomes() if not words.startswith("wrote")] == [bad]


async def test_two_leads_with_one_address_do_not_spoil_a_batch(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    fake.add(EMAIL)
    desk.take(routed("lead-1"), routed("lead-2"))
    await desk.send()
    assert all(len(batch) == 1 for batch in fake.upserts)


async def test_a_contact_that_is_not_there_is_made_only_where_that_is_wished(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    desk.take(routed())
    await desk.send()
    assert (fake.contacts, desk.outcomes()) == ({}, ["the CRM has no such record"])


async def test_429_waits_as_long_as_it_asks(hub: tuple[FakeHubSpot, Desk]) -> None:
    fake, desk = hub
    fake.add(EMAIL)
    fake.fail = [429]
    desk.take(routed())
    began = desk.now
    await desk.send()
    assert desk.now - began >= 7_000
    assert len(fake.upserts) == 1


async def test_a_dead_token_disables_the_target_and_loses_nothing(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    fake.token = "another"
    desk.take(routed())
    carrier = desk.carrier()
    sender = Sender(lambda: Store(desk.folder, "baton"), {"crm": carrier}, clock=lambda: desk.now)
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    db = reader(desk.folder / "delivery.sqlite")
    (row,) = rows(db, "SELECT disabled, last_outcome FROM target")
    assert (row["last_outcome"], len(desk.left())) == ("HubSpot answers 401", 1)
    assert row["disabled"]


async def test_a_dry_run_writes_nothing_and_says_what_it_would(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    fake, desk = hub
    contact = fake.add(EMAIL)
    hubspot = desk.file.hubspot["crm"].model_copy(update={"dry_run": True})
    desk.file = desk.file.model_copy(update={"hubspot": {"crm": hubspot}})
    desk.take(routed())
    await desk.send()
    assert fake.contacts[contact] == {"email": EMAIL}
    assert desk.outcomes() == ["dry run: would write baton_next, hubspot_owner_id"]


async def test_a_cap_a_minute_bounds_what_a_bad_agreement_can_do(
    hub: tuple[FakeHubSpot, Desk],
) -> None:
    from dataclasses import replace

    from tests.services.delivery.facts import ANN

    fake, desk = hub
    hubspot = desk.file.hubspot["crm"].model_copy(update={"per_minute": 5})
    desk.file = desk.file.model_copy(update={"hubspot": {"crm": hubspot}})
    facts = []
    for number in range(12):
        fake.add(f"p{number}@acme.example")
        person = replace(ANN, email=f"p{number}@acme.example")
        facts.append(routed(f"l{number}", qualified=qualified(f"l{number}", person=person)))
    desk.take(*facts)
    began = desk.now
    await desk.send()
    assert [len(batch) for batch in fake.upserts] == [5, 5, 2]
    assert desk.now - began >= 120_000
    db = reader(desk.folder / "delivery.sqlite")
    assert rows(db, "SELECT DISTINCT attempts FROM delivery") == [{"attempts": 1}], (
        "what was held back was not attempted"
    )


async def test_who_is_forgotten_is_not_looked_for(hub: tuple[FakeHubSpot, Desk]) -> None:
    fake, desk = hub
    fake.add(EMAIL)
    desk.take(routed(), erased())
    await desk.send()
    assert (fake.upserts, desk.outcomes()) == ([], ["nothing to find it by"])


# --- deciding, as a table


@pytest.mark.parametrize(
    ("field", "now", "ledger", "expected"),
    [
        ("level", "", OwnWrite(), "write"),
        ("level", "cold", OwnWrite(), "write"),  # Baton's own property
        ("owner", "", OwnWrite(), "write"),
        ("owner", "999", OwnWrite(), "keep"),  # a person's, from before
        ("owner", "501", OwnWrite(), "same"),
        ("owner", "499", OwnWrite(digest=digest_of("499")), "write"),
        ("owner", "499", OwnWrite(digest=digest_of("498")), "changed"),
        ("owner", "499", OwnWrite(pending=digest_of("499")), "write"),  # the answer was lost
        ("owner", "499", OwnWrite(pending=digest_of("498")), "changed"),  # and a person came after
        ("owner", "501", OwnWrite(pending=digest_of("501")), "confirmed"),
        ("owner", "", OwnWrite(pending=digest_of("499")), "write"),  # the call was lost
        ("owner", "", OwnWrite(digest=digest_of("499")), "keep"),  # a person cleared it
        ("level", "mine", OwnWrite(digest=digest_of("hot")), "keep"),
    ],
)
def test_a_value_that_baton_did_not_write_last_is_a_person_s(
    field: str, now: str, ledger: OwnWrite, expected: str
) -> None:
    decision = decide({field: ("p", "501")}, {"p": now}, {"p": ledger})
    found = (
        "write"
        if decision.write
        else "changed"
        if decision.owner_changed
        else "keep"
        if decision.kept
        else "confirmed"
        if decision.confirmed
        else "same"
    )
    assert found == expected


# --- tokens


def keeper(folder: Path, base: str, keys: str = KEY) -> TokenKeeper:
    grant = Grant(
        url=f"{base}/oauth/v1/token", client_id="id", client_secret="s", refresh="refresh-1"
    )
    return TokenKeeper("crm", grant, keys, (folder, "baton"))


async def test_many_who_need_a_token_at_once_refresh_it_once(tmp_path: Path) -> None:
    fake = FakeHubSpot()
    async with served(fake.app()) as base, httpx.AsyncClient() as client:
        # two keepers are two processes
        keepers = [keeper(tmp_path, base), keeper(tmp_path, base)]
        tokens = await asyncio.gather(*(keepers[number % 2].token(client) for number in range(20)))
    assert {token.access for token in tokens} == {"at-1"}
    assert fake.refreshed == 1


def written_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("delivery.sqlite*"))


async def test_a_token_is_stored_encrypted_before_it_is_used(tmp_path: Path) -> None:
    fake = FakeHubSpot()
    async with served(fake.app()) as base, httpx.AsyncClient() as client:
        await keeper(tmp_path, base).token(client)
        content = await asyncio.to_thread(written_in, tmp_path)
        assert b"at-1" not in content
        assert b"rt-1" not in content
        # the single-use refresh token of the environment is spent: the stored one goes on
        fake.token = "expired elsewhere"
        again = await keeper(tmp_path, base).token(client, instead_of="at-1")
    assert (again.access, fake.refreshed) == ("at-2", 2)


async def test_a_token_that_somebody_else_is_refreshing_just_now_is_not_dead(
    tmp_path: Path,
) -> None:
    fake = FakeHubSpot(busy=1)
    async with served(fake.app()) as base, httpx.AsyncClient() as client:
        tokens = keeper(tmp_path, base)
        with pytest.raises(httpx.HTTPStatusError):
            await tokens.token(client)
        assert (await tokens.token(client)).access == "at-1"


async def test_a_refused_refresh_token_is_said_and_another_key_too(tmp_path: Path) -> None:
    fake = FakeHubSpot(refresh="another")
    async with served(fake.app()) as base, httpx.AsyncClient() as client:
        with pytest.raises(TokenDead):
            await keeper(tmp_path, base).token(client)
        fake.refresh = "refresh-1"
        await keeper(tmp_path, base).token(client)
        other = Fernet.generate_key().decode()
        with pytest.raises(KeyWrong, match="encrypted with another key"):
            await keeper(tmp_path, base, other).token(client)
        found = await keeper(tmp_path, base, f"{other},{KEY}").token(client)
    assert found.access == "at-1"
    with pytest.raises(KeyWrong, match="must be a Fernet key"):
        keeper(tmp_path, "http://127.0.0.1:1", "no key")


# --- Salesforce


SALESFORCE = {
    "client_id": "id",
    "refresh_token_env": "BATON_R",
    "people": {"ae-greta": "005G", "ae-hugo": "005H"},
    "write": {"owner": "OwnerId", "level": "Baton_Level__c", "stage": "Status"},
    "stages": {"sal": "Working"},
}


@pytest.fixture
async def force(tmp_path: Path) -> AsyncIterator[tuple[FakeSalesforce, Desk]]:
    fake = FakeSalesforce()
    async with served(fake.app()) as base:
        fake.url = base
        yield fake, Desk(tmp_path, "salesforce", {**SALESFORCE, "login_url": base})


async def test_salesforce_owner_and_stage_go_under_a_condition_the_rest_in_one_call(
    force: tuple[FakeSalesforce, Desk],
) -> None:
    fake, desk = force
    name = fake.add("lead-1")
    desk.take(scored(), routed(), staged("accepted"))
    await desk.send()
    record = fake.records[name]
    assert (record["OwnerId"], record["Baton_Level__c"], record["Status"]) == (
        "005G",
        "hot",
        "Working",
    )


async def test_salesforce_is_asked_in_queries_that_it_takes_and_all_pages_are_read(
    force: tuple[FakeSalesforce, Desk],
) -> None:
    """Of a longer address it reads nothing, and what is on a later page would be taken for a record
    that is not there, so that a person's values would be overwritten."""
    fake, desk = force
    fake.page = 7
    keys = [f"{number:03d}{'x' * 80}" for number in range(200)]
    names = {key: fake.add(key, OwnerId="005X") for key in keys}
    found = await desk.salesforce().read(keys, ["OwnerId"])
    assert {key: one.object_id for key, one in found.items()} == names
    assert {one.values["OwnerId"] for one in found.values()} == {"005X"}
    assert fake.calls.count("GET /query") > 1


async def test_412_somebody_came_between_so_it_is_read_again_and_their_owner_stays(
    force: tuple[FakeSalesforce, Desk],
) -> None:
    fake, desk = force
    name = fake.add("lead-1")
    fake.between = lambda: fake.change(name, OwnerId="005X")
    desk.take(scored(), routed())
    await desk.send()
    assert fake.records[name]["OwnerId"] == "005X"
    assert fake.records[name]["Baton_Level__c"] == "hot"


async def test_a_partial_failure_is_that_record_s_and_a_locked_row_is_tried_again(
    force: tuple[FakeSalesforce, Desk],
) -> None:
    fake, desk = force
    names = [fake.add(f"l{number}") for number in range(3)]
    fake.refuse = {"l1": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    desk.take(*[scored(f"l{number}") for number in range(3)])
    await desk.send()
    assert [fake.records[name].get("Baton_Level__c") for name in names] == ["hot", None, "hot"]
    assert "the CRM says FIELD_CUSTOM_VALIDATION_EXCEPTION" in desk.outcomes()


async def test_an_ended_session_is_renewed_once_and_the_limit_is_a_429(
    force: tuple[FakeSalesforce, Desk],
) -> None:
    fake, desk = force
    name = fake.add("lead-1")
    fake.fail = [(401, "INVALID_SESSION_ID"), (403, "REQUEST_LIMIT_EXCEEDED")]
    desk.take(scored())
    await desk.send()
    assert (fake.records[name]["Baton_Level__c"], fake.refreshed) == ("hot", 2)


# --- the fakes, asked by the vendors' own clients


async def test_hubspot_s_own_client_finds_the_fake_as_it_knows_hubspot() -> None:
    import hubspot
    from hubspot.crm.contacts import (
        BatchInputSimplePublicObjectBatchInputUpsert,
        BatchReadInputSimplePublicObjectId,
        SimplePublicObjectBatchInputUpsert,
        SimplePublicObjectId,
    )
    from hubspot.crm.contacts.exceptions import ApiException

    fake = FakeHubSpot()
    fake.add(EMAIL)

    def ask(base: str) -> None:
        client = hubspot.Client.create(access_token="pat-1")
        client.config["host"] = base
        api = client.crm.contacts.batch_api
        api.api_client.configuration.host = base
        upsert = SimplePublicObjectBatchInputUpsert(
            id=EMAIL, id_property="email", properties={"baton_level": "hot"}
        )
        many = BatchInputSimplePublicObjectBatchInputUpsert(inputs=[upsert])
        assert api.upsert(many).results[0].properties["baton_level"] == "hot"
        wanted = BatchReadInputSimplePublicObjectId(
            id_property="email",
            inputs=[SimplePublicObjectId(id=EMAIL)],
            properties=["baton_level"],
            properties_with_history=[],
        )
        assert api.read(wanted).results[0].properties["baton_level"] == "hot"
        doubled = BatchInputSimplePublicObjectBatchInputUpsert(inputs=[upsert, upsert])
        with pytest.raises(ApiException) as refused:
            api.upsert(doubled)
        assert refused.value.status == 400

    async with served(fake.app()) as base:
        await asyncio.to_thread(ask, base)
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{base}{CONTACTS}", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401


async def test_salesforce_s_python_client_finds_the_fake_as_it_knows_salesforce() -> None:
    from simple_salesforce import Salesforce as Client
    from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

    fake = FakeSalesforce(token="session")
    name = fake.add("lead-1", OwnerId="005G")

    def ask(base: str) -> None:
        def at(session: str) -> Any:
            found = Client(instance_url=base, session_id=session, version="62.0")
            found.base_url = f"{base}/services/data/v62.0/"  # it knows https only
            return found

        client = at("session")
        lead = client.Lead
        lead.base_url = f"{base}/services/data/v62.0/sobjects/Lead/"
        found = client.query("SELECT Id, OwnerId FROM Lead WHERE Baton_Lead_Id__c IN ('lead-1')")
        assert found["records"][0]["OwnerId"] == "005G"
        assert lead.update(name, {"OwnerId": "005H"}) == 204
        with pytest.raises(SalesforceMalformedRequest):
            lead.update(name, {"Nonsense": "x"})
        with pytest.raises(SalesforceExpiredSession):
            at("old").query("SELECT Id FROM Lead")

    async with served(fake.app()) as base:
        await asyncio.to_thread(ask, base)
    assert fake.records[name]["OwnerId"] == "005H"


async def test_the_fake_salesforce_refuses_an_update_after_a_change() -> None:
    fake = FakeSalesforce(token="session")
    name = fake.add("lead-1")
    async with served(fake.app()) as base, httpx.AsyncClient() as client:
        answer = await client.patch(
            f"{base}/services/data/v62.0/sobjects/Lead/{name}",
            json={"OwnerId": "005H"},
            headers={
                "Authorization": "Bearer session",
                "If-Unmodified-Since": "Mon, 21 Sep 2026 14:13:20 GMT",
            },
        )
    assert answer.status_code == 412
    assert json.loads(answer.text)[0]["errorCode"] == "ENTITY_CHANGED"

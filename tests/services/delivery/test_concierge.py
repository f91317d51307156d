"""The instant answer: what is shown and what is not, promises kept, enumeration and turns burnt."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from baton.contracts.public_record import PublicRecord
from baton.intake.line_reading import read_line
from baton.settings import Settings
from services.delivery.answers.concierge import FLOOR_S, ConciergeAnswers
from services.delivery.answers.inbox import NotTaken
from services.delivery.concierge import process, work_count
from services.delivery.concierge.busy_cache import BusyCache
from services.delivery.concierge.buyer import form_digest
from services.delivery.concierge.desk import Desk, Peeked
from services.delivery.concierge.openings import Openings
from services.delivery.concierge.peek_tokens import VALID_S, NotValid, Promise, TokenMaker
from services.delivery.concierge.promise_keeping import PromiseCarrier
from services.delivery.concierge.routes import concierge_app
from services.delivery.operations import health_app
from services.delivery.store import outbox
from services.delivery.store.outbox_store import Store, rows
from services.delivery.store.view import email_digest
from services.delivery.targets.target_model import TargetsFile
from services.delivery.targets.target_reading import TargetsWrong
from tests.services.delivery.facts import ANN, NOON, agreement, noted, routed, staged

KEY, PAGE = "pk_0123456789abcdef", "https://www.firm.example"
ANN_S_FORM = {"email": "ann.berg@acme.example", "first_name": "Ann", "country": "DE"}


class Memory:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.away, self.refused = False, 0

    def send(self, line: Any) -> None:
        if self.away:
            self.refused += 1
            raise NotTaken("away")
        self.lines.append(dict(line))


class Counter:
    """A concierge over a store, called as a page calls it. ``now``: seconds."""

    def __init__(
        self,
        folder: Path,
        deadline_s: float = 30.0,
        cache: BusyCache | None = None,
        **more: Any,
    ) -> None:
        concierge = {
            "key": KEY,
            "origins": [PAGE],
            "signing_secret_env": "BATON_C",
            "booking": {"ae-greta": "https://book.example/greta"},
            "per_minute": 600,
            "turns_per_address": 10_000,
        }
        self.file = TargetsFile.model_validate({"version": 1, "concierge": concierge | more})
        self.folder, self.now, self.inbox = folder, NOON / 1000, Memory()
        store = Store(folder, "baton")
        store.register(self.file, 0)
        store.close()
        self.take(*agreement())
        target = self.file.concierge
        assert target is not None
        place = folder, "baton"
        openings = Openings(target.slots, cache, kept_s=0) if cache is not None else None
        self.desk = Desk(target, "secret", place, self.inbox, openings=openings, counted_every_s=0)
        answers = ConciergeAnswers(target, self.desk, clock=lambda: self.now, deadline_s=deadline_s)
        answers.warming.result(60)  # it counts, too: later it would count in the place of a test
        from starlette.routing import Route

        self.app = Starlette(
            routes=[
                Route("/peek", answers.peek, methods=["POST"]),
                Route("/peek", answers.preflight, methods=["OPTIONS"]),
                Route("/claim", answers.claim, methods=["POST"]),
            ]
        )

    def take(self, *facts: PublicRecord) -> None:
        store = Store(self.folder, "baton")
        store.apply(facts, {}, self.file, int(self.now * 1000))
        store.close()

    async def ask(self, path: str, **body: Any) -> httpx.Response:
        origin = body.pop("origin", PAGE)
        address = body.pop("address", "192.0.2.1")
        more = body.pop("headers", {})
        transport = httpx.ASGITransport(app=self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            content = json.dumps({"key": KEY, "fields": ANN_S_FORM} | body)
            return await client.post(path, content=content, headers={"Origin": origin} | more)

    async def keep(self) -> list[str]:
        """What becomes of the routed leads that wait for their promises."""
        store = Store(self.folder, "baton")
        found = outbox.due(store, "concierge", int(self.now * 1000), 100)
        store.db.execute("UPDATE delivery SET state = 'sent'")
        store.close()
        carrier = PromiseCarrier(self.folder, self.inbox, clock=lambda: self.now)
        return [(await carrier.carry([delivery]))[0].words for delivery in found]

    def promises(self) -> list[dict[str, Any]]:
        store = Store(self.folder, "baton")
        found = rows(store.db, "SELECT person FROM promise")
        store.close()
        return found


@pytest.fixture
async def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path)


async def test_a_peek_says_now_without_a_name_and_moves_nothing(counter: Counter) -> None:
    answer = await counter.ask("/peek")
    body = answer.json()
    assert (answer.status_code, body.keys(), body["queue"]) == (
        200,
        {"queue", "token", "expires_in", "slots"},
        "now",
    )
    assert "greta" not in answer.text
    assert "hugo" not in answer.text
    assert (counter.inbox.lines, counter.promises()) == ([], [])


def test_a_peek_does_not_wait_while_open_work_is_counted(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.desk.warm(counter.now)
    counting, go_on = threading.Event(), threading.Event()

    def count(db: Any, now_ms: int) -> dict[str, int]:
        counting.set()
        assert go_on.wait(60)
        return {}

    monkeypatch.setattr(work_count, "open_work", count)
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(counter.desk.peek, ANN_S_FORM, counter.now)
        assert counting.wait(60)
        assert counter.desk.peek(ANN_S_FORM, counter.now).queue == "now"
        assert not slow.done()
        go_on.set()
        assert slow.result(60).queue == "now"


async def test_a_claim_is_one_event_with_the_form_and_shows_the_name(counter: Counter) -> None:
    token = (await counter.ask("/peek")).json()["token"]
    answer = await counter.ask("/claim", token=token)
    (promise,) = counter.promises()
    names = {"ae-greta": "Greta (sales)", "ae-hugo": "Hugo (sales)"}
    assert answer.json()["person"] == names[promise["person"]]
    (line,) = counter.inbox.lines
    assert line["engagement"] == {"act": "demo_request"}
    assert (line["person"], line["profile"]) == ({"first_name": "Ann"}, {"country": "DE"})
    read_line(json.dumps(line).encode())


async def test_a_token_used_twice_is_one_event_and_one_promise(counter: Counter) -> None:
    token = (await counter.ask("/peek")).json()["token"]
    first = await counter.ask("/claim", token=token)
    counter.now += 600
    second = await counter.ask("/claim", token=token)
    assert first.json() == second.json()
    assert len({line["id"] for line in counter.inbox.lines}) == 1
    assert len(counter.promises()) == 1


async def test_the_same_buyer_within_an_hour_gets_the_same_person(counter: Counter) -> None:
    first = (await counter.ask("/peek")).json()["token"]
    shown = (await counter.ask("/claim", token=first)).json()["person"]
    # work arrives for whoever was promised, so another one would be due now
    owner = counter.promises()[0]["person"]
    counter.take(*[routed(f"x{number}", owner) for number in range(5)])
    counter.now += 1_800
    again = await counter.ask("/peek", fields=ANN_S_FORM | {"country": "US"})
    second = await counter.ask(
        "/claim", fields=ANN_S_FORM | {"country": "US"}, token=again.json()["token"]
    )
    assert second.json()["person"] == shown
    assert len({line["id"] for line in counter.inbox.lines}) == 1


async def test_who_has_the_lead_or_a_colleague_of_it_is_promised(tmp_path: Path) -> None:
    for owner in ("ae-greta", "ae-hugo"):
        counter = Counter(tmp_path / owner)
        counter.take(routed("lead-1", owner))
        token = (await counter.ask("/peek")).json()["token"]
        await counter.ask("/claim", token=token)
        colleague = ANN_S_FORM | {"email": "bob@acme.example"}
        token = (await counter.ask("/peek", fields=colleague)).json()["token"]
        await counter.ask("/claim", fields=colleague, token=token)
        assert [row["person"] for row in counter.promises()] == [owner, owner]


async def test_the_least_loaded_of_the_pool_is_promised_and_a_promise_is_work(
    counter: Counter,
) -> None:
    """With so little known, the agreement sends them to the bridge team; anna has weight two."""
    counter.take(*[routed(f"x{number}", "sdr-anna", pool="sdr") for number in range(6)])
    for number in range(4):
        form = {"email": f"p{number}@other{number}.example"}
        token = (await counter.ask("/peek", fields=form)).json()["token"]
        await counter.ask("/claim", fields=form, token=token)
    found = sorted(row["person"] for row in counter.promises())
    assert found == ["sdr-ben", "sdr-ben", "sdr-cleo", "sdr-cleo"]


async def test_where_nothing_can_be_said_in_time_the_answer_is_the_normal_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(tmp_path, deadline_s=0.05)
    asked, released = threading.Event(), threading.Event()

    def stuck(self: Desk, fields: Any, now_s: float) -> Any:
        asked.set()
        released.wait(120)
        return Peeked(queue="now", token="too late")

    monkeypatch.setattr(Desk, "peek", stuck)
    answers = await asyncio.gather(*(counter.ask("/peek", address=f"a{n}") for n in range(40)))
    assert asked.is_set()
    assert not released.is_set(), "all were answered while the eight that were asked hung"
    released.set()
    assert {answer.json()["queue"] for answer in answers} == {"later"}
    assert {answer.json()["token"] for answer in answers} == {""}


# --- promises are kept


async def claim(counter: Counter, **more: Any) -> str:
    token = (await counter.ask("/peek")).json()["token"]
    await counter.ask("/claim", token=token, **more)
    counter.inbox.lines.clear()
    return str(counter.promises()[0]["person"])


def routed_to(person: str, **more: Any) -> PublicRecord:
    return routed("lead-1", person, at_ms=NOON + 1_000, **more)


async def test_a_lead_routed_to_somebody_else_is_assigned_as_promised_once(
    counter: Counter,
) -> None:
    person = await claim(counter)
    other = "ae-hugo" if person == "ae-greta" else "ae-greta"
    counter.take(routed_to(other))
    assert await counter.keep() == ["assigned as promised"]
    (line,) = counter.inbox.lines
    assert line["command"] == {
        "kind": "assign",
        "by": "mgr-ines",
        "handoff_id": "h-lead-1-1",
        "to_person": person,
    }


async def test_while_the_brokers_are_away_promises_wait_together_and_are_kept_afterwards(
    counter: Counter,
) -> None:
    person = await claim(counter)
    other = "ae-hugo" if person == "ae-greta" else "ae-greta"
    counter.take(routed_to(other), routed("lead-2", other, at_ms=NOON + 2_000))
    store = Store(counter.folder, "baton")
    waiting = outbox.due(store, "concierge", int(counter.now * 1000), 100)
    store.close()
    carrier = PromiseCarrier(counter.folder, counter.inbox, clock=lambda: counter.now)
    counter.inbox.away = True
    assert [outcome.ok for outcome in await carrier.carry(waiting)] == [False, False]
    assert counter.inbox.refused == 1, "the second one does not wait for the same brokers"
    counter.inbox.away = False
    assert [outcome.words for outcome in await carrier.carry(waiting)] == [
        "assigned as promised"
    ] * 2
    assert {line["command"]["handoff_id"] for line in counter.inbox.lines} == {
        "h-lead-1-1",
        "h-lead-2-1",
    }


async def test_a_booked_slot_is_recorded_when_the_person_promised_has_the_lead(
    counter: Counter,
) -> None:
    person = await claim(counter, slot="2026-09-22T09:00:00+02:00")
    counter.take(routed_to(person))
    assert await counter.keep() == ["as promised, and booked"]
    (line,) = counter.inbox.lines
    assert line["act"]["meeting_at"] == "2026-09-22T09:00:00+02:00"
    text = json.dumps(line).replace("h-lead-1-1", "b" * 32).replace("lead-1", "a" * 32)
    read_line(text.encode())


@pytest.mark.parametrize("event", ["accepted", "rejected"])
async def test_a_lead_that_has_moved_on_is_left_alone(counter: Counter, event: str) -> None:
    await claim(counter)
    counter.take(routed_to("ae-hugo"), staged(event))
    assert await counter.keep() == ["it has moved on since"]
    assert counter.inbox.lines == []


async def test_without_a_promise_nothing_is_done(counter: Counter) -> None:
    counter.take(routed_to("ae-hugo"), noted("noted", "hotter"))
    assert await counter.keep() == ["nobody was promised"]


async def test_a_promise_ends_after_an_hour(counter: Counter) -> None:
    await claim(counter)
    counter.now += 3_601
    counter.take(routed_to("ae-hugo"))
    assert await counter.keep() == ["nobody was promised"]


# --- who asks what they should not


async def test_a_known_customer_and_a_stranger_get_the_same_answer(counter: Counter) -> None:
    """Shape, size and time reveal nothing of who is known, who holds whom, or who is suppressed."""
    counter.take(routed("lead-1", "ae-hugo"))
    forms = {
        "known": ANN_S_FORM,
        "colleague": {"email": "bob@acme.example"},
        "stranger": {"email": "eve@elsewhere.example"},
        "free mail": {"email": "eve@gmail.com"},
    }
    answers, took = {}, {}
    for name, form in forms.items():
        began = time.monotonic()
        answers[name] = await counter.ask("/peek", fields=form)
        took[name] = time.monotonic() - began
    bodies = [answer.json() for answer in answers.values()]
    assert len({len(answer.content) for answer in answers.values()}) == 1
    assert len({(body["queue"], body["expires_in"]) for body in bodies}) == 1
    assert min(took.values()) >= FLOOR_S
    assert ANN.email is not None


async def test_who_asks_too_often_is_limited_by_address(tmp_path: Path) -> None:
    counter = Counter(tmp_path, per_minute=5)
    statuses = [(await counter.ask("/peek")).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert (await counter.ask("/peek", address="192.0.2.2")).status_code == 200
    counter.now += 60
    assert (await counter.ask("/peek")).status_code == 200


async def test_a_thousand_peeks_use_no_turn_and_claims_only_so_many_an_hour(
    tmp_path: Path,
) -> None:
    counter = Counter(tmp_path, turns_per_hour=3)
    statuses = []
    for number in range(5):
        form = {"email": f"p{number}@other{number}.example"}
        token = (await counter.ask("/peek", fields=form)).json()["token"]
        answer = await counter.ask("/claim", fields=form, token=token)
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 200, 429, 429]
    assert len(counter.inbox.lines) == 3
    for number in range(200):
        await counter.ask(
            "/peek", fields={"email": f"q{number}@other.example"}, address=f"a{number}"
        )
    assert len(counter.promises()) == 3


async def test_one_address_cannot_burn_everybody_s_turns(tmp_path: Path) -> None:
    counter = Counter(tmp_path, turns_per_address=2)
    statuses = []
    for number in range(4):
        form = {"email": f"p{number}@other{number}.example"}
        token = (await counter.ask("/peek", fields=form)).json()["token"]
        address = f"2001:db8::{number}" if number < 3 else "2001:db8:0:1::1"
        answer = await counter.ask("/claim", fields=form, token=token, address=address)
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 429, 200], "a /64 is one caller"
    assert len(counter.promises()) == 3


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # anybody can write the header
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first is the caller's own
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "rubbish", "rubbish"),
        ("10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_a_caller_behind_a_proxy_is_counted_by_their_own_address(
    peer: str, forwarded: str, caller: str
) -> None:
    from services.delivery.concierge.limits import caller_of

    assert caller_of(peer, forwarded, [ipaddress.ip_network("10.0.0.0/24")]) == caller


@pytest.mark.parametrize(
    "more", [{"UTM_Source": "x"}, {"company": "c" * 300}, {"country": "\ud800"}]
)
async def test_nobody_is_promised_to_a_buyer_whose_event_the_intake_would_refuse(
    counter: Counter, more: dict[str, str]
) -> None:
    answer = await counter.ask("/peek", fields=ANN_S_FORM | more)
    assert answer.status_code == 422
    token = TokenMaker("secret").make(
        Promise(
            buyer=email_digest(ANN_S_FORM["email"]),
            form=form_digest(ANN_S_FORM | more),
            pool="sales",
            person="ae-hugo",
        ),
        counter.now,
    )
    answer = await counter.ask("/claim", fields=ANN_S_FORM | more, token=token)
    assert (answer.status_code, counter.promises(), counter.inbox.lines) == (422, [], [])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": ""}, 403),
        ({"key": "pk_ffffffffffffffff"}, 401),
        ({"key": None}, 401),
        ({"fields": {"country": "DE"}}, 422),
        ({"fields": {"email": "no address"}}, 422),
        ({"fields": {"email": "a@b.example", "x": "y" * 501}}, 422),
        ({"fields": {"email": "a@b.example", "x y": "z"}}, 422),
        ({"fields": {f"f{n}": "x" for n in range(31)}}, 422),
        ({"fields": []}, 422),
        ({"fields": {"email": ["a@b.example"]}}, 422),
        ({"padding": "x" * 9_000}, 413),
    ],
)
async def test_what_is_no_question_of_the_page_is_refused(
    counter: Counter, more: dict[str, Any], status: int
) -> None:
    answer = await counter.ask("/peek", **more)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("case", ["garbage", "old", "other form", "other buyer", "other secret"])
async def test_a_token_is_good_for_one_buyer_one_form_and_a_quarter_of_an_hour(
    counter: Counter, case: str
) -> None:
    token = (await counter.ask("/peek")).json()["token"]
    fields = dict(ANN_S_FORM)
    if case == "garbage":
        token = "x" * len(token)
    elif case == "old":
        counter.now += VALID_S + 1
    elif case == "other form":
        fields["country"] = "US"
    elif case == "other buyer":
        fields["email"] = "bob@acme.example"
    else:
        promise = Promise(buyer="b", form="f", pool="sales", person="ae-hugo")
        token = TokenMaker("guessed").make(promise, counter.now)
    answer = await counter.ask("/claim", token=token, fields=fields)
    assert (answer.status_code, counter.inbox.lines, counter.promises()) == (422, [], [])


def test_all_tokens_are_of_one_length_and_show_nothing() -> None:
    maker = TokenMaker("secret")
    promises = [
        Promise(buyer="b" * 32, form="f" * 32, pool=pool, person=person)
        for pool, person in (("", None), ("sales", "ae-greta"), ("a-long-pool-name", "p" * 60))
    ]
    tokens = [maker.make(promise, 1_790_000_000) for promise in promises]
    assert len({len(token) for token in tokens}) == 1
    assert maker.read(tokens[1], 1_790_000_000) == promises[1]
    with pytest.raises(NotValid):
        TokenMaker("other").read(tokens[1], 1_790_000_000)


async def test_a_claim_that_the_brokers_do_not_take_may_be_made_again(counter: Counter) -> None:
    token = (await counter.ask("/peek")).json()["token"]
    counter.inbox.away = True
    assert (await counter.ask("/claim", token=token)).status_code == 503
    counter.inbox.away = False
    assert (await counter.ask("/claim", token=token)).status_code == 200
    assert len(counter.promises()) == 1


async def test_a_browser_of_an_allowed_page_may_ask_and_no_other(counter: Counter) -> None:
    transport = httpx.ASGITransport(app=counter.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        good = await client.options("/peek", headers={"Origin": PAGE})
        evil = await client.options("/peek", headers={"Origin": "https://evil.example"})
    assert good.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in evil.headers


async def test_the_application_has_both_calls_and_operators_have_theirs(counter: Counter) -> None:
    target = counter.file.concierge
    assert target is not None
    app = concierge_app(target, counter.desk)
    assert {route.path for route in app.routes} == {"/v1/concierge/peek", "/v1/concierge/claim"}  # type: ignore[attr-defined]
    listens = False
    transport = httpx.ASGITransport(app=health_app(lambda: listens, host="127.0.0.1"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        paths = ("/healthz", "/readyz", "/metrics")
        before = [(await client.get(path)).status_code for path in paths]
        listens = True
        after = [(await client.get(path)).status_code for path in paths]
    assert (before, after) == ([200, 503, 200], [200, 200, 200])


def test_a_concierge_that_is_not_configured_says_where_it_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "targets.yaml").write_text("version: 1\n")
    monkeypatch.setenv("BATON_DELIVERY_TARGETS", str(tmp_path / "targets.yaml"))
    with pytest.raises(TargetsWrong, match="no concierge to run: add one to the file of"):
        process.run(Settings())


@pytest.mark.parametrize("hour", ["open", "closed"])
def test_now_or_later_depends_on_the_form_and_the_hour_alone(hour: str) -> None:
    """Who is known, held or suppressed gets the word that a stranger gets."""
    from baton.agreement.canonical import load_canonical
    from baton.agreement.reference import Absence, reference_of
    from services.delivery.concierge.buyer import Buyer
    from services.delivery.concierge.choosing import Known, choose

    compiled = load_canonical(agreement()[2].value.text)
    everybody = [] if hour == "open" else list(compiled.people)
    absences = tuple(
        Absence(person=person, from_ms=NOON - 1, until_ms=NOON + 1)
        for person in everybody
        if person != "ae-hugo"
    )
    if hour == "closed":
        absences += (Absence(person="ae-hugo", from_ms=NOON - 1, until_ms=NOON + 1),)
    reference = reference_of(compiled, absences)
    rules = compiled.raw.routing.suppress
    assert rules, "the example suppresses somebody"
    profiles = [{"country": "DE"}, {"country": "DE", "relation": "competitor"}]
    words = set()
    for profile in profiles:
        buyer = Buyer(digest="b", account_id="acme.example", profile=profile)
        for known in (Known(), Known(holder="ae-hugo"), Known(colleague="ae-hugo")):
            words.add(choose(reference, buyer, known, NOON).now)
    assert words == {hour == "open"}
    competitor = Buyer(digest="b", account_id=None, profile=profiles[1])
    assert choose(reference, competitor, Known(holder="ae-hugo"), NOON).person is None

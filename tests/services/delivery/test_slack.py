"""Slack against a strict fake of it: cards, their updates, clicks, notices, lost answers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.routing import Route

from baton.contracts.public_record import PublicRecord
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import LEADS_SLA_VIOLATIONS
from services.delivery.answers.inbox import NotTaken
from services.delivery.answers.slack import SlackAnswers
from services.delivery.sender import Sender
from services.delivery.slack.blocks import escaped
from services.delivery.slack.slack_carrier import SlackCarrier
from services.delivery.store.outbox_store import Store, reader
from services.delivery.targets.target_model import TargetsFile
from tests.services.delivery.facts import (
    ANN,
    MINUTE,
    NOON,
    agreement,
    digested,
    erased,
    escalated,
    fact,
    noted,
    qualified,
    routed,
    staged,
)
from tests.services.delivery.fake_slack import TEAM, TOKEN, FakeSlack, Refused, check_blocks
from tests.services.delivery.serving import served

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
PEOPLE = {"ae-greta": "U1", "ae-hugo": "U2", "mgr-ines": "U3"}


def targets(base: str, **more: Any) -> TargetsFile:
    workspace = {
        "token_env": "BATON_T",
        "signing_secret_env": "BATON_U",
        "channel": "C1",
        "team": TEAM,
        "people": PEOPLE,
        "api_url": f"{base}/api/",
        "since": "2020-01-01T00:00:00Z",
    }
    return TargetsFile.model_validate({"version": 1, "slack": {"desk": workspace | more}})


@pytest.fixture
async def slack() -> AsyncIterator[tuple[FakeSlack, str]]:
    fake = FakeSlack(spacing_s=0.0)
    async with served(fake.app()) as base:
        yield fake, base


class Desk:
    """The store with its carrier to the fake."""

    def __init__(self, folder: Path, base: str, **more: Any) -> None:
        self.folder, self.file = folder, targets(base, **more)
        store = Store(folder, "baton")
        store.register(self.file, 0)
        store.apply(agreement(), {}, self.file, NOON)
        store.close()

    def take(self, *facts: PublicRecord) -> None:
        store = Store(self.folder, "baton")
        store.apply(facts, {}, self.file, NOON)
        store.close()

    def left(self) -> int:
        db = reader(self.folder / "delivery.sqlite")
        query = "SELECT count(*) FROM delivery WHERE state = 'waiting'"
        return int(db.execute(query).fetchall()[0][0])

    async def send(self, *, spacing_s: float = 0.0, patience_s: float = 120) -> None:
        carrier = SlackCarrier(
            "desk", self.file.slack["desk"], TOKEN, self.folder, "baton", spacing_s=spacing_s
        )
        now = [NOON]
        sender = Sender(
            lambda: Store(self.folder, "baton"), {"desk": carrier}, clock=lambda: now[0]
        )
        running = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(patience_s):
                while self.left():
                    assert not running.done(), running.exception()
                    await asyncio.sleep(0.02)
                    now[0] += MINUTE
                    sender.wake.set()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def text_of(message: dict[str, Any]) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


def actions_of(message: dict[str, Any]) -> list[str]:
    found = [block for block in message["blocks"] if block["type"] == "actions"]
    return [element["action_id"] for block in found for element in block["elements"]]


async def test_a_routed_lead_is_a_card_with_brief_deadline_and_buttons(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(routed())
    await desk.send()
    (message,) = fake.messages["C1"]
    assert actions_of(message) == ["baton_accept", "baton_reject", "baton_pass_on"]
    for part in ("Ann Berg", "ae-greta", "Acme", "hot A2", "demo request (40.0)", "Answer by"):
        assert part in text_of(message)
    selects = message["blocks"][-1]["elements"]
    assert "no_budget" in [option["value"] for option in selects[1]["options"]]
    assert [option["value"] for option in selects[2]["options"]] == ["ae-hugo"]


async def test_a_card_goes_to_its_holder_where_there_is_no_channel(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base, channel=None)
    desk.take(routed(), routed("lead-2", "ae-hugo"), routed("lead-3", "sdr-anna"))
    await desk.send()
    assert {channel: len(found) for channel, found in fake.messages.items()} == {"DU1": 1, "DU2": 1}


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ([staged("accepted")], "Accepted by ae-greta, 2026-09-21 14:14 UTC"),
        ([staged("rejected", reason="no_budget")], "Ended by ae-greta: no budget"),
        ([noted("withdrawn", "cooled")], "Ended: cooled"),
        ([routed(owner="ae-hugo", attempt=2, at_ms=NOON + MINUTE)], "Passed to ae-hugo"),
    ],
)
async def test_a_card_is_updated_and_loses_its_buttons_when_the_hand_off_moves_on(
    slack: tuple[FakeSlack, str], tmp_path: Path, facts: list[PublicRecord], shown: str
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(routed())
    await desk.send()
    desk.take(*facts)
    await desk.send()
    first = fake.messages["C1"][0]
    assert actions_of(first) == []
    assert shown in text_of(first)


async def test_what_came_in_the_wrong_order_shows_the_same(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(staged("accepted"))
    desk.take(routed())
    await desk.send()
    (message,) = fake.messages["C1"]
    assert "Accepted by ae-greta" in text_of(message)


async def test_a_withdrawn_hand_off_that_is_reinstated_has_its_buttons_again(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(routed(), noted("withdrawn", "breach"))
    await desk.send()
    assert fake.messages == {}, "it ended before anybody saw it"
    desk.take(noted("noted", "reinstated", at_ms=NOON + 2 * MINUTE))
    await desk.send()
    assert "baton_accept" in actions_of(fake.messages["C1"][0])


async def test_a_post_whose_answer_was_lost_is_not_posted_again(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    fake.lost = 1
    desk = Desk(tmp_path, base)
    desk.take(routed())
    await desk.send()
    assert (len(fake.messages["C1"]), fake.lost) == (1, 0)


async def test_a_broken_slack_is_tried_again(slack: tuple[FakeSlack, str], tmp_path: Path) -> None:
    fake, base = slack
    fake.broken = [500, 503]
    desk = Desk(tmp_path, base)
    desk.take(routed())
    await desk.send()
    assert len(fake.messages["C1"]) == 1


async def test_a_channel_gets_one_message_a_second(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    fake.spacing_s = 1.0
    desk = Desk(tmp_path, base)
    desk.take(*[routed(f"lead-{number}") for number in range(4)])
    began = time.monotonic()
    await desk.send(spacing_s=1.0)
    assert (len(fake.messages["C1"]), fake.limited) == (4, 0)
    assert time.monotonic() - began >= 3.0


async def test_warnings_and_breaches_are_posted_once(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base, cards=False)
    for kind in ("warning", "breach", "withdrawn"):
        record = SlaViolation(
            violation_id=kind,
            kind=kind,
            clock="accept",
            side="sales",
            deadline_ms=NOON,
            at_ms=NOON,
            cause_id="c",
            agreement="v1",
            lead_id="lead-1",
            handoff_id="h-lead-1-1",
            owner="ae-greta",
        )
        desk.take(routed(), fact(LEADS_SLA_VIOLATIONS, record, id=f"v-{kind}"))
    await desk.send()
    texts = [message["text"] for message in fake.messages["C1"]]
    assert [text.partition(",")[0] for text in texts] == [
        "*Soon due*: Ann Berg",
        "*Overdue*: Ann Berg",
    ]
    assert "due 2026-09-21 14:13 UTC" in texts[1]


async def test_what_stands_in_a_digest_is_posted_once_with_the_digest(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base, cards=False)
    leads = [f"lead-{number}" for number in range(1, 8)]
    desk.take(routed(), *[escalated(lead, digest="ae/mgr-ines") for lead in leads])
    desk.take(digested(*leads, count=30))
    await desk.send()
    (message,) = fake.messages["C1"]
    assert message["text"].splitlines() == [
        "*Digest*: 30 overdue in ae",
        "2026-09-21 14:13 UTC to 2026-09-21 14:28 UTC",
        "accept: 29, qualify: 1",
        "- Ann Berg, clock accept, due 2026-09-21 14:13 UTC",
        "- Lead lead-2, clock accept, due 2026-09-21 14:14 UTC",
        "- Lead lead-3, clock accept, due 2026-09-21 14:15 UTC",
        "- Lead lead-4, clock accept, due 2026-09-21 14:16 UTC",
        "- Lead lead-5, clock accept, due 2026-09-21 14:17 UTC",
        "and 25 more",
    ]


@pytest.mark.parametrize(
    ("notices", "posted"),
    [
        (["escalate"], ["*Digest*", "*Escalated*"]),
        (["notify"], ["*Digest*"]),
        (["breach", "warning"], []),
    ],
)
async def test_a_digest_goes_to_whoever_asked_for_one_of_its_kinds(
    slack: tuple[FakeSlack, str], tmp_path: Path, notices: list[str], posted: list[str]
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base, cards=False, notices=notices)
    desk.take(digested("lead-1", count=2), escalated("lead-2", digest=None))
    await desk.send()
    texts = [message["text"].partition(":")[0] for message in fake.messages.get("C1", [])]
    assert sorted(texts) == posted


async def test_who_is_forgotten_before_the_digest_is_sent_is_not_named_in_it(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base, cards=False)
    desk.take(routed(), digested("lead-1", count=2), erased())
    await desk.send()
    (message,) = fake.messages["C1"]
    assert "- Lead lead-1, clock accept" in message["text"]
    assert "Ann" not in message["text"]


async def test_who_is_forgotten_disappears_from_the_card(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(routed())
    await desk.send()
    # the end of the hand-off may be read before the erasure: no order between topics
    desk.take(noted("withdrawn", "erased"))
    await desk.send()
    desk.take(erased())
    await desk.send()
    text = text_of(fake.messages["C1"][0])
    assert "Ann" not in text
    assert "acme" not in text.lower()


HOSTILE = (
    "<!channel>",
    "<https://evil.example|click>",
    "<@U1>",
    "*bold*",
    "`code`",
    "a\n*Holder*\nsomebody",
    "‮gnp.exe",
    "zero​width",
    "&lt;!here&gt;",
    "x" * 5_000,
    "\N{GRINNING FACE}" * 130,
    "\x00\x07",
    "=HYPERLINK(1)",
)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_text(
    slack: tuple[FakeSlack, str], tmp_path: Path, name: str
) -> None:
    from dataclasses import replace

    fake, base = slack
    person = replace(ANN, first_name=name, company=name, stated_problem=name)
    desk = Desk(tmp_path, base)
    desk.take(routed(qualified=qualified(person=person)))
    await desk.send()
    (message,) = fake.messages["C1"]
    facts = [item["text"] for item in message["blocks"][1]["fields"]]
    company = next((text for text in facts if text.startswith("*Company*")), "*Company*\n")
    value = company.partition("\n")[2]
    assert not set("<>*`\n") & set(value)
    assert len(value) <= 700


def test_escaping_writes_out_what_begins_a_mention_or_a_link() -> None:
    assert escaped("<!channel> & *x*") == "&lt;!channel&gt; &amp; ∗x∗"


# --- clicks


class Memory:
    """An inbox in memory that may be out of order."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.away = False

    def send(self, line: Any) -> None:
        if self.away:
            raise NotTaken("no answer in time")
        self.lines.append(dict(line))


def click_body(user: str = "U1", action: str = "baton_accept", **more: Any) -> bytes:
    chosen: dict[str, Any] = {"action_id": action, "block_id": "h-lead-1-1", "value": "h-lead-1-1"}
    if "choice" in more:
        chosen["selected_option"] = {"value": more.pop("choice")}
    payload = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user},
        "container": {"channel_id": "C1", "message_ts": "1790000000.000001"},
        "actions": [chosen],
    } | more
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, at_s: float, secret: str = SIGNING) -> dict[str, str]:
    base = f"v0:{int(at_s)}:".encode() + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(int(at_s)), "X-Slack-Signature": f"v0={digest}"}


class Clicking:
    def __init__(self, client: httpx.AsyncClient, inbox: Memory, fake: FakeSlack) -> None:
        self.client, self.inbox, self.fake = client, inbox, fake

    async def click(self, **more: Any) -> str:
        """What the clicker reads."""
        body = click_body(**more)
        before = len(self.fake.ephemeral)
        answer = await self.client.post("/", content=body, headers=signed(body, NOON / 1000))
        assert answer.status_code == 200
        async with asyncio.timeout(60):
            while len(self.fake.ephemeral) == before:  # noqa: ASYNC110 - the fake has no event
                await asyncio.sleep(0.01)
        return str(self.fake.ephemeral[-1]["text"])


@pytest.fixture
async def clicking(slack: tuple[FakeSlack, str], tmp_path: Path) -> AsyncIterator[Clicking]:
    fake, base = slack
    desk = Desk(tmp_path, base)
    desk.take(routed())
    inbox = Memory()
    answers = SlackAnswers(
        desk.file.slack["desk"], (TOKEN, SIGNING), tmp_path, inbox, clock=lambda: NOON / 1000
    )
    app = Starlette(routes=[Route("/", answers.endpoint, methods=["POST"])])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://delivery") as client:
        found = Clicking(client, inbox, fake)
        found.desk = desk  # type: ignore[attr-defined]
        yield found


async def test_accept_is_an_act_of_the_holder(clicking: Clicking) -> None:
    assert await clicking.click() == "Taken. The card follows in a moment."
    (line,) = clicking.inbox.lines
    assert line.pop("id")
    assert line == {
        "source": "slack",
        "occurred_at": "2026-09-21T14:13:20.000+00:00",
        "identifiers": {"lead": "lead-1"},
        "kind": "act",
        "act": {
            "kind": "accepted",
            "by": "ae-greta",
            "handoff_id": "h-lead-1-1",
            "actor": "sales",
        },
    }


async def test_reject_has_its_reason_and_pass_on_its_person(clicking: Clicking) -> None:
    await clicking.click(action="baton_reject", choice="no_budget")
    await clicking.click(action="baton_pass_on", choice="ae-hugo")
    rejected, passed = clicking.inbox.lines
    assert rejected["act"]["reason"] == "no_budget"
    assert passed["command"] == {
        "kind": "pass_on",
        "by": "ae-greta",
        "handoff_id": "h-lead-1-1",
        "to_person": "ae-hugo",
    }


async def test_the_lines_are_lines_that_the_inbox_takes(clicking: Clicking) -> None:
    from baton.intake.line_reading import read_line

    await clicking.click()
    await clicking.click(action="baton_reject", choice="no_budget")
    await clicking.click(action="baton_pass_on", choice="ae-hugo")
    for line in clicking.inbox.lines:
        text = json.dumps(line).replace("h-lead-1-1", "b" * 32).replace("lead-1", "a" * 32)
        read_line(text.encode())


async def test_a_doubled_click_is_one_act(clicking: Clicking) -> None:
    await clicking.click()
    await clicking.click()
    assert len({line["id"] for line in clicking.inbox.lines}) == 1


async def test_the_manager_of_the_holder_may_answer(clicking: Clicking) -> None:
    assert (await clicking.click(user="U3")).startswith("Taken")
    assert clicking.inbox.lines[0]["act"]["by"] == "mgr-ines"


@pytest.mark.parametrize(
    ("click", "words"),
    [
        ({"user": "U2"}, "This lead was offered to ae-greta; you cannot answer for them."),
        ({"user": "U9"}, "Baton does not know who you are; ask whoever keeps targets.yaml."),
        ({"team": {"id": "T2"}}, "This card belongs to another workspace."),
        ({"action": "baton_reject", "choice": "because"}, "Choose a reason of the list."),
        ({"action": "baton_reject"}, "Choose a reason of the list."),
        ({"action": "baton_pass_on", "choice": "nobody"}, "Choose somebody of the list."),
    ],
)
async def test_a_wrong_click_does_nothing_and_the_clicker_reads_why(
    clicking: Clicking, click: dict[str, Any], words: str
) -> None:
    assert await clicking.click(**click) == words
    assert clicking.inbox.lines == []


async def test_a_late_clicker_reads_who_was_first_and_when(clicking: Clicking) -> None:
    clicking.desk.take(staged("accepted", by="mgr-ines"))  # type: ignore[attr-defined]
    words = await clicking.click()
    assert words == "Too late: Accepted by mgr-ines, 2026-09-21 14:14 UTC."
    assert clicking.inbox.lines == []


async def test_a_click_that_the_brokers_do_not_take_may_be_clicked_again(
    clicking: Clicking,
) -> None:
    clicking.inbox.away = True
    assert await clicking.click() == "Baton could not take it just now. Please click again."
    clicking.inbox.away = False
    await clicking.click()
    assert len(clicking.inbox.lines) == 1


def wrongs() -> Iterator[tuple[str, Callable[[bytes], dict[str, str]]]]:
    now = NOON / 1000
    yield "another secret", lambda body: signed(body, now, "other")
    yield "too old", lambda body: signed(body, now - 301)
    yield "from the future", lambda body: signed(body, now + 301)
    yield "another body", lambda body: signed(body + b" ", now)
    yield "no signature", lambda body: {}
    yield "no number", lambda body: signed(body, now) | {"X-Slack-Request-Timestamp": "soon"}
    yield "no hex", lambda body: signed(body, now) | {"X-Slack-Signature": "v0=zz"}
    yield "empty", lambda body: signed(body, now) | {"X-Slack-Signature": ""}


@pytest.mark.parametrize(("case", "headers"), list(wrongs()))
async def test_what_slack_did_not_sign_now_is_refused(
    clicking: Clicking, case: str, headers: Callable[[bytes], dict[str, str]]
) -> None:
    body = click_body()
    answer = await clicking.client.post("/", content=body, headers=headers(body))
    assert (answer.status_code, clicking.inbox.lines) == (401, []), case


def test_the_signatures_of_these_tests_are_what_slack_s_own_verifier_takes() -> None:
    body, now = click_body(), time.time()
    assert SignatureVerifier(SIGNING).is_valid_request(body, signed(body, now))
    assert not SignatureVerifier("other").is_valid_request(body, signed(body, now))


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=%7B%7D", b"x=1", b"payload=" + b"%5B" * 20_000, b"\xff"]
)
async def test_a_signed_body_that_is_no_click_is_400_or_401(
    clicking: Clicking, body: bytes
) -> None:
    answer = await clicking.client.post("/", content=body, headers=signed(body, NOON / 1000))
    assert answer.status_code in (400, 401)


async def test_a_body_without_end_is_cut_off(clicking: Clicking) -> None:
    body = b"x" * 300_000
    answer = await clicking.client.post("/", content=body, headers=signed(body, NOON / 1000))
    assert answer.status_code == 413


# --- the fake itself


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "section"}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "nonsense"}],
        [{"type": "actions", "elements": []}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x"}}] * 51,
    ],
)
def test_the_fake_refuses_blocks_that_slack_would_refuse(blocks: list[dict[str, Any]]) -> None:
    with pytest.raises(Refused, match="invalid_blocks"):
        check_blocks(blocks)


async def test_the_fake_is_strict_about_tokens_channels_and_the_rate(
    slack: tuple[FakeSlack, str],
) -> None:
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

    fake, base = slack
    fake.spacing_s = 1.0
    wrong = AsyncWebClient(token="xoxb-other", base_url=f"{base}/api/")
    right = AsyncWebClient(token=TOKEN, base_url=f"{base}/api/")
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await wrong.auth_test()
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await right.chat_postMessage(channel="C9", text="x")
    await right.chat_postMessage(channel="C1", text="x")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await right.chat_postMessage(channel="C1", text="x")
    assert fake.limited == 1


async def test_check_says_whether_the_token_is_alive(
    slack: tuple[FakeSlack, str], tmp_path: Path
) -> None:
    _, base = slack
    target = targets(base).slack["desk"]
    for token, verdict in (
        (TOKEN, (True, f"the token is alive in workspace {TEAM}")),
        ("xoxb-other", (False, "Slack says invalid_auth")),
    ):
        secret = SecretStr(token)
        carrier = SlackCarrier("desk", target, secret.get_secret_value(), tmp_path, "baton")
        assert await carrier.check() == verdict

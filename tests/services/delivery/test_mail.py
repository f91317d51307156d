"""Mails, through a real SMTP server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from baton.local.broker.free_ports import free_port
from services.delivery.mail import MailCarrier
from services.delivery.store import outbox
from services.delivery.store.outbox_store import Store
from services.delivery.targets.target_model import TargetsFile
from services.delivery.webhooks.schedule import Outcome
from tests.services.delivery.facts import (
    ANN,
    NOON,
    agreement,
    digested,
    erased,
    escalated,
    qualified,
    routed,
    staged,
)


class Postbox:
    """Takes mail; ``refuse``: the reply to every receiver."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse: str | None = None
        self.raw = b""

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw = envelope.content
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def targets(port: int) -> TargetsFile:
    mail = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "baton@firm.example",
        "people": {"ae-greta": "greta@firm.example"},
        "since": "2020-01-01T00:00:00Z",
    }
    return TargetsFile.model_validate({"version": 1, "mail": {"reps": mail}})


async def mailed(folder: Path, port: int, *facts: Any) -> list[Outcome]:
    file = targets(port)
    store = Store(folder, "baton")
    store.register(file, 0)
    store.apply([*agreement(), *facts], {}, file, NOON)
    carrier = MailCarrier(file.mail["reps"], None, folder)
    found = outbox.due(store, "reps", NOON, 10)
    store.close()
    return [outcome for delivery in found for outcome in await carrier.carry([delivery])]


async def test_a_holder_reads_the_brief(postbox: tuple[Postbox, int], tmp_path: Path) -> None:
    box, port = postbox
    assert [outcome.ok for outcome in await mailed(tmp_path, port, routed())] == [True]
    ((to, mail),) = box.mails
    assert (to, mail["To"], mail["Subject"]) == (
        ["greta@firm.example"],
        "greta@firm.example",
        "Lead: Ann Berg",
    )
    assert mail["Message-ID"].startswith("<msg_")
    assert "Answer by: 2026-09-21 15:13 UTC" in mail.get_content()
    assert mail.get_content_type() == "text/plain"


async def test_a_manager_is_mailed_the_digest_and_not_what_stands_in_it(
    postbox: tuple[Postbox, int], tmp_path: Path
) -> None:
    box, port = postbox
    to = "ae-greta"
    facts = [escalated(f"lead-{number}", digest=f"ae/{to}", to=to) for number in range(3)]
    outcomes = await mailed(tmp_path, port, *facts, digested("lead-0", count=3, to=to))
    assert [outcome.words for outcome in outcomes] == ["mailed"]
    ((_, mail),) = box.mails
    assert mail["Subject"] == "Digest: 3 overdue in ae"
    assert mail.get_content().splitlines() == [
        "2026-09-21 14:13 UTC to 2026-09-21 14:28 UTC",
        "accept: 2, qualify: 1",
        "- Lead lead-0, clock accept, due 2026-09-21 14:13 UTC",
        "and 2 more",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        [routed(owner="ae-hugo")],
        [routed(), staged("accepted")],
        [routed(), staged("rejected")],
    ],
)
async def test_nobody_is_mailed_who_has_no_address_or_whose_lead_has_moved_on(
    postbox: tuple[Postbox, int], tmp_path: Path, facts: list[Any]
) -> None:
    box, port = postbox
    outcomes = await mailed(tmp_path, port, *facts)
    assert (outcomes[0].ok, box.mails) == (True, [])


async def test_text_of_a_lead_makes_no_header_and_no_markup(
    postbox: tuple[Postbox, int], tmp_path: Path
) -> None:
    box, port = postbox
    name = "Ann\r\nBcc: other@evil.example\r\n\r\n<b>x</b>"
    person = replace(ANN, first_name=name, company="‮moc.live")
    await mailed(tmp_path, port, routed(qualified=qualified(person=person)))
    ((to, mail),) = box.mails
    assert to == ["greta@firm.example"]
    assert mail["Bcc"] is None
    assert "‮" not in mail.get_content()


@pytest.mark.parametrize(
    "name", ["Ä" * 110, "\N{GRINNING FACE}" * 110, "日本" * 55, "a, <b> " * 15]
)
async def test_a_long_name_in_any_script_is_whole_and_no_line_is_too_long_for_a_server(
    postbox: tuple[Postbox, int], tmp_path: Path, name: str
) -> None:
    box, port = postbox
    person = replace(ANN, first_name=name, last_name=None)
    await mailed(tmp_path, port, routed(qualified=qualified(person=person)))
    ((_, mail),) = box.mails
    assert mail["Subject"] == f"Lead: {name.strip()}"
    assert name.strip() in mail.get_content()
    assert box.raw.isascii()
    assert max(map(len, box.raw.split(b"\r\n"))) <= 76
    words = re.findall(rb"=\?[^?]+\?.\?[^?]*\?=", box.raw)
    assert all(len(word) <= 75 for word in words), "what RFC 2047 allows"


async def test_who_was_forgotten_is_named_in_no_mail(
    postbox: tuple[Postbox, int], tmp_path: Path
) -> None:
    box, port = postbox
    await mailed(tmp_path, port, routed(), erased())
    assert all("Ann" not in mail.as_string() for _, mail in box.mails)


@pytest.mark.parametrize(
    ("reply", "final"), [("550 no such user", True), ("451 try again later", False)]
)
async def test_a_refusal_for_good_is_final_and_its_text_is_not_kept(
    postbox: tuple[Postbox, int], tmp_path: Path, reply: str, final: bool
) -> None:
    box, port = postbox
    box.refuse = reply
    (outcome,) = await mailed(tmp_path, port, routed())
    assert (outcome.ok, outcome.final) == (False, final)
    assert "greta" not in outcome.words


async def test_no_server_is_a_failure_that_is_tried_again(tmp_path: Path) -> None:
    (outcome,) = await mailed(tmp_path, 1, routed())
    assert (outcome.ok, outcome.final) == (False, False)

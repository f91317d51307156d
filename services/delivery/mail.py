"""Mails cards and notices to people who have no Slack: plain text, nothing to click that a lead
wrote.

A mail cannot be changed or recognised by its receiver, so after a crash it may come twice: its
Message-ID is the delivery's, by which mail programs can recognise it.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from services.delivery.digest_notice import DIGEST, digest_lines, digest_title, leads_named
from services.delivery.handoffs import Phase
from services.delivery.store.lead_view import References, handoff_of, lead_of, titles_of
from services.delivery.store.outbox import Delivery
from services.delivery.store.outbox_store import FILE, reader
from services.delivery.targets.people_model import MailTarget
from services.delivery.webhooks.schedule import Outcome
from services.delivery.wording import Card, card_of, clean, moment

_TIMEOUT_S = 20
_FOR_GOOD = range(500, 600)
_POLICY = SMTP.clone(max_line_length=76)
"""Of a line with encoded words RFC 2047 allows 76 characters, of such a word 75."""


class MailCarrier:
    """Carries to one SMTP server."""

    batch = 1
    parallel = 2
    notes_begin = False

    def __init__(
        self,
        target: MailTarget,
        password: str | None,
        folder: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target, self._password, self._folder = target, password, folder
        self._clock, self._references = clock, References()

    async def close(self) -> None:
        """Nothing is kept open."""

    async def check(self) -> tuple[bool, str]:
        """Whether the server lets us in; sends nothing."""
        try:
            await asyncio.to_thread(self._with_server, lambda server: server.noop())
        except (smtplib.SMTPException, OSError) as error:
            return False, _words(error)
        return True, "the server lets us in"

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One mail."""
        (delivery,) = deliveries
        message = await asyncio.to_thread(self._message, delivery)
        if message is None:
            return [Outcome(ok=True, words="nobody to mail")]
        try:
            await asyncio.to_thread(self._with_server, lambda server: server.send_message(message))
        except (smtplib.SMTPException, OSError) as error:
            login = isinstance(error, smtplib.SMTPAuthenticationError)
            final = _code(error) in _FOR_GOOD and not login
            return [Outcome(ok=False, words=_words(error), final=final)]
        return [Outcome(ok=True, words="mailed")]

    def _with_server(self, act: Callable[[smtplib.SMTP], object]) -> None:
        target, context = self._target, ssl.create_default_context()
        if target.tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                target.host, target.port, timeout=_TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(target.host, target.port, timeout=_TIMEOUT_S)
        with server:
            if target.tls == "starttls":
                server.starttls(context=context)
            if target.user is not None:
                server.login(target.user, self._password or "")
            act(server)

    def _message(self, delivery: Delivery) -> EmailMessage | None:
        notes: dict[str, Any] = json.loads(delivery.payload)
        address = self._target.people.get(notes.get("to") or notes.get("owner") or "")
        if address is None:
            return None
        db = reader(self._folder / FILE)
        try:
            found = self._references.at(db, int(self._clock() * 1000))
            zone = found.agreement.timezone if found else "UTC"
            if notes.get("kind") == DIGEST:
                titles = titles_of(db, leads_named(notes))
                text = "\n".join([*digest_lines(notes, titles, zone), ""])
                return self._mail(delivery, address, f"Digest: {digest_title(notes)}", text)
            handoff = handoff_of(db, notes["handoff_id"]) if notes.get("handoff_id") else None
            lead = (lead_of(db, delivery.lead_id) if delivery.lead_id else None) or {}
        finally:
            db.close()
        card = card_of(handoff, lead, zone) if handoff else None
        if delivery.kind == "card":
            if card is None or handoff is None or handoff.phase is not Phase.OFFERED:
                return None  # it has moved on since
            return self._mail(delivery, address, f"Lead: {card.title}", _text(card))
        return self._mail(delivery, address, *_notice(notes, card, zone))

    def _mail(self, delivery: Delivery, address: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"], message["To"] = self._target.sender, address
        message["Subject"] = clean(subject, 150)
        message["Message-ID"] = f"<{delivery.id}@{self._target.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message


def _text(card: Card) -> str:
    lines = [card.title, "", *(f"{label}: {text}" for label, text in card.facts)]
    if card.why:
        lines += ["", "Why now:", *(f"- {line}" for line in card.why)]
    return "\n".join([*lines, ""])


def _notice(notes: dict[str, Any], card: Card | None, zone: str) -> tuple[str, str]:
    name = card.title if card else "a goal" if not notes.get("handoff_id") else "a lead"
    kind = clean(notes.get("kind", "notice"), 40)
    clock = clean(notes.get("clock", ""), 40)
    lines = [f"{kind}: {name}", f"clock: {clock}" if clock else ""]
    if notes.get("deadline_ms"):
        lines.append(f"due: {moment(int(notes['deadline_ms']), zone)}")
    return f"{kind.capitalize()}: {name}", "\n".join(filter(None, lines)) + "\n"


def _code(error: Exception) -> int | None:
    """The server's reply, if it is one."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return None


def _words(error: Exception) -> str:
    """The kind of error and the server's code: its text may quote an address."""
    code = _code(error)
    return f"SMTP {code}" if code else f"no mail ({type(error).__name__})"

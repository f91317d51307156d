"""The pack by mail: to each recipient once.

It is noted before it is sent. After a crash in between it may have been sent or not; it is then not
sent again by itself, a person can ask for that. Where the server could not be reached it was not
sent, and is sent the next time. One recipient's failure keeps it from no other.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from services.insights.packs.figures import Pack
from services.insights.packs.pack_store import Packs
from services.insights.packs.writing import as_html, as_text, csv_file

_TIMEOUT_S = 30.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NotMailed(RuntimeError):
    """The mail server did not take it; the text says what is known of it. ``is_unsent``: it was
    not sent for sure."""

    def __init__(self, text: str, *, is_unsent: bool = False) -> None:
        super().__init__(text)
        self.is_unsent = is_unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """``url``: ``smtp://``, ``smtp+starttls://`` or ``smtps://``, with user and password.
    ``packs``: where what was sent is noted."""

    url: str
    sender: str
    recipients: Sequence[str]
    packs: Packs

    def mail(self, pack: Pack, *, again: bool = False) -> list[str]:
        """Send to those who have not got it; gives who was sent to. Raises NotMailed once everybody
        was tried."""
        sent, failed = [], None
        for recipient in self.recipients:
            if not (self.packs.note_mail(pack.week, recipient) or again):
                continue
            try:
                self._send(message_of(pack, self.sender, recipient))
            except NotMailed as error:
                failed = error
                if error.is_unsent:
                    self.packs.retract_mail(pack.week, recipient)
            else:
                sent.append(recipient)
        if failed is not None:
            raise failed
        return sent

    def _send(self, message: EmailMessage) -> None:
        try:
            server = _connected(self.url)
        except (OSError, smtplib.SMTPException) as error:
            raise NotMailed(
                f"the mail server cannot be reached ({type(error).__name__}); the pack was not "
                "sent, and is sent once it can",
                is_unsent=True,
            ) from None
        try:
            with server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise NotMailed(
                f"the mail server did not take the pack ({type(error).__name__}); whether it was "
                "sent is not known, so it is not sent again by itself: baton board pack --mail "
                "--again"
            ) from None


def message_of(pack: Pack, sender: str, recipient: str) -> EmailMessage:
    """The mail: text, the same as HTML, and the figures as CSV."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Baton, week {pack.week}"
    message["From"], message["To"] = sender, recipient
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(pack))
    message.add_alternative(as_html(pack), subtype="html")
    message.add_attachment(
        csv_file(pack), maintype="text", subtype="csv", filename=f"baton-{pack.week}.csv"
    )
    return message


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
    try:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server

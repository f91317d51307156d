"""Who looks: by a one-time link on this machine, by the header of a trusted proxy, or by a sign-in
at a provider. Everything else is refused.

A one-time link works once and gives a session in memory. The header is believed from the networks
in the settings only. Roles come from the agreement in force; who stands in no agreement is not let
in by a proxy.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from services.insights.reports.context import Role, Viewer
from services.insights.settings import BoardSettings

COOKIE: Final = "baton_board"
SIGNED_IN_COOKIE: Final = "__Host-baton_board"
"""Of who signed in at a provider: by https only, and set by this host only."""
_LINKS: Final = "links"
_LINK_VALID_S: Final = 3_600.0
_SESSION_VALID_S: Final = 12 * 3_600.0
_MOST_SESSIONS: Final = 1_000
_TOKEN_BYTES: Final = 32
_STRANGER: Final = (
    "You are signed in, but stand in no agreement that is in force. Ask whoever keeps the "
    "agreement."
)


class NotLetIn(PermissionError):
    """Whoever asks may not see the board; the text says why and what would help, and nothing about
    it."""


class NotSignedIn(NotLetIn):
    """Nobody has signed in yet; the page says where to."""


def role_of(agreement: CompiledAgreement | None, person: str) -> Role | None:
    """What a person is by the agreement; None: nobody that it knows, or somebody who left."""
    known = agreement.people.get(person) if agreement else None
    if agreement is None or known is None or not known.active:
        return None
    managers = {person_model.manager for person_model in agreement.people.values()} | {
        pool.manager for pool in agreement.pools.values()
    }
    if person in managers:
        return Role.MANAGER
    kinds = {
        pool.kind
        for pool in agreement.pools.values()
        if any(member.person == person for member in pool.members)
    }
    return Role.SALES if "sales" in kinds else Role.SDR if "sdr" in kinds else Role.MARKETING


def new_link(folder: Path, person: str | None) -> str:
    """The token of a new one-time link. Who can write to the folder could read the board's files
    anyway."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    links = folder / _LINKS
    links.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = links / _digest(token)
    path.touch(mode=0o600)
    path.write_text(person or "")
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Session:
    person: str | None
    until_s: float


class Access:
    """Says who looks. Not shared between processes: whoever came by a link asks for a new one after
    a restart."""

    def __init__(
        self, settings: BoardSettings, folder: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._folder, self._clock = settings, folder, clock
        self._sessions: dict[str, _Session] = {}
        self._secret = secrets.token_bytes(_TOKEN_BYTES)
        self._people = _people_in(settings.people)

    def enter(self, token: str) -> str:
        """Use up a link; gives the session. Raises NotLetIn."""
        path = self._folder / _LINKS / _digest(token)
        try:
            age_s = self._clock() - path.stat().st_mtime
            person = path.read_text() or None
            path.unlink()  # of two that come at once, one finds it gone
        except FileNotFoundError:
            raise NotLetIn(
                "This link was used already, or never made. Ask for a new one: baton board link"
            ) from None
        if age_s > _LINK_VALID_S:
            raise NotLetIn(
                "This link is more than an hour old. Ask for a new one: baton board link"
            )
        return self._new_session(person)

    def signed_in(self, name: str, agreement: CompiledAgreement | None) -> str:
        """The session of who signed in at the provider under a name; raises NotLetIn for somebody
        who stands in no agreement."""
        person = self._people.get(name.lower(), name) if self._people else name
        if role_of(agreement, person) is None:
            raise NotLetIn(_STRANGER)
        return self._new_session(person)

    def _new_session(self, person: str | None) -> str:
        now = self._clock()
        self._sessions = {name: item for name, item in self._sessions.items() if item.until_s > now}
        if len(self._sessions) >= _MOST_SESSIONS:
            raise NotLetIn("Too many sessions are open. Try again later.")
        session = secrets.token_urlsafe(_TOKEN_BYTES)
        self._sessions[session] = _Session(person, now + _SESSION_VALID_S)
        return session

    def leave(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def viewer(
        self,
        *,
        client: str,
        headers: Mapping[str, str],
        cookie: str | None,
        agreement: CompiledAgreement | None,
    ) -> Viewer:
        """Who asks; raises NotLetIn."""
        if self._settings.proxy_header:
            return self._by_header(client, headers, agreement)
        return self._by_session(cookie, agreement)

    def _by_session(self, cookie: str | None, agreement: CompiledAgreement | None) -> Viewer:
        session = self._sessions.get(cookie or "")
        if session is None or session.until_s <= self._clock():
            if self._settings.oidc_issuer:
                raise NotSignedIn("Sign in to open the board.")
            raise NotLetIn("Open the board by a one-time link. To get one: baton board link")
        role = role_of(agreement, session.person) if session.person else Role.MANAGER
        if role is None:
            raise NotLetIn(
                "The person of this link stands in no agreement that is in force. Ask for a new "
                "link: baton board link"
            )
        return Viewer(role=role, person=session.person, session=cookie or "")

    def _by_header(
        self, client: str, headers: Mapping[str, str], agreement: CompiledAgreement | None
    ) -> Viewer:
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            raise NotLetIn("The board is reached through its proxy only.") from None
        if not any(
            address.version == net.version and address in net for net in self._settings.networks
        ):
            raise NotLetIn("The board is reached through its proxy only.")
        name = headers.get(self._settings.proxy_header or "", "").strip()
        person = self._people.get(name.lower(), name) if self._people else name
        role = role_of(agreement, person) if name else None
        if role is None:
            raise NotLetIn(_STRANGER)
        return Viewer(role=role, person=person, session=f"proxy {person}")

    def form_token(self, viewer: Viewer) -> str:
        """What a form must send back, so that no other site can send it."""
        return hmac.new(self._secret, f"form {viewer.session}".encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, viewer: Viewer, token: str) -> bool:
        """Whether a form was made for this viewer."""
        return hmac.compare_digest(self.form_token(viewer), token)


def _people_in(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    pairs = (
        line.partition(":")
        for line in path.read_text().splitlines()
        if line.strip() and not line.startswith("#")
    )
    return {name.strip().lower(): person.strip() for name, _, person in pairs}

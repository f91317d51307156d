"""Write keys: who may send what. Held as SHA-256 only, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from baton.contracts.intake import EventKind
from services.ingest.gateway.problem_details import Refused
from services.ingest.settings import GatewaySettings

_ENTRY = re.compile(r"([a-z0-9][a-z0-9_-]{0,39}):([a-z+]+):(\S+)\Z")
_HASHED = re.compile(r"sha256:([0-9a-f]{64})\Z")
_MIN_KEY_CHARACTERS = 16
_MAX_KEY_BYTES = 512


class Scope(StrEnum):
    """What a key may send."""

    ENGAGEMENT = "engagement"
    ACTS = "acts"
    COMMANDS = "commands"


SCOPE_OF_KIND = {
    EventKind.ENGAGEMENT: Scope.ENGAGEMENT,
    EventKind.PROFILE: Scope.ENGAGEMENT,
    EventKind.CONSENT: Scope.ENGAGEMENT,
    EventKind.LINK: Scope.ENGAGEMENT,
    # A key with engagement alone stands in the pages of a website, for all to read: it takes
    # nothing back and erases nobody.
    EventKind.RETRACTION: Scope.ACTS,
    EventKind.ACT: Scope.ACTS,
    EventKind.COMMAND: Scope.COMMANDS,
    EventKind.ERASURE: Scope.COMMANDS,
}


class KeysRefused(ValueError):
    """The setting cannot be read; the text names the place and no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteKey:
    """A sender: its name is the source of its events. ``is_anybody``: no key was shown, and none is
    needed."""

    name: str
    scopes: frozenset[Scope]
    digest: bytes = b""
    is_anybody: bool = False

    def may(self, kind: EventKind) -> bool:
        """Whether it may send events of this kind."""
        return SCOPE_OF_KIND[kind] in self.scopes


class KeyRing:
    """All keys. ``insecure``: who shows none is let in, as ``local``."""

    def __init__(self, keys: Iterable[WriteKey], *, insecure: bool = False) -> None:
        self._keys = tuple(keys)
        self._nobody = (
            WriteKey(name="local", scopes=frozenset(Scope), is_anybody=True) if insecure else None
        )

    def __len__(self) -> int:
        return len(self._keys)

    def holder(self, presented: str | None) -> WriteKey | None:
        """Whose key it is; None for nobody's. Takes the same time whichever it is."""
        if not presented:
            return self._nobody
        digest = sha256(presented.encode("utf-8", "replace")[:_MAX_KEY_BYTES]).digest()
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found or self._nobody


def key_ring(settings: GatewaySettings) -> KeyRing:
    """The keys of the settings; raises :class:`KeysRefused`."""
    keys: list[WriteKey] = []
    if settings.write_keys is not None:
        entries = enumerate(settings.write_keys.get_secret_value().split(","), start=1)
        keys += [
            _key(entry.strip(), f"BATON_WRITE_KEYS, entry {number}")
            for number, entry in entries
            if entry.strip()
        ]
    if settings.write_keys_file is not None:
        try:
            lines = settings.write_keys_file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KeysRefused(
                f"BATON_WRITE_KEYS_FILE cannot be read: {type(error).__name__}"
            ) from None
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.startswith("#"):
                keys.append(_key(line.strip(), f"BATON_WRITE_KEYS_FILE, line {number}"))
    for name in {key.name for key in keys}:
        if sum(key.name == name for key in keys) > 1:
            raise KeysRefused(f"the name {name} is given to more than one write key")
    return KeyRing(keys, insecure=settings.insecure)


def presented_key(authorization: str | None) -> str | None:
    """The key in an ``Authorization`` header: the user of ``Basic``, or a ``Bearer`` token; None
    where there is neither."""
    kind, _, content = (authorization or "").strip().partition(" ")
    if kind.lower() == "bearer":
        return content.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(content.strip(), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def holder_of_header(headers: Mapping[str, str], keys: KeyRing) -> WriteKey | None:
    """Whose key the ``authorization`` header shows; None where there is none. Raises ``Refused``
    for nobody's key."""
    presented = presented_key(headers.get("authorization"))
    return None if presented is None else holder_or_refuse(presented, keys)


def holder_or_refuse(presented: str | None, keys: KeyRing) -> WriteKey:
    """Whose key it is; raises ``Refused`` where it is nobody's, or none where one is needed."""
    key = keys.holder(presented)
    if key is None:
        unknown = "The write key is not known."
        detail = unknown if presented else "Send a write key as the user of Basic authorization."
        raise Refused(
            401, "unauthorized", detail, headers={"WWW-Authenticate": 'Basic realm="baton"'}
        )
    return key


def _key(entry: str, place: str) -> WriteKey:
    found = _ENTRY.match(entry)
    if not found:
        raise KeysRefused(f"{place}: expected name:scopes:key, as in website:engagement:<key>")
    name, scopes, secret = found.groups()
    unknown = set(scopes.split("+")) - set(Scope)
    if unknown:
        raise KeysRefused(f"{place}: scopes are engagement, acts, commands, joined by +")
    hashed = _HASHED.match(secret)
    if not hashed and len(secret) < _MIN_KEY_CHARACTERS:
        raise KeysRefused(f"{place}: a key needs {_MIN_KEY_CHARACTERS} characters or more")
    digest = bytes.fromhex(hashed[1]) if hashed else sha256(secret.encode()).digest()
    return WriteKey(name=name, scopes=frozenset(map(Scope, scopes.split("+"))), digest=digest)

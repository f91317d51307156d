"""The token between a peek and its claim: encrypted and signed, so that it shows nobody's name, of
one length, good for a quarter of an hour, for one buyer and one form."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass

from cryptography.fernet import Fernet, InvalidToken

VALID_S = 900
_LENGTH = 384


class NotValid(ValueError):
    """The token is none of ours, too old, or for another form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a peek found: ``person`` None: nobody now; ``binding``: who else may take the buyer
    (:class:`~services.delivery.concierge.choosing.Binding`)."""

    buyer: str
    form: str
    pool: str
    person: str | None
    binding: str = "pool"


class TokenMaker:
    """``secret``: of the concierge, from the environment."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.sha256(b"baton concierge\x1f" + secret.encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(digest))

    def make(self, promise: Promise, now_s: float) -> str:
        """A token; all are of one length."""
        text = json.dumps(asdict(promise)).encode()
        return self._box.encrypt_at_time(text.ljust(_LENGTH), int(now_s)).decode()

    def read(self, token: str, now_s: float) -> Promise:
        """Raises :class:`NotValid`."""
        try:
            text = self._box.decrypt_at_time(token.encode(), ttl=VALID_S, current_time=int(now_s))
            return Promise(**json.loads(text))
        except (InvalidToken, TypeError, ValueError):
            raise NotValid("the token is not valid, or not any more") from None

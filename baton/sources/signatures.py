"""Whether a request is from who it says: signatures over its raw bytes, shared tokens, Basic
authorization. Pure.

A signature is computed over what came, never over JSON that was written anew. Comparisons take the
same time whatever differs. The moment that is signed bounds how long a request can be sent again by
whoever has seen it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import Any

from baton.sources.source_model import BasicRule, HmacRule, TokenRule

_PART = re.compile(r"\{(method|url|path|body|timestamp|secret)\}")
_AHEAD_MS = 5_000
_MAX_SHOWN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a signature can be over. Names of headers are in lower case; ``url`` is the one the
    sender called."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at_ms: int


class NotAuthentic(Exception):
    """The request is not from the source; the text says what is missing or wrong, and no value."""


def check_hmac(rule: HmacRule, request: SignedRequest, secret: str) -> None:
    """Raise :class:`NotAuthentic` unless the signature is right and of now."""
    shown = request.headers.get(rule.header.lower())
    if shown is None:
        raise NotAuthentic(f"the header {rule.header} is missing")
    signature, timestamp = _parts_of(rule, request, shown)
    if rule.timestamp is not None:
        _check_moment(timestamp, rule, request.received_at_ms)
    expected = _computed(rule, request, secret, timestamp or "")
    if not hmac.compare_digest(_decoded(signature, rule.encoding), expected):
        raise NotAuthentic("the signature is not that of this request")


def check_signatures(
    rules: Sequence[HmacRule], request: SignedRequest, secrets: Mapping[str, str]
) -> None:
    """Raise :class:`NotAuthentic` unless one of the rules that the request is for holds: those
    whose header is there and has their pattern, and whose condition holds. ``secrets``: by the name
    of their variable.

    The sender chooses among signatures, so a list is as weak as its weakest.
    """
    *others, last = [rule for rule in rules if _is_for(rule, request)] or rules[:1]
    for rule in others:
        with contextlib.suppress(NotAuthentic):
            check_hmac(rule, request, secrets[rule.secret_env])
            return
    check_hmac(last, request, secrets[last.secret_env])


def _is_for(rule: HmacRule, request: SignedRequest) -> bool:
    shown, condition = request.headers.get(rule.header.lower()), rule.only_if
    if shown is None:
        return False
    if rule.pattern is not None and not re.search(rule.pattern, shown[:_MAX_SHOWN]):
        return False
    if condition is None:
        return True
    return request.headers.get(condition.header.lower()) == condition.value


def check_token(
    rule: TokenRule, request: SignedRequest, secret: str, fields: Mapping[str, Any] | None = None
) -> None:
    """Raise :class:`NotAuthentic` unless the shared token is shown. ``fields``: the members of the
    body, for a token that stands there."""
    shown: object
    if rule.header:
        shown = request.headers.get(rule.header.lower())
    elif rule.query:
        shown = request.query.get(rule.query)
    else:
        shown = (fields or {}).get(rule.field or "")
    if not isinstance(shown, str):
        raise NotAuthentic(f"the token ({rule.header or rule.query or rule.field}) is missing")
    if not hmac.compare_digest(shown.encode(), (rule.prefix + secret).encode()):
        raise NotAuthentic("the token is not the one agreed")


def check_basic(rule: BasicRule, request: SignedRequest, secret: str) -> None:
    """Raise :class:`NotAuthentic` unless name and password are shown."""
    kind, _, content = request.headers.get("authorization", "").partition(" ")
    expected = base64.b64encode(f"{rule.user}:{secret}".encode())
    if kind.lower() != "basic" or not hmac.compare_digest(content.strip().encode(), expected):
        raise NotAuthentic("name and password are missing or wrong")


def _parts_of(rule: HmacRule, request: SignedRequest, shown: str) -> tuple[str, str | None]:
    signature, timestamp = shown, None
    if rule.pattern is not None:
        found = re.search(rule.pattern, shown[:_MAX_SHOWN])
        if found is None:
            raise NotAuthentic(f"the header {rule.header} does not match `pattern` of the source")
        signature, timestamp = found["signature"], found.groupdict().get("timestamp")
    if rule.timestamp is not None and rule.timestamp.header is not None:
        timestamp = request.headers.get(rule.timestamp.header.lower())
    return signature, timestamp


def _check_moment(timestamp: str | None, rule: HmacRule, now_ms: int) -> None:
    assert rule.timestamp is not None
    if timestamp is None or not re.fullmatch(r"[0-9]{1,16}", timestamp):
        raise NotAuthentic("the signed moment is missing or no number")
    moment_ms = int(timestamp) * (1_000 if rule.timestamp.unit == "seconds" else 1)
    if moment_ms > now_ms + _AHEAD_MS:
        raise NotAuthentic("the signed moment is in the future; is a clock wrong?")
    if moment_ms < now_ms - rule.timestamp.tolerance_s * 1_000:
        raise NotAuthentic(f"it was signed more than {rule.timestamp.tolerance_s} s ago")


def _computed(rule: HmacRule, request: SignedRequest, secret: str, timestamp: str) -> bytes:
    parts = {
        "method": request.method.encode(),
        "url": request.url.encode(),
        "path": request.path.encode(),
        "body": request.body,
        "timestamp": timestamp.encode(),
        "secret": secret.encode(),
    }
    message = b"".join(
        parts[piece] if number % 2 else piece.encode()
        for number, piece in enumerate(_PART.split(rule.over))
    )
    if rule.keyed:
        return hmac.digest(secret.encode(), message, rule.algorithm)
    return new_hash(rule.algorithm, message).digest()


def _decoded(signature: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(signature)
        return base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return b""

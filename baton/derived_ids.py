"""Ids that follow from their cause.

An id here is 32 lower-case hexadecimal digits (128 bits of BLAKE2b). The same cause gives the same
id, in every host and after every crash, so a consequence that is computed twice is recognised as
one. No id is ever drawn at random.
"""

from hashlib import blake2b

_SEPARATOR = "\x1f"
_NOTHING = blake2b(digest_size=16)
"""Copied for each id: making one anew takes half as long again."""


def derived_id(*parts: str | int) -> str:
    """The id of whatever ``parts`` name: for a fact (cause id, kind, ordinal), for an identity
    (scheme, value).

    Parts are joined with the unit separator, so ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    return _digest(_SEPARATOR.join(map(str, parts)))


def nth_id(cause: str, kind: str, ordinal: int) -> str:
    """``derived_id(cause, kind, ordinal)``: the id of a fact."""
    return _digest(f"{cause}{_SEPARATOR}{kind}{_SEPARATOR}{ordinal}")


def _digest(text: str) -> str:
    hashed = _NOTHING.copy()
    hashed.update(text.encode())
    return hashed.hexdigest()

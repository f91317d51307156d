"""How late news of people's acts may come, by the kind of tool that reports them, where the
agreement does not say.

A tool is known by a word of its source's name (``salesforce``, ``eu-salesforce``, ``crm``). One
that is not known reports at once: its acts count from their receipt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baton.agreement.quantities import MINUTE_MS

_WORD: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """A kind of tool. ``grace_ms``: how long after a deadline it is still believed about an act
    from before it."""

    name: str
    grace_ms: int
    words: frozenset[str]


def _kind(name: str, minutes: int, words: str) -> SourceKind:
    return SourceKind(name=name, grace_ms=minutes * MINUTE_MS, words=frozenset(words.split()))


_KINDS: Final = (
    _kind(
        "crm",
        30,
        "crm salesforce sfdc hubspot dynamics dynamics365 pipedrive zoho sugarcrm freshsales close "
        "copper",
    ),
    _kind(
        "telephony",
        30,
        "telephony phone pbx cti voip aircall ringcentral talkdesk dialpad genesys twilio",
    ),
    _kind("mailbox", 30, "mailbox gmail outlook exchange imap outreach salesloft"),
    _kind("calendar", 30, "calendar calendly"),
)
_BY_WORD: Final[Mapping[str, SourceKind]] = {word: kind for kind in _KINDS for word in kind.words}


def source_kind(source: str) -> SourceKind | None:
    """The kind of tool that a source's name speaks of; None: not known."""
    words = _WORD.findall(source.lower())
    return next((_BY_WORD[word] for word in words if word in _BY_WORD), None)


def default_grace_ms(source: str) -> int:
    """How late the source may report; 0: it reports at once."""
    kind = source_kind(source)
    return kind.grace_ms if kind else 0

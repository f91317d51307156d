"""The words of identity: kinds of identifier, what a person decides about who is who, and what
identity keys send each other.

The kinds of identifier are a table, one row each, and its order is their strength. A new kind is a
member of :class:`IdentifierScheme` and a row of :data:`IDENTIFIER_KINDS`: ``identify`` and whoever
reads what people write take what they do with it from there. How its values are written in one form
is known to :mod:`baton.intake.identifiers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class IdentifierScheme(StrEnum):
    """The kinds of identifier. ``lead`` is our own id of a lead, and so the one that begins no
    other."""

    LEAD = "lead"
    CRM = "crm"
    EMAIL = "email"
    USER = "user"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierKind:
    """One row.

    ``one_per_person``: nobody has two of them, so that people with different ones are different
    people. ``names_its_system``: a value says first whose id it is (``hubspot:4711``); a person
    then has one in every system. ``asked_for_lead``: a person may be known by it before a stronger
    identifier of theirs turns up, so it is asked before a lead begins at that. ``device``: it is a
    browser's or an app's; a lead that has nothing else is a visitor whom nobody knows yet.
    """

    scheme: str
    one_per_person: bool = False
    names_its_system: bool = False
    asked_for_lead: bool = False
    device: bool = False


_ROWS: Final = (
    IdentifierKind(scheme=IdentifierScheme.LEAD.value, one_per_person=True),
    IdentifierKind(
        scheme=IdentifierScheme.CRM.value,
        one_per_person=True,
        names_its_system=True,
        asked_for_lead=True,
    ),
    IdentifierKind(scheme=IdentifierScheme.EMAIL.value, one_per_person=True, asked_for_lead=True),
    IdentifierKind(scheme=IdentifierScheme.USER.value, asked_for_lead=True),
    IdentifierKind(scheme=IdentifierScheme.ANONYMOUS.value, device=True),
)

IDENTIFIER_KINDS: Final[Mapping[str, IdentifierKind]] = {row.scheme: row for row in _ROWS}
"""Every kind by its scheme, strongest first: this order is the fixed precedence of identity."""

SCHEME_PREFIXES: Final = frozenset(IDENTIFIER_KINDS) - {IdentifierScheme.LEAD.value}
"""Schemes that a person writes as ``scheme:value``; a lead is given by its bare id."""


def identifier_kind(scheme: str) -> IdentifierKind:
    """The row of a scheme; of one that only a later version knows, a row that says nothing."""
    return IDENTIFIER_KINDS.get(scheme) or IdentifierKind(scheme=scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One identifier, normalised: an e-mail address in lower case, a Salesforce id with 18
    characters."""

    scheme: str
    value: str


class IdentityCommand(StrEnum):
    """What a person decides about who is who; ``identify`` carries it out.

    ``merge``: the identifiers are one person, whatever differs. ``unmerge``: the others are not the
    person of the strongest one, and stay apart until a further ``merge``."""

    MERGE = "merge"
    UNMERGE = "unmerge"


class AliasKind(StrEnum):
    """What identity keys send each other, and what they report.

    ``link``: the group of ``from_identity`` and the receiver are the same person. ``attach``: the
    same, reported by a member to its root: ``subject`` belongs to it. ``joined``:
    ``from_identity`` has become a member of the receiver. ``moved``: the receiver's root is now
    ``from_identity``. ``named``: the receiver is the id of the lead whose root is
    ``from_identity``. ``split``: a person says that the receiver is not the lead of the message;
    ``left``: ``from_identity`` has left the group; ``resettled``: after that the receiver's root
    is ``from_identity`` (the receiver itself: it takes over from ``subject``, with the members in
    ``granted``). ``erase``: forget the person behind the receiver; ``erased``: the root has done
    so; ``revived``: what the receiver named as its own is a forgotten person's, and no act of
    theirs. Reports, which change nothing: ``resolved`` (the receiver's key belongs to ``lead_id``
    from now on), ``conflict`` (two known people were said to be one; nothing was merged),
    ``duplicate`` (the event ``cause_id`` was taken before), ``dropped`` (it came too late: its
    person is erased; or it was only for somebody who is known, and nobody was).
    """

    LINK = "link"
    ATTACH = "attach"
    JOINED = "joined"
    MOVED = "moved"
    NAMED = "named"
    SPLIT = "split"
    LEFT = "left"
    RESETTLED = "resettled"
    ERASE = "erase"
    ERASED = "erased"
    REVIVED = "revived"
    RESOLVED = "resolved"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"

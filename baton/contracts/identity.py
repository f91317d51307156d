"""The words of identity: kinds of identifier, what a person decides about who is who, and what
identity keys send each other."""

from dataclasses import dataclass
from enum import StrEnum


class IdentifierScheme(StrEnum):
    """Kinds of identifier, strongest first: this order is the fixed precedence of identity."""

    LEAD = "lead"
    CRM = "crm"
    EMAIL = "email"
    USER = "user"
    ANONYMOUS = "anonymous"


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

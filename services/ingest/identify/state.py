"""What one identity key remembers, and how two groups of identities compare. Pure values.

An identity is one identifier (by digest). Identities that are one person form a group: a tree whose
root carries the lead. A root may join another root that outranks it, never the other way round, so
no order of events can make a cycle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from baton.contracts.identity import Identifier, IdentifierScheme, identifier_kind
from baton.engine.reducer import EntryKind
from baton.evolve import quick
from baton.intake.identifiers import SALESFORCE

Slots = Mapping[str, tuple[str, ...]]
"""The identifiers of a group that distinguish people, by slot: two groups that fill a slot
differently are two people."""

Rank = tuple[bool, int, str]
MAX_PER_SLOT = 8
_APART = "apart:"
LEAVES, STAYS = "leaves", "stays"
_LEAD_SLOT = IdentifierScheme.LEAD.value
_SALESFORCE_PREFIX = 3
DEAL_SYSTEM = "-deal"
"""How the name of a system ends whose ids are deals. A deal leads to the lead that has it; its
buyers may be several, so it makes nobody the same person as somebody else."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The head of an identity key.

    ``lead_id`` None: no lead yet, or forgotten. ``root`` is the key of the group's root as far as
    this one knows. ``slots``: at the root those of the whole group, at a member those that it
    brought when it joined; ``parent``: whom it joined. ``own_lead_id`` is the lead that began here,
    ``births`` how many did (a new one after an erasure). ``asks``: identities that are being asked
    whether they know the lead; records that come meanwhile go the same way. ``erased_at_ms``: what
    occurred up to then is forgotten and stays so. ``acted``: it has taken an act of the person's
    own (an engagement, a yes), and not only rows of systems.
    """

    root: str
    lead_id: str | None = None
    known: bool = False
    since_ms: int = 0
    own_lead_id: str | None = None
    births: int = 0
    slots: Slots = field(default_factory=dict)
    parent: str | None = None
    asks: tuple[str, ...] = ()
    erased_at_ms: int | None = None
    acted: bool = False

    @property
    def rank(self) -> Rank:
        """The rank of the group: see :func:`rank`."""
        return rank(self.known, self.since_ms, self.root)

    def forgets(self, occurred_at_ms: int) -> bool:
        """Whether something that occurred then belongs to what was erased."""
        return self.erased_at_ms is not None and occurred_at_ms <= self.erased_at_ms


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityMark:
    """An entry that matters by being there: since ``at_ms`` (log time)."""

    at_ms: int


SEEN = EntryKind("seen", IdentityMark)
"""Events that were taken here, by event id."""
LINKED = EntryKind("linked", IdentityMark)
"""Identities that were already said to be the same person."""
MEMBER = EntryKind("member", IdentityMark)
"""Identities that joined here and are notified when the group moves."""
CONFLICT = EntryKind("conflict", IdentityMark)
"""Groups that were said to be the same person but cannot be."""

ENTRY_KINDS = (SEEN, LINKED, MEMBER, CONFLICT)


def rank(known: bool, since_ms: int, root: str) -> Rank:
    """Which of two groups survives: the known one, then the older one, then any, but always the
    same."""
    return known, -since_ms, root


def slot_of(identifier: Identifier) -> str | None:
    """The slot an identifier fills: its scheme, with the system that it names (for Salesforce with
    the kind of object, since a contact made from a lead is the same person); None for identifiers
    that people share or have many of, as deals (``hubspot-deal:77``)."""
    kind = identifier_kind(identifier.scheme)
    if not kind.one_per_person:
        return None
    if not kind.names_its_system:
        return identifier.scheme
    system, _, value = identifier.value.partition(":")
    if system.endswith(DEAL_SYSTEM):
        return None
    slot = f"{identifier.scheme}:{system}"
    return f"{slot}:{value[:_SALESFORCE_PREFIX]}" if system == SALESFORCE else slot


def apart_slot(cause_id: str) -> str:
    """The slot that the two sides of a separation fill differently, and every group that they join
    later."""
    return _APART + cause_id


def has_left(slots: Slots) -> bool:
    """Whether a person has separated this identity from its group."""
    return any(slot.startswith(_APART) and LEAVES in keys for slot, keys in slots.items())


def is_separated(slots: Slots) -> bool:
    """Whether a person has ever separated somebody from this group, or this group from another."""
    return any(slot.startswith(_APART) for slot in slots)


def separated(ours: Slots, theirs: Slots) -> bool:
    """Whether a person has said that somebody here and somebody there are two people."""
    return any(
        slot in theirs and not set(values) & set(theirs[slot])
        for slot, values in ours.items()
        if slot.startswith(_APART)
    )


def without(slots: Slots, keys: Collection[str]) -> Slots:
    """The slots without some identities; a slot that nothing is left of goes."""
    left = {
        slot: tuple(value for value in values if value not in keys)
        for slot, values in slots.items()
    }
    return {slot: values for slot, values in left.items() if values}


def clash(ours: Slots, theirs: Slots) -> bool:
    """Whether two groups are certainly different people: some slot is filled in both, and by
    nothing in common.

    A lead id that the outside names is no evidence about another group: it never merges two known
    leads.
    """
    if separated(ours, theirs):
        return True
    if _LEAD_SLOT in ours or _LEAD_SLOT in theirs:
        return not set(ours.get(_LEAD_SLOT, ())) & set(theirs.get(_LEAD_SLOT, ()))
    return any(
        slot in theirs and not set(values) & set(theirs[slot]) for slot, values in ours.items()
    )


def together(ours: Slots, theirs: Slots) -> Slots:
    """Both groups' slots, each bounded."""
    return {
        slot: tuple(sorted({*ours.get(slot, ()), *theirs.get(slot, ())})[:MAX_PER_SLOT])
        for slot in sorted({*ours, *theirs})
    }


def covers(wide: Slots, narrow: Slots) -> bool:
    """Whether all of ``narrow`` is in ``wide``."""
    return all(set(values) <= set(wide.get(slot, ())) for slot, values in narrow.items())

"""What comes in: the private records of intake, and the accepted events, acts and commands.

Times are ``..._ms``: milliseconds since the epoch, UTC. ``occurred_at_ms`` is event time as the
source says it, clamped to the time of receipt where it lay in the future (``clamped``);
``received_at_ms`` is when it first reached Baton's log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from baton.contracts.acts import Act as Act
from baton.contracts.acts import ActKind as ActKind
from baton.contracts.avro_binary import written_once
from baton.contracts.identity import AliasKind as AliasKind
from baton.contracts.identity import Identifier as Identifier
from baton.contracts.identity import IdentifierScheme as IdentifierScheme
from baton.contracts.identity import IdentityCommand as IdentityCommand
from baton.evolve import quick


class EventKind(StrEnum):
    """What an intake record or an accepted event says."""

    ENGAGEMENT = "engagement"
    PROFILE = "profile"
    CONSENT = "consent"
    LINK = "link"
    RETRACTION = "retraction"
    ERASURE = "erasure"
    ACT = "act"
    COMMAND = "command"


class CommandKind(StrEnum):
    """What a person asks Baton to do with a hand-off."""

    CLAIM = "claim"
    PASS_ON = "pass_on"
    ASSIGN = "assign"


MOVED_BY: Final[Mapping[str, str]] = {
    CommandKind.CLAIM: "claimed",
    CommandKind.PASS_ON: "passed_on",
    CommandKind.ASSIGN: "assigned",
}
"""The reason on the record of a hand-off that ended by such a command, and of the one that
followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """One dated act of a lead. ``act`` is a word of the agreement's taxonomy; ``content_stage`` is
    awareness, consideration or decision; ``link_group`` names the message whose links were clicked
    (scanners click them all)."""

    act: str
    content_id: str | None = None
    content_title: str | None = None
    content_stage: str | None = None
    topics: tuple[str, ...] = ()
    campaign: str | None = None
    link_group: str | None = None
    automatic: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One explicit act of consent or refusal. ``purpose`` (marketing, sales ...), ``channel``
    (email, phone, any)."""

    purpose: str
    channel: str
    granted: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Direct identifiers and free text of a person: travels on ``leads.persons.v1`` and on topics
    of short retention only."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    stated_problem: str | None = None
    current_supplier: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a person wants done with a hand-off."""

    kind: str
    by: str
    handoff_id: str | None = None
    to_person: str | None = None
    to_pool: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRecord:
    """``intake.keyed.v1``: one event of the outside, validated and normalised, keyed by its
    strongest identifier's digest.

    ``event_id`` is derived from the source and the source's own event id. Exactly one of the
    optional parts matches ``kind``; ``person`` and ``profile`` may ride on any kind but retraction,
    erasure and command (a form reports both). ``derived``: names of profile fields that nobody
    reported but intake concluded (a company's domain from an address): what a source says outranks
    them, however old it is. ``unread``: what came and could not be taken for certain, as paths
    (``identifiers.user`` for a placeholder, ``profile.employees``), without the values.
    ``update_only``: it is about somebody who is known, or about nobody: it begins no lead.
    ``to_ask``: identity keys that may know its lead; ``asked``: those that it has come by.
    ``body``: the request that it came in, where ``body_events`` of that request's events (more than
    one) name the same person.
    """

    event_id: str
    source: str
    kind: str
    occurred_at_ms: int
    identifiers: tuple[Identifier, ...]
    engagement: Engagement | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    person: Person | None = None
    consent: Consent | None = None
    act: Act | None = None
    command: Command | None = None
    retracts: str | None = None
    backfill: bool = False
    clamped: bool = False
    asked: tuple[str, ...] = ()
    to_ask: tuple[str, ...] = ()
    body: str | None = None
    body_events: int = 0
    derived: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    update_only: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityAlias:
    """``intake.aliases.v1``: what one identity key sends another, or reports. Keyed by
    ``identity``, a digest.

    ``lead_id``, ``known`` and ``since_ms`` are those of the group whose root is ``from_identity``:
    which lead it is, whether it has an identifier stronger than an anonymous one, when it began.
    ``slots`` are the identifiers that distinguish people (e-mail address, id in a CRM), as digests;
    ``granted`` those of the receiver that the group has already taken in. ``forced``: a person has
    decided it, so nothing that differs is a conflict. ``own_act``: it comes of an act of the
    person's own, which may bring back who was forgotten.
    """

    identity: str
    lead_id: str
    kind: str
    known: bool
    cause_id: str
    from_identity: str
    occurred_at_ms: int
    since_ms: int = 0
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    granted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subject: str | None = None
    subject_slot: str | None = None
    forced: bool = False
    own_act: bool = False


@written_once
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEvent:
    """``leads.accepted.v1``: an accepted event of a lead that is no act of the firm; no personal
    data.

    ``profile`` is what the event reports of the profile, whatever its kind: a form is an engagement
    that reports one. ``derived``: names of its fields that nobody reported but intake concluded;
    what a source says outranks them.
    """

    event_id: str
    lead_id: str
    source: str
    kind: str
    occurred_at_ms: int
    received_at_ms: int
    clamped: bool = False
    backfill: bool = False
    engagement: Engagement | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    consent: Consent | None = None
    retracts: str | None = None
    derived: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAct:
    """``leads.acts.v1``: what people of the firm did with a lead; no personal data of the lead."""

    event_id: str
    lead_id: str
    source: str
    occurred_at_ms: int
    received_at_ms: int
    act: Act
    clamped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCommand:
    """``leads.commands.v1``: a person's wish about a hand-off."""

    event_id: str
    lead_id: str
    source: str
    occurred_at_ms: int
    received_at_ms: int
    command: Command


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPerson:
    """``leads.persons.v1`` (compacted): the direct identifiers and free text of a lead; each record
    is the whole person.

    A field that is None is not known. ``erased``: there is no person under this lead any more, and
    what was known is to be forgotten; ``survivor`` is the lead that the person is under from now
    on, where the lead was merged.
    """

    lead_id: str
    event_id: str
    occurred_at_ms: int
    person: Person
    erased: bool = False
    survivor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMerge:
    """``leads.merges.v1``: ``loser`` ends in ``survivor``. Published under both keys; ``merge_id``
    is the same in both."""

    merge_id: str
    loser: str
    survivor: str
    cause_id: str
    occurred_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSeparation:
    """A person has separated an identity from ``lead_id``; it is ``leaver`` from now on, and so are
    the events that came under it, ``event_ids`` as far as they are remembered. Both leads read it;
    ``begins`` in the leaver's own."""

    separation_id: str
    lead_id: str
    leaver: str
    occurred_at_ms: int
    event_ids: tuple[str, ...] = ()
    begins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadInput:
    """``intake.leads.v1``: what ``identify`` says of one lead, in order; all that one event reports
    is one record.

    Exactly one of ``event``, ``act``, ``command``, ``merge``, ``separation`` and ``answers`` is
    set, or ``merge`` and ``answers`` together. ``person`` is what the event reports of the person.
    ``joins``: how many other identities the event says are the same person and were asked just now;
    each of them
    answers with a record of its own, under the lead it was asked by, that names the event in
    ``answers`` (a merge that comes of it is in the same record). ``body``, ``body_events``: see
    :class:`IntakeRecord`.
    """

    lead_id: str
    cause_id: str
    event: LeadEvent | None = None
    act: LeadAct | None = None
    command: LeadCommand | None = None
    person: Person | None = None
    occurred_at_ms: int = 0
    merge: LeadMerge | None = None
    answers: str | None = None
    joins: int = 0
    body: str | None = None
    body_events: int = 0
    separation: LeadSeparation | None = None

"""What the lead reducer remembers of one lead.

The head is what every act needs: the ledger with what is derived from it, the content it was about,
and where the lead stands. Everything else lies in entries of its own that are read when they are
asked for: the person (apart, so that it can be erased as a whole), the profile, consents, dates,
former cycles, the state of the present cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.contracts.handoff import ProjectedHandoff
from baton.contracts.intake import Person
from baton.contracts.leads import EarlierCycle, Level, Stage, StageEvent
from baton.engine.reducer import EntryKind
from baton.ids import derived_id

UNTIL_DECIDED: Final = 1 << 60

MERGED: Final = StageEvent.MERGED.value
ERASED: Final = StageEvent.ERASED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """Something that is to come within the moment, see :mod:`.settling`: ``left`` records of it,
    until ``until_ms``."""

    mark: str
    left: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The lead is ready since the event ``cause_id``, but its hand-off lacks something; it goes on
    at ``until_ms`` as it is then."""

    cause_id: str
    occurred_at_ms: int
    received_at_ms: int
    until_ms: int
    raised_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHead:
    """The head. What is derived (``marks``, fit, level) is so under the agreement that the engine
    knows the key by.

    ``ended``: empty, ``merged`` (into ``survivor``) or ``erased``; then the rest is empty and the
    head is a tombstone. ``since_ms``: only activity since then counts, it is when the cycle began.
    ``level_since_ms``, ``level_cause``: when, and by which event, a level above cold was reached.
    ``shown``: the engagement that was published last, in steps (see :mod:`.level`). ``ledger``,
    ``retracted``: see :mod:`services.scorer.score.ledger`; ``marks``:
    :mod:`services.scorer.score.entry_status`; ``totals``:
    :mod:`services.scorer.score.group_totals`. ``waits``: pool in whose backlog the lead waits,
    since an agreement with a lower threshold came into force. ``published_change_ms``: the moment
    of the next change that was published last, 0 for none. ``hands_held``: fast-track acts that
    wait at a gate. ``awaited``, ``settling``: see :mod:`.settling`. ``recent``, ``origins``: the
    newest pieces of content, and the earliest campaign touches, see
    :mod:`services.scorer.score.content_touches`.
    """

    ended: str = ""
    survivor: str | None = None
    cycle: int = 1
    since_ms: int = 0
    stage: str = Stage.INQUIRY.value
    level: str = Level.COLD.value
    level_since_ms: int = 0
    level_cause: str = ""
    fit_micro: int = 0
    shown: int = 0
    grade: str = ""
    account_id: str | None = None
    ledger: bytes = b""
    marks: bytes = b""
    retracted: bytes = b""
    totals: bytes = b""
    waits: str = ""
    recent: bytes = b""
    origins: bytes = b""
    awaited: tuple[Awaited, ...] = ()
    settling: Settling | None = None
    published_change_ms: int = 0
    hands_held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerHandoff:
    """A hand-off of the same qualification that was taken from somebody; it stood from ``from_ms``
    until ``until_ms``."""

    handoff_id: str
    attempt: int
    leg: str
    owner: str | None = None
    pool: str | None = None
    from_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnHandoff:
    """The hand-off of a qualification that was withdrawn at ``until_ms`` before anybody was known
    to have accepted it: an acceptance from before that, reported late, brings it back."""

    handoff_id: str
    leg: str
    level: str
    owner: str | None
    from_ms: int
    until_ms: int
    raised_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """Why the lead is somebody's work in the present cycle, and what became of its hand-offs.

    ``qualification_id``: None where sales took the lead up without being handed it. ``raised_by``:
    the fast-track acts of the cycle. ``kept``: the work was accepted before a merge, so it does not
    cool. ``bridged_by``: who of the bridge team passed it on to sales. ``attempt``: of the newest
    hand-off known. ``routed_at_ms``: when somebody was handed the lead last. ``rejected_at_ms``:
    when that hand-off was rejected, by event time; None where it was not.
    """

    qualification_id: str | None = None
    cause_id: str = ""
    leg: str = ""
    level: str = ""
    raised_by: tuple[str, ...] = ()
    kept: bool = False
    bridged_by: str | None = None
    attempt: int = 0
    routed_at_ms: int = 0
    rejected_at_ms: int | None = None
    former: tuple[FormerHandoff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """The hand-off that stands.

    ``latest``: who has it, by the one projection of what dispatch publishes; its ``handoff_id`` is
    empty where sales took the lead up without being handed it. ``from_ms``: since when.
    ``accepted``, ``touched``: what the holder did, which is known here first.
    """

    latest: ProjectedHandoff
    from_ms: int = 0
    accepted: bool = False
    touched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Why and until when the lead rests, or rested last. ``rest_id``: None until the SLA watcher
    has planned it. ``return_at_ms`` None: not by itself."""

    rest_id: str | None = None
    reason: str | None = None
    track: str | None = None
    cool_off_until_ms: int = 0
    return_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleState:
    """Where the present cycle stands with sales: what is reset together is one value.

    ``withdrawn``: the hand-off of a qualification that was withdrawn since. ``qualified_at_ms``:
    when the lead was last qualified; 0 for never. ``customer_of``: the person who has the customer.
    ``absorbed``: transfers that were taken in.
    """

    qualification: Qualification | None = None
    handoff: Handoff | None = None
    rest: Rest | None = None
    withdrawn: WithdrawnHandoff | None = None
    qualified_at_ms: int = 0
    customer_of: str | None = None
    rejecters: tuple[str, ...] = ()
    recycles: int = 0
    absorbed: tuple[str, ...] = ()

    @property
    def work(self) -> Qualification:
        """The qualification, or one that says nothing."""
        return self.qualification or NO_WORK

    @property
    def hand_raised(self) -> bool:
        """Whether the lead asked for a contact."""
        return bool(self.work.raised_by)

    @property
    def qualification_id(self) -> str | None:
        """The qualification that stands."""
        return self.work.qualification_id

    @property
    def handoff_id(self) -> str | None:
        """The hand-off that stands; None before the lead is routed."""
        return (self.handoff.latest.handoff_id or None) if self.handoff else None

    @property
    def owner(self) -> str | None:
        """Who has the lead; a customer keeps their rep."""
        return (self.handoff.latest.owner if self.handoff else None) or self.customer_of

    @property
    def accepted(self) -> bool:
        """Whether the hand-off that stands was accepted."""
        return self.handoff is not None and self.handoff.accepted

    @property
    def touched(self) -> bool:
        """Whether its holder has tried to reach the buyer, or accepted it."""
        return self.handoff is not None and self.handoff.touched

    @property
    def handed_at_ms(self) -> int:
        """Since when somebody has the lead, or had it last; 0 where nobody was handed it yet."""
        return self.handoff.from_ms if self.handoff else self.work.routed_at_ms


NO_WORK: Final = Qualification()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """A value of a field as one event reported it. An empty one says that the field was cleared.
    ``derived``: nobody said so, it was concluded."""

    value: str
    at_ms: int
    source: str
    event_id: str
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileValue:
    """One field of a profile: the report that holds, and those that it outranks, best first
    (:mod:`.field_history`)."""

    value: str
    at_ms: int
    source: str
    event_id: str
    derived: bool = False
    former: tuple[FieldReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileBook:
    """The profile, field by field; no personal data."""

    values: Mapping[str, ProfileValue] = field(default_factory=dict)

    def plain(self) -> dict[str, str]:
        """The fields that have a value."""
        return {name: known.value for name, known in self.values.items() if known.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonBook:
    """Direct identifiers and free text, with the event time of each field. ``reports``: by field,
    best first (:mod:`.field_history`)."""

    person: Person
    times: Mapping[str, int] = field(default_factory=dict)
    reports: Mapping[str, tuple[FieldReport, ...]] = field(default_factory=dict)


NOBODY: Final = PersonBook(person=Person())


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerConsent:
    """An act that a later one outranks."""

    granted: bool
    at_ms: int
    source: str
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAct:
    """The newest explicit act for one purpose and channel, and those before it, newest first
    (:mod:`.field_history`)."""

    purpose: str
    channel: str
    granted: bool
    at_ms: int
    source: str
    event_id: str
    former: tuple[FormerConsent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDates:
    """When a stage was reached first ever and last; inferred where nobody reported it."""

    first_ms: int
    latest_ms: int
    first_inferred: bool = False
    latest_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An opportunity as it was last reported. ``amount_minor`` in minor units of ``currency``;
    ``expected_close`` is an ISO day."""

    at_ms: int
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroup:
    """The lead's account, as it was last published."""

    account_id: str
    people: int
    engaged_people: int
    engagement_micro: int
    most_senior_role: str | None = None


def transfer_id_of(merge_id: str, loser: str) -> str:
    """The id of the book that ``loser`` sends on a merge."""
    return derived_id("transfer", merge_id, loser)


CYCLE_STATE: Final = EntryKind("cycle_state", CycleState)
PROFILE: Final = EntryKind("profile", ProfileBook)
PERSON: Final = EntryKind("person", PersonBook)
CONSENT: Final = EntryKind("consent", ConsentAct)
DATES: Final = EntryKind("dates", StageDates)
CYCLE: Final = EntryKind("cycle", EarlierCycle)
DEAL: Final = EntryKind("deal", Deal)
GROUP: Final = EntryKind("group", KnownGroup)
ONLY: Final = "it"
"""The item of kinds of which a lead has one."""
ENTRY_KINDS: Final = (CYCLE_STATE, PROFILE, PERSON, CONSENT, DATES, CYCLE, DEAL, GROUP)

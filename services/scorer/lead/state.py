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

from baton.contracts.deals import KnownDeal
from baton.contracts.intake import Person
from baton.contracts.leads import EarlierCycle, Level, Stage, StageEvent
from baton.derived_ids import derived_id
from baton.engine.reducer import EntryKind
from baton.evolve import quick
from services.scorer.lead.cycle_state import CycleState

MERGED: Final = StageEvent.MERGED.value
ERASED: Final = StageEvent.ERASED.value
COLD: Final = Level.COLD.value


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


@quick
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
    :mod:`services.scorer.score.content_touches`. ``repeats``: see :mod:`.repeated_reports`.
    """

    ended: str = ""
    survivor: str | None = None
    cycle: int = 1
    since_ms: int = 0
    stage: str = Stage.INQUIRY.value
    level: str = COLD
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
    repeats: bytes = b""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """A value of a field as one event reported it. An empty one says that the field was cleared.
    ``derived``: nobody said so, it was concluded."""

    value: str
    at_ms: int
    source: str
    event_id: str
    derived: bool = False


@quick
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


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileBook:
    """The profile, field by field; no personal data."""

    values: Mapping[str, ProfileValue] = field(default_factory=dict)

    def plain(self) -> dict[str, str]:
        """The fields that have a value."""
        return {name: known.value for name, known in self.values.items() if known.value}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonBook:
    """Direct identifiers and free text, with the event time of each field. ``reports``: by field,
    best first (:mod:`.field_history`)."""

    person: Person
    times: Mapping[str, int] = field(default_factory=dict)
    reports: Mapping[str, tuple[FieldReport, ...]] = field(default_factory=dict)


NOBODY: Final = PersonBook(person=Person())
NO_HEAD: Final = LeadHead()
NO_PROFILE: Final = ProfileBook()


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
DEAL: Final = EntryKind("deal", KnownDeal)
GROUP: Final = EntryKind("group", KnownGroup)
ONLY: Final = "it"
"""The item of kinds of which a lead has one."""
ENTRY_KINDS: Final = (CYCLE_STATE, PROFILE, PERSON, CONSENT, DATES, CYCLE, DEAL, GROUP)

"""The book of a lead on its way to the lead that it ends in. Private to the scorer.

Points are integers of a millionth (``..._micro``). Times are ``..._ms``: milliseconds since the
epoch, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from baton.contracts.deals import KnownDeal
from baton.contracts.intake import LeadEvent, LeadInput, LeadPerson, Person
from baton.contracts.leads import EarlierCycle


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReached:
    """When a stage was reached first ever and last; inferred where nobody reported it."""

    stage: str
    first_ms: int
    latest_ms: int
    first_inferred: bool = False
    latest_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What an act of staff named, and when."""

    value: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTransfer:
    """``scorer.transfers.v1``: the loser's book on its way to the survivor, keyed by the survivor.

    A book may come in ``parts``, twice and in any order. ``ledger``, ``retractions``, ``recent``
    and ``origins`` are packed as the scorer keeps them; ``events`` are the events that the rest of
    the book came from (profile, consent), ids and times unchanged; ``cycles`` its history.
    ``stage`` .. ``rest_reason``, ``raised_by`` .. ``accepted``: where the loser stood. ``late``: no
    book, but what came to the loser afterwards, as it came. ``path``: the leads it passed on its
    way through a chain of merges. ``settling``: the loser was ready, and ``raised_by`` the hand it
    had raised, but what its hand-off needs was not there yet. ``persons``: what was reported of the
    person, one record an event, in place of ``person`` and ``person_times``.
    """

    transfer_id: str
    loser: str
    survivor: str
    part: int
    parts: int
    events: tuple[LeadEvent, ...]
    cycles: tuple[EarlierCycle, ...]
    at_ms: int
    cycle: int = 0
    recycles: int = 0
    person: Person | None = None
    person_times: Mapping[str, int] = field(default_factory=dict)
    ledger: bytes = b""
    retractions: bytes = b""
    recent: bytes = b""
    origins: bytes = b""
    since_ms: int = 0
    stage: str = ""
    owner: str | None = None
    hand_raised: bool = False
    rejecters: tuple[str, ...] = ()
    rest_reason: str | None = None
    dates: tuple[StageReached, ...] = ()
    deals: tuple[KnownDeal, ...] = ()
    late: LeadInput | None = None
    path: tuple[str, ...] = ()
    raised_by: tuple[str, ...] = ()
    leg: str = ""
    level: str = ""
    accepted: bool = False
    settling: bool = False
    persons: tuple[LeadPerson, ...] = ()
    heard: Mapping[str, Heard] = field(default_factory=dict)

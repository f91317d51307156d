"""Nobody is given a lead by turn while away, by the announcements of absences alone.

Pure. It folds them by itself: an announcement counts from ten seconds after its record. Whoever
called one off, or put one right, is left out from the first word of it on: what holds then is not
looked at here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.routing import LeadRouted
from baton.proof.audit.findings import Add, Dated, Finding, Invariant
from baton.proof.audit.turns import by_turn

_KNOWN_AFTER_MS = 10_000


class Announced(NamedTuple):
    """An absence in ``[from_ms, until_ms)`` that counts from ``known_ms`` on."""

    known_ms: int
    from_ms: int
    until_ms: int


Absences = Mapping[str, Sequence[Announced]]
"""By person."""


def absences_of(records: Iterable[Record]) -> Absences:
    """Of everybody whose announcements all stood."""
    reported: dict[str, list[Announced]] = defaultdict(list)
    ids: set[str] = set()
    changed: set[str] = set()
    for record in records:
        if record.value is None:
            continue
        people = codec_for(PeopleRecord).decode(record.value)
        if people.cancelled or people.record_id in ids:
            changed.add(people.person)
        ids.add(people.record_id)
        announced = Announced(record.at_ms + _KNOWN_AFTER_MS, people.from_ms, people.until_ms)
        reported[people.person].append(announced)
    return {person: spans for person, spans in reported.items() if person not in changed}


def check_presence(records: Sequence[Dated], absences: Absences, add: Add) -> None:
    """All records of one lead."""
    for record in records:
        routed = record.value
        if not isinstance(routed, LeadRouted) or not by_turn(routed.rule):
            continue
        for away in absences.get(routed.owner, ()):
            at_ms = routed.routed_at_ms
            if at_ms >= away.known_ms and away.from_ms <= at_ms < away.until_ms:
                words = f"{routed.owner} is away until {away.until_ms} and was given a lead"
                add(Finding(invariant=Invariant.PRESENT, words=words, place=record.place))
                break

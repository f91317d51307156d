"""Which events of one request are about the same person. Pure.

A web SDK sends who somebody is and what they did as two events of one request, in any order. Each
of them carries how many there are, so that a decision which one of them causes can wait for the
others (a bounded time: see ``settle`` in the agreement).
"""

from __future__ import annotations

from collections.abc import Sequence

from baton.contracts.intake import EventKind, IntakeRecord
from baton.derived_ids import derived_id
from baton.evolve import evolve
from baton.intake.identifiers import identity_key

_ABOUT_A_PERSON = frozenset(
    {
        EventKind.ENGAGEMENT,
        EventKind.PROFILE,
        EventKind.CONSENT,
        EventKind.LINK,
        EventKind.RETRACTION,
        EventKind.ACT,
    }
)


def with_companions(records: Sequence[IntakeRecord]) -> list[IntakeRecord]:
    """``records`` in their order; those that share an identifier, directly or through others, know
    how many they are.

    An event that stands twice in the request counts once. The id of such a group follows from its
    events, so a request that is sent again has the same one.
    """
    if len(records) < 2:
        return list(records)
    root_of: dict[str, str] = {}

    def root(key: str) -> str:
        while (above := root_of.setdefault(key, key)) != key:
            root_of[key] = root_of[above]
            key = root_of[key]
        return key

    keys = [[identity_key(identifier) for identifier in record.identifiers] for record in records]
    for own in keys:
        for other in own[1:]:
            root_of[root(other)] = root(own[0])
    groups: dict[str, dict[str, None]] = {}
    for record, own in zip(records, keys, strict=True):
        if record.kind in _ABOUT_A_PERSON:
            groups.setdefault(root(own[0]), {})[record.event_id] = None
    bodies = {
        name: derived_id("body", *events) for name, events in groups.items() if len(events) > 1
    }
    return [
        _marked(record, bodies, groups, root(own[0]))
        for record, own in zip(records, keys, strict=True)
    ]


def _marked(
    record: IntakeRecord, bodies: dict[str, str], groups: dict[str, dict[str, None]], name: str
) -> IntakeRecord:
    if name not in bodies or record.kind not in _ABOUT_A_PERSON:
        return record
    return evolve(record, body=bodies[name], body_events=len(groups[name]))

"""What an example sends: its lead, what the lead did, what staff did with it, and who was away, as
event lines and absences with the moments at which they arrive. It runs nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.agreement.compiler.agreement import moment_ms
from baton.agreement.model.examples import ExampleAbsence, ExampleEvent, ExampleModel
from baton.agreement.quantities import MINUTE_MS
from baton.contracts.reference_records import PeopleRecord
from baton.derived_ids import derived_id
from baton.simulation.input_lines import Arrival

BEFORE_MS: Final = MINUTE_MS
"""How long before its first event the lead's profile is known."""
_PHONE = "+493012345678"
_OF_STAFF = ("reason", "outcome", "contract_end")


def arrivals_in(example: ExampleModel, zone: ZoneInfo, *, late_ms: int = 0) -> list[Arrival]:
    """The example's lines in the order of their arrival; all but what is known of the lead arrive
    ``late_ms`` later than they say."""
    lines = [*_known(example, zone), *_happened(example, zone, late_ms)]
    arrivals = [
        Arrival(
            at_ms=arrives_ms,
            line=json.dumps(
                {
                    "id": f"example-{number}",
                    "source": "example",
                    "occurred_at": _iso(at_ms),
                    "arrived_at": _iso(arrives_ms),
                    **line,
                }
            ).encode(),
        )
        for number, (at_ms, arrives_ms, line) in enumerate(lines)
    ]
    return sorted(arrivals, key=lambda arrival: arrival.at_ms)


def absences_in(example: ExampleModel, zone: ZoneInfo) -> list[tuple[int | None, PeopleRecord]]:
    """Who is away, and when that becomes known (None: before all else)."""
    return [
        (moment_ms(absence.known, zone) if absence.known else None, _absence(absence, zone))
        for absence in example.away
    ]


def first_ms(example: ExampleModel, zone: ZoneInfo) -> int:
    """The moment of the first event."""
    return min(moment_ms(event.at, zone) for event in example.events)


def last_ms(example: ExampleModel, zone: ZoneInfo) -> int:
    """When the last event has arrived."""
    return max(moment_ms(event.arrives or event.at, zone) for event in example.events)


def _absence(absence: ExampleAbsence, zone: ZoneInfo) -> PeopleRecord:
    from_ms, until_ms = moment_ms(absence.starts, zone), moment_ms(absence.until, zone)
    return PeopleRecord(
        record_id=derived_id("absence", absence.person, from_ms, until_ms, "away"),
        person=absence.person,
        from_ms=from_ms,
        until_ms=until_ms,
    )


Line = tuple[int, int, dict[str, Any]]
"""When it happened, when it arrives, and the line."""


def _known(example: ExampleModel, zone: ZoneInfo) -> Iterator[Line]:
    before, who = first_ms(example, zone) - BEFORE_MS, _lead(example)
    person = {"phone": _PHONE}  # an example says nothing of how its lead is reached: it can be
    profile = {"kind": "profile", "profile": dict(example.profile), "person": person}
    yield before, before, {"identifiers": who, **profile}
    for key, granted in example.consents.items():
        purpose, _, channel = key.partition("/")
        consent = {"purpose": purpose, "channel": channel or "any", "granted": granted}
        yield before, before, {"identifiers": who, "kind": "consent", "consent": consent}


def _happened(example: ExampleModel, zone: ZoneInfo, late_ms: int) -> Iterator[Line]:
    first = 1 + len(example.consents)
    ids = {
        event.name: f"example-{number}"
        for number, event in enumerate(example.events, start=first)
        if event.name
    }
    for event in example.events:
        at_ms = moment_ms(event.at, zone)
        arrives_ms = moment_ms(event.arrives, zone) if event.arrives else at_ms
        yield at_ms, arrives_ms + late_ms, _line(event, _lead(example), ids)


def _line(event: ExampleEvent, who: dict[str, str], ids: dict[str, str]) -> dict[str, Any]:
    if event.does is not None:
        act = {"kind": event.does.value, "by": event.by, "automatic": event.automatic}
        act |= {word: given for word in _OF_STAFF if (given := getattr(event, word)) is not None}
        return {"identifiers": who, "kind": "act", "act": act}
    if event.links is not None:
        return {"identifiers": who | {"anonymous": event.links}, "kind": "link"}
    if event.retracts is not None:
        retracted = ids.get(event.retracts, event.retracts)
        return {"identifiers": who, "kind": "retraction", "retracts": retracted}
    engagement: dict[str, Any] = {
        "act": event.act,
        "topics": list(event.topics),
        "automatic": event.automatic,
    }
    if event.stage:
        engagement["content_stage"] = event.stage
    visitor = {"anonymous": event.visitor} if event.visitor else who
    return {"identifiers": visitor, "kind": "engagement", "engagement": engagement}


def _lead(example: ExampleModel) -> dict[str, str]:
    return {"email": f"example@{example.account}"} if example.account else {"crm": "example:1"}


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")

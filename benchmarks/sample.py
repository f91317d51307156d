"""What everything is measured on: an agreement of 60 rules, leads, and the events that come of
them. The same seed, the same events."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.source.yaml import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.intake import Engagement, LeadEvent, LeadInput
from baton.derived_ids import derived_id
from baton.engine.core import Core
from baton.engine.reducer import Event
from services.scorer.lead.reducer import Lead

START_MS = 1_790_000_000_000
"""A day for what needs no clock."""
DAY_MS = 86_400_000
ACTS = 35
TOPIC = "intake.leads.v1"
encode_input = codec_for(LeadInput).encode
EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "agreements"
TEMPLATES = 200
NAME_LENGTH = 32
_SPAN_DAYS = 30


class Fetched(NamedTuple):
    """A record as a client has it."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_type: int = 1


def agreement() -> AgreementReference:
    """Twenty-five fit criteria and thirty-five acts in five groups, with half-lives, windows, caps
    and daily limits together."""
    plain: Any = read_yaml((EXAMPLES / "software.yaml").read_text(encoding="utf-8")).data
    plain.pop("examples", None)
    acts = {f"act_{number}": f"Act {number}" for number in range(ACTS)}
    plain["definitions"]["acts"] = acts
    plain["definitions"]["levels"]["matrix"]["C"] = {
        "1": "warm",
        "2": "cold",
        "3": "cold",
        "4": "cold",
    }
    plain["fit"] = {
        f"Criterion {number}": {
            "points": 4,
            "when": {"field": "profile.employees", "op": "at_least", "value": number * 40},
        }
        for number in range(25)
    }
    groups = {
        "reading": {"half_life": "14 days", "window": "90 days", "cap": 30, "per_day": 10},
        "events": {"half_life": "30 days", "window": "180 days", "cap": 40},
        "intent": {"half_life": "30 days", "window": "180 days"},
        "mailing": {"half_life": "10 days", "window": "90 days", "cap": 10},
        "lasting": {"window": "90 days"},
    }
    points = (1, 2, 3, 1, -2)
    names = tuple(groups)
    plain["engagement"] = {
        "groups": groups,
        "acts": {
            act: {"points": points[number % 5], "group": names[number % 5], "per_day": 5}
            for number, act in enumerate(acts)
        },
    }
    plain["lifecycle"] = {"bridge": "warm leads", "poor_fit": ["D"], "settle": "0 seconds"}
    return reference_of(compiled_of(model_of(plain)))


class Book:
    """A book of one version, without topics."""

    topics: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._only = agreement()

    def add(self, event: Event) -> None:
        """Nothing is ever added."""

    def at(self, now: int) -> AgreementReference:
        """Always the same."""
        return self._only


def engagement(number: int, lead: str, at_ms: int, draw: random.Random) -> LeadEvent:
    """One act, with what the content says of itself."""
    return LeadEvent(
        event_id=derived_id("event", number),
        lead_id=lead,
        source="segment",
        kind="engagement",
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        engagement=Engagement(
            act=f"act_{draw.randrange(ACTS)}",
            content_id=f"c-{number % 90}",
            content_title=f"How to choose, part {number % 90}",
            content_stage=("awareness", "consideration", "decision")[number % 3],
            topics=("pricing", "security")[: number % 3],
            campaign=f"campaign-{number % 7}",
        ),
    )


def profile(number: int, lead: str, at_ms: int, draw: random.Random) -> LeadEvent:
    """What is known of a lead; a third of them are warm or hot after thirty acts."""
    return LeadEvent(
        event_id=derived_id("profile", number),
        lead_id=lead,
        source="segment",
        kind="profile",
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        profile={
            "employees": str(draw.randrange(1_100)),
            "country": "NO",
            "role": "Head of IT",
            "domain": f"firm{number}.example",
        },
    )


def headers(event: LeadEvent) -> list[tuple[str, bytes]]:
    """As many headers as the engine writes, and as long."""
    return [
        ("ce_id", derived_id("ce", event.event_id).encode()),
        ("ce_type", b"baton.LeadEvent.v1"),
        ("ce_source", b"/baton/ingest/identify"),
        ("ce_specversion", b"1.0"),
        ("ce_time", b"2026-09-21T10:00:00.000Z"),
        ("baton_agreement", b"0f" * 16),
        ("made_at", b"1790000000000"),
        ("baton_cause", derived_id("cause", event.event_id).encode()),
        ("received_at", str(event.received_at_ms).encode()),
    ]


def stream(count: int, leads: int, end_ms: int) -> Iterator[LeadEvent]:
    """So many events of so many leads, drawn evenly, over the thirty days before ``end_ms``; the
    first of each lead is its profile."""
    draw = random.Random(3)
    known: set[int] = set()
    begin_ms, step = end_ms - _SPAN_DAYS * DAY_MS, _SPAN_DAYS * DAY_MS / count
    for number in range(count):
        which = draw.randrange(leads)
        lead, at_ms = derived_id("lead", which), begin_ms + int(number * step)
        if which in known:
            yield engagement(number, lead, at_ms, draw)
        else:
            known.add(which)
            yield profile(number, lead, at_ms, draw)


def fetched(offset: int, at_ms: int, event: LeadEvent) -> Fetched:
    """The event as the lead reducer reads it."""
    return Fetched(
        offset, at_ms, event.lead_id.encode(), encode_input(input_of(event)), headers(event)
    )


def input_of(event: LeadEvent) -> LeadInput:
    """What ``identify`` says of an event."""
    return LeadInput(
        lead_id=event.lead_id,
        cause_id=event.event_id,
        event=event,
        occurred_at_ms=event.occurred_at_ms,
    )


def template_name(number: int) -> str:
    """The lead that is copied; as long as a lead's id, so that its copies need only another name in
    its place."""
    return f"template-{number:0{NAME_LENGTH - 9}d}"


def grown(book: Book, entries: int, *, end_ms: int = START_MS) -> list[list[tuple[bytes, bytes]]]:
    """The changelog records of :data:`TEMPLATES` leads, after a profile and so many acts over the
    sixty days before ``end_ms``."""
    core = Core(Lead(), book)
    draw = random.Random(1)
    events: list[LeadEvent] = []
    for number in range(TEMPLATES):
        lead = template_name(number)
        events.append(profile(number, lead, end_ms - 70 * DAY_MS, draw))
        for turn in range(entries):
            at_ms = (
                end_ms - 60 * DAY_MS + (turn * 60 * DAY_MS + draw.randrange(60 * DAY_MS)) // entries
            )
            events.append(engagement(number * 1_000 + turn, lead, at_ms, draw))
    core.begin(0)
    for offset, event in enumerate(sorted(events, key=lambda entry: entry.occurred_at_ms)):
        core.process(TOPIC, fetched(offset, event.occurred_at_ms, event))
    batch = core.seal()
    assert batch is not None
    found: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for key, value in batch.changelog:
        at = key.find(b"template-")
        if at >= 0 and value is not None:
            found.setdefault(key[at : at + NAME_LENGTH], []).append((key, value))
    return list(found.values())


def renamed(key: bytes, name: bytes) -> bytes:
    """The changelog key of a template's record, for another lead; ``name`` has :data:`NAME_LENGTH`
    bytes."""
    at = key.find(b"template-")
    return key[:at] + name + key[at + NAME_LENGTH :]


def engagement_of_now(number: int, now_ms: int) -> LeadEvent:
    """An act of a lead that did nothing else."""
    return engagement(number, derived_id("lead", number), now_ms, random.Random(number))

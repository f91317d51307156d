"""A house of two reps in one pool, and what happens to its leads: lines go into the whole system in
memory, and what each promise, hand-off and stage did comes out, in words. Times are Berlin's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadRefused, LeadStaged
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadOrphan, LeadReactivated, LeadRecycled, SlaClock, SlaViolation
from baton.contracts.topic_names import BATON_PEOPLE
from baton.contracts.topics import TOPICS
from baton.engine.memory import Stored
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation

AGREED = Path(__file__).with_name("routing") / "misrouted-while-it-waits.yaml"
BERLIN = ZoneInfo("Europe/Berlin")


class Happening(NamedTuple):
    """What reaches the system, and when."""

    at: str
    line: dict[str, Any] | PeopleRecord


def agreed(folder: Path, changes: Mapping[str, Any]) -> Path:
    """The house's agreement in a file; ``changes`` by path, as in ``slas.promises``."""
    text = deepcopy(json.loads(AGREED.read_text()))
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = text
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    file = folder / "agreement.yaml"
    file.write_text(json.dumps(text, indent=1))
    return file


def moment(at: str) -> int:
    """Milliseconds of a time of Berlin."""
    return round(datetime.fromisoformat(at).replace(tzinfo=BERLIN).timestamp() * 1000)


def engagement(at: str, who: str = "l1", act: str = "engage", **more: Any) -> Happening:
    return _event(at, who, {"kind": "engagement", "engagement": {"act": act}, **more})


def act(at: str, kind: str, by: str, who: str = "l1", *, seen: str = "", **more: Any) -> Happening:
    """An act of a rep; ``seen``: when it reached the log, if not at once."""
    kinds = {"kind": "act", "source": "crm", "act": {"kind": kind, "by": by, **more}}
    happening = _event(at, who, kinds)
    if not seen:
        return happening
    assert isinstance(happening.line, dict)
    arrived = {"arrived_at": _iso(seen)}
    return Happening(seen, happening.line | arrived)


def profile(at: str, who: str = "l1", **fields: Any) -> Happening:
    return _event(at, who, {"kind": "profile", "source": "crm", "profile": fields})


def away(at: str, person: str, first: str, until: str, *, cancelled: bool = False) -> Happening:
    """An absence becomes known, or that it is called off."""
    record = PeopleRecord(
        record_id=f"{person}:{first}",
        person=person,
        from_ms=moment(first),
        until_ms=moment(until),
        cancelled=cancelled,
    )
    return Happening(at, record)


def lines(agreement: Path, happenings: Iterable[Happening], until: str) -> list[str]:
    """What was published of hand-offs, stages and promises, a line each, in order."""
    text = canonical_text(read_agreement(agreement))
    ordered = sorted(happenings, key=lambda happening: moment(happening.at))
    start_ms = moment(ordered[0].at)
    simulation = Simulation(text=text, version=version_of(text), start_ms=start_ms)
    stored: list[Stored] = []
    for happening in ordered:
        stored += simulation.pass_time(moment(happening.at))
        if isinstance(happening.line, PeopleRecord):
            simulation.host.send(BATON_PEOPLE, happening.line.record_id, happening.line)
        else:
            raw = json.dumps(happening.line).encode()
            (arrival,) = arrivals_of([(raw, happening.line)])
            stored += simulation.send(replace(arrival, at_ms=moment(happening.at)))
    stored += simulation.pass_time(moment(until))
    return [line for record in stored if (line := _words(record))]


def event(at: str, identifiers: dict[str, str], more: dict[str, Any]) -> Happening:
    """Any event line."""
    who = next(iter(identifiers.values())).partition("@")[0]
    line = {
        "id": f"{who} {at} {json.dumps(more, sort_keys=True)}",
        "source": "web",
        "occurred_at": _iso(at),
        "identifiers": identifiers,
        **more,
    }
    return Happening(at, line)


def _event(at: str, who: str, more: dict[str, Any]) -> Happening:
    return event(at, {"email": f"{who}@{who}.example"}, more)


def _iso(at: str) -> str:
    return datetime.fromisoformat(at).replace(tzinfo=BERLIN).isoformat()


def _short(at_ms: int | None) -> str:
    if at_ms is None:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, BERLIN).strftime("%d %b %H:%M")


def _words(record: Stored) -> str:
    kind = TOPICS[record.topic].record
    if kind is None or record.value is None:
        return ""
    at, value = _short(record.timestamp), codec_for(kind).decode(record.value)
    match value:
        case LeadRouted():
            return f"{at} routed to {value.owner} in {value.pool} by {value.rule}"
        case LeadUnrouted():
            when = f", next try {_short(value.next_try_at_ms)}" if value.next_try_at_ms else ""
            return f"{at} {value.outcome} in {value.pool}: {value.reason}{when}"
        case HandoffNoted():
            return f"{at} {value.kind} of {value.owner}: {value.reason}"
        case LeadStaged():
            reason = f": {value.reason}" if value.reason else ""
            return f"{at} {value.event} by {value.by or value.actor}{reason}"
        case LeadRefused():
            return f"{at} {value.event} by {value.by} refused: {value.reason}"
        case SlaClock():
            due = f" until {_short(value.deadline_ms)}" if value.state == "running" else ""
            reason = f": {value.reason}" if value.reason else ""
            return f"{at} {value.clock} of {value.owner} {value.state}{due}{reason}"
        case SlaViolation():
            return f"{at} violation of {value.clock}: {value.kind}"
        case LeadRecycled():
            return f"{at} rests until {_short(value.return_at_ms)}"
        case LeadReactivated():
            return f"{at} comes back: {value.reason}"
        case LeadOrphan():
            return f"{at} orphan: {value.reason}"
        case _:
            return ""

"""Runs the examples that an agreement brings along: the two teams' own acceptance tests.

Each example is sent through the whole system in memory, with the same reducers as live, and what
came out is compared with what the two teams expect. Points decay from the moment of an act, and
live it takes time until an act arrives: each example is run again with its acts delivered a little
later, and must come out the same, its deadline aside.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiler.agreement import moment_ms
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.examples import ExampleModel, ExpectedPoints
from baton.agreement.quantities import DAY_MS, MICRO, MINUTE_MS, duration_words, points_words
from baton.agreement.wall_time import local_datetime, zone_named
from baton.agreement_report.lead_states import LeadStates, Score, score_at
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import SlaClock
from baton.contracts.topic_names import (
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_QUALIFIED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_CLOCKS,
    LEADS_UNROUTED,
)
from baton.engine.memory import Stored
from baton.simulation.lines import arrivals_of
from baton.simulation.simulation import Simulation

_WAITS_DAYS = 14
_BEFORE_MS = MINUTE_MS
_PHONE = "+493012345678"
_POINTS = ("fit", "engagement")
DELIVERED_MS: Final = (250, 5_000)
"""How much later than they were done the acts of an example arrive, in its further runs."""
_RECORDS: dict[str, Any] = {
    LEADS_QUALIFIED: LeadQualified,
    LEADS_ROUTED_SDR: LeadRouted,
    LEADS_ROUTED_SALES: LeadRouted,
    LEADS_UNROUTED: LeadUnrouted,
    LEADS_SLA_CLOCKS: SlaClock,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What was expected and what came."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An example that was run; no differences: it passed."""

    name: str
    differences: tuple[Difference, ...]


class ExampleNotTaken(ValueError):
    """The system refused what the example sends; the text says why, as a dead letter would."""


def run_examples(model: Agreement) -> Iterator[Ran]:
    """Every example of the agreement, in its order."""
    agreement = compiled_of(model)
    for example in model.examples:
        yield Ran(name=example.name, differences=tuple(_differences(agreement, example)))


def _differences(agreement: CompiledAgreement, example: ExampleModel) -> Iterator[Difference]:
    found = _run(agreement, example)
    yield from _unexpected(agreement, example, found)
    for late_ms in DELIVERED_MS:
        late = _run(agreement, example, late_ms=late_ms)
        for what in sorted({*found, *late} - {"deadline"}):
            before, after = found.get(what, "none"), late.get(what, "none")
            if before != after:
                points = what in _POINTS
                yield Difference(
                    what=f"{what}, delivered {duration_words(late_ms)} later",
                    expected=points_words(int(before)) if points else before,
                    found=points_words(int(after)) if points else after,
                )


def _unexpected(
    agreement: CompiledAgreement, example: ExampleModel, found: dict[str, str]
) -> Iterator[Difference]:
    for what in type(example.expect).model_fields:
        wanted = getattr(example.expect, what)
        if wanted is None:
            continue
        came = found.get(what)
        if isinstance(wanted, ExpectedPoints):
            if not _equal_as_written(wanted, int(came or 0)):
                shown = f"{Decimal(wanted.micro) / MICRO:.{wanted.decimals}f}"
                yield Difference(what=what, expected=shown, found=_rounded_words(int(came or 0)))
            continue
        expected = _in_words(agreement, what, wanted)
        if came != expected:
            yield Difference(what=what, expected=expected, found=came or "none")


def _equal_as_written(wanted: ExpectedPoints, found_micro: int) -> bool:
    """Whether the number found is the one written, rounded to the decimals that were written."""
    step: int = MICRO // 10**wanted.decimals
    return abs(found_micro - wanted.micro) * 2 <= step


def _rounded_words(micro: int) -> str:
    return points_words(round(micro, -3))


def _in_words(agreement: CompiledAgreement, what: str, value: Any) -> str:
    if isinstance(value, datetime):
        return _moment_words(agreement, moment_ms(value, zone_named(agreement.timezone)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _moment_words(agreement: CompiledAgreement, at_ms: int) -> str:
    return (
        local_datetime(at_ms, zone_named(agreement.timezone))
        .strftime("%a %Y-%m-%d %H:%M:%S")
        .removesuffix(":00")
    )


def _run(
    agreement: CompiledAgreement, example: ExampleModel, *, late_ms: int = 0
) -> dict[str, str]:
    zone = zone_named(agreement.timezone)
    moments = [moment_ms(event.at, zone) for event in example.events]
    looked_at = moment_ms(example.at, zone) if example.at else max(moments)
    simulation = Simulation(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=min(moments) - 2 * _BEFORE_MS,
        known=book_records(agreement.raw.attached),
    )
    arrivals = arrivals_of(list(_lines(example, moments, late_ms)))
    seen_at = looked_at + late_ms
    facts = _read(
        simulation.run([arrival for arrival in arrivals if arrival.at_ms <= seen_at], seen_at)
    )
    found = _scored(simulation, agreement, looked_at)
    found["segment"] = agreement.segment_of(example.profile) or "none"
    found |= _routed(agreement, facts)
    if found["qualified"] == "no":  # a lead that lacks something settles before it is handed over
        facts += _read(simulation.run([], seen_at + agreement.lifecycle.settle_ms))
        found |= _routed(agreement, facts)
    # who is held over a week-end gets a deadline when somebody opens
    for days in range(1, _WAITS_DAYS + 1):
        if found["qualified"] == "no" or "deadline" in found:
            break
        facts += _read(simulation.run([], seen_at + days * DAY_MS))
        found |= _routed(agreement, facts)
    return found


def _lines(
    example: ExampleModel, moments: list[int], late_ms: int
) -> Iterator[tuple[bytes, dict[str, Any]]]:
    who = {"email": f"example@{example.account}"} if example.account else {"crm": "example:1"}
    before = min(moments) - _BEFORE_MS
    person = {"phone": _PHONE}  # an example says nothing of how its lead is reached: it can be
    plain: list[tuple[int, dict[str, Any]]] = [
        (before, {"kind": "profile", "profile": dict(example.profile), "person": person})
    ]
    for key, granted in example.consents.items():
        purpose, _, channel = key.partition("/")
        consent = {"purpose": purpose, "channel": channel or "any", "granted": granted}
        plain.append((before, {"kind": "consent", "consent": consent}))
    for event, at_ms in zip(example.events, moments, strict=True):
        engagement: dict[str, Any] = {
            "act": event.act,
            "topics": list(event.topics),
            "automatic": event.automatic,
        }
        if event.stage:
            engagement["content_stage"] = event.stage
        plain.append((at_ms, {"kind": "engagement", "engagement": engagement}))
    for number, (at_ms, line) in enumerate(plain):
        occurred = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        whole = {
            "id": f"example-{number}",
            "source": "example",
            "occurred_at": occurred,
            "identifiers": who,
            **line,
        }
        if late_ms and line["kind"] == "engagement":
            arrived = datetime.fromtimestamp((at_ms + late_ms) / 1000, UTC).isoformat(
                timespec="milliseconds"
            )
            whole["arrived_at"] = arrived
        yield json.dumps(whole).encode(), whole


def _read(stored: Iterator[Stored]) -> list[Any]:
    records = ((_RECORDS.get(record.topic), record.value) for record in stored)
    return [
        codec_for(record).decode(value)
        for record, value in records
        if record is not None and value is not None
    ]


def _scored(simulation: Simulation, agreement: CompiledAgreement, at_ms: int) -> dict[str, str]:
    states = LeadStates()
    changelog = simulation.host.log.records(states.topic, 0)
    states.restore((record.key, record.value) for record in changelog if record.key is not None)
    heads = [view.head for view in states.leads() if view.head is not None]
    refused = _refusals(simulation)
    if refused or not heads:
        raise ExampleNotTaken(
            f"an example was not taken: {refused[0] if refused else 'it came to no lead'}"
        )
    score: Score = score_at(heads[0], agreement, at_ms)
    return {
        "fit": str(score.fit_micro),
        "engagement": str(score.engagement_micro),
        "level": score.level,
        "grade": score.grade,
    }


def _refusals(simulation: Simulation) -> list[str]:
    return [
        value.decode("utf-8", "replace")
        for stored in simulation.host.log.records(LEADS_INBOX_DEAD_LETTERS, 0)
        for name, value in stored.headers
        if name == "__dlq.errors.message"
    ]


def _routed(agreement: CompiledAgreement, facts: list[Any]) -> dict[str, str]:
    found = {"qualified": "no"}
    for fact in facts:
        match fact:
            case LeadQualified():
                found["qualified"] = "yes"
                found.setdefault("queue", fact.leg)
            case LeadRouted():
                found.setdefault("pool", fact.pool)
            case LeadUnrouted() if fact.pool:
                found.setdefault("pool", fact.pool)
            case SlaClock(clock="accept"):
                found.setdefault("deadline", _moment_words(agreement, fact.deadline_ms))
    return found

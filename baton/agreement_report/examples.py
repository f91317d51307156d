"""Runs the examples that an agreement brings along: the two teams' own acceptance tests.

Each example is sent through the whole system in memory, with the same reducers as live, and what
came out is compared with what the two teams expect. Points decay from the moment of an act, and
live it takes time until an act arrives: each example is run again with its acts delivered a little
later, and must come out the same, its deadline aside.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any, Final

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiler.agreement import moment_ms
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.examples import ExampleModel, ExpectedPoints
from baton.agreement.quantities import DAY_MS, MICRO, duration_words, points_words
from baton.agreement.wall_time import local_datetime, zone_named
from baton.agreement_report.example_events import (
    BEFORE_MS,
    absences_in,
    arrivals_in,
    first_ms,
    last_ms,
)
from baton.agreement_report.example_outcome import as_it_stands, handed_over, lead_of, read
from baton.agreement_report.lead_states import LeadStates, Score, score_at
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topic_names import BATON_PEOPLE, LEADS_INBOX_DEAD_LETTERS
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

_WAITS_DAYS = 14
_POINTS = ("fit", "engagement")
_THAT_FOLLOWS = ("stage", "owner", "returns", "refused")
DELIVERED_MS: Final = (250, 5_000)
"""How much later than they were done the acts of an example arrive, in its further runs."""
Arriving = tuple[int, Arrival | PeopleRecord]
"""What reaches the system, and when."""


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
        for what in sorted({*found, *late} - {"deadline"} - _not_asked(example)):
            before, after = found.get(what, "none"), late.get(what, "none")
            if before != after:
                points = what in _POINTS
                yield Difference(
                    what=f"{what}, delivered {duration_words(late_ms)} later",
                    expected=points_words(int(before)) if points else before,
                    found=points_words(int(after)) if points else after,
                )


def _not_asked(example: ExampleModel) -> set[str]:
    """What follows from the rest, and is compared only where the example speaks of it."""
    return {what for what in _THAT_FOLLOWS if getattr(example.expect, what) is None}


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
    looked_at = moment_ms(example.at, zone) if example.at else last_ms(example, zone)
    absences = absences_in(example, zone)
    simulation = Simulation(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=first_ms(example, zone) - 2 * BEFORE_MS,
        known=[
            *book_records(agreement.raw.attached),
            *(record for known_ms, record in absences if known_ms is None),
        ],
    )
    seen_at = looked_at + late_ms
    arriving: list[Arriving] = [
        *((arrival.at_ms, arrival) for arrival in arrivals_in(example, zone, late_ms=late_ms)),
        *((known_ms, record) for known_ms, record in absences if known_ms is not None),
    ]
    facts = list(_facts(simulation, arriving, until_ms=seen_at))
    lead = lead_of(facts)
    found = _scored(simulation, agreement, lead, looked_at)
    found["segment"] = agreement.segment_of(example.profile) or "none"

    def wait(until_ms: int) -> dict[str, str]:
        facts.extend(read(simulation.pass_time(until_ms)))
        return handed_over([fact for fact in facts if fact.lead_id == lead], words)

    words = partial(_moment_words, agreement)
    found |= wait(seen_at)
    if found["qualified"] == "no":  # a lead that lacks something settles before it is handed over
        found |= wait(seen_at + agreement.lifecycle.settle_ms)
    found |= as_it_stands([fact for fact in facts if fact.lead_id == lead], words)
    # who is held over a week-end gets a deadline when somebody opens
    for days in range(1, _WAITS_DAYS + 1):
        if found["qualified"] == "no" or "deadline" in found:
            break
        found |= wait(seen_at + days * DAY_MS)
    return found


def _facts(simulation: Simulation, arriving: Iterable[Arriving], *, until_ms: int) -> Iterator[Any]:
    """What follows until then from lines and from absences, in the order in which they arrive."""
    for at_ms, arrived in sorted(arriving, key=itemgetter(0)):
        if at_ms > until_ms:
            break
        yield from read(simulation.pass_time(at_ms))
        if isinstance(arrived, Arrival):
            yield from read(simulation.send(arrived))
        else:
            simulation.host.send(BATON_PEOPLE, arrived.record_id, arrived)
    yield from read(simulation.pass_time(until_ms))


def _scored(
    simulation: Simulation, agreement: CompiledAgreement, lead: str | None, at_ms: int
) -> dict[str, str]:
    states = LeadStates()
    changelog = simulation.host.log.records(states.topic, 0)
    states.restore((record.key, record.value) for record in changelog if record.key is not None)
    head = states.lead(lead).head if lead is not None else None
    refused = _refusals(simulation)
    if refused or head is None:
        raise ExampleNotTaken(
            f"an example was not taken: {refused[0] if refused else 'it came to no lead'}"
        )
    score: Score = score_at(head, agreement, at_ms)
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

"""What the router's decisions cost as pools, queues and territories grow, as ratios of one run.

    .venv/bin/python -m benchmarks.routing

A decision is one request through assignment on the log in memory: read, decided, stored and
published in a batch of its own, which is what it costs in light traffic. CPU time of this process;
the machine does not matter for the ratios.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from baton.agreement.books import Books, ReceivedBooks, book_of, book_records, books_of
from baton.agreement.canonical import canonical_text, compiled_of, load_canonical, model_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.condition_context import ConditionContext
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.source.read import examine
from baton.agreement.source.yaml import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import QueueItem
from baton.contracts.streams import RoutingAnswer
from baton.engine.memory import MemoryHost
from baton.engine.reducer import Event
from services.router.assignment.reducer import Assignment

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "agreements" / "software.yaml"
OPEN_MS = 1_793_606_400_000
"""A Monday, 9:00 in Berlin."""
NIGHT_MS = OPEN_MS - 15 * 3_600_000
MEMBERS = (10, 100, 1_000)
WAITING = (100, 1_000, 20_000)
RULES = (10, 100, 1_000)
DRAINED = (1_000, 10_000, 100_000)
ROWS = (1_000, 10_000, 100_000)


class OneReference:
    """A book that always says the same."""

    topics: tuple[str, ...] = ()

    def __init__(self, agreed: CompiledAgreement) -> None:
        self._held = reference_of(agreed)

    def add(self, event: Event) -> None:
        """Nothing comes."""

    def at(self, now: int) -> AgreementReference:
        """Always the same."""
        return self._held


def plain(*, members: int = 10, rules: int = 0) -> dict[str, Any]:
    """The example with one bridge pool of so many people, and so many territories."""
    data: dict[str, Any] = {
        name: part
        for name, part in read_yaml(EXAMPLE.read_text()).data.items()
        if name != "examples"
    }
    people = {
        f"p{number:04d}": {"name": f"P {number}", "manager": "m"} for number in range(members)
    }
    data["people"] = {**people, "m": {"name": "M"}}
    data["pools"] = {
        "bridge": {
            "kind": "sdr",
            "members": {person: {"weight": 1 + number % 3} for number, person in enumerate(people)},
        },
        "field": {"kind": "sales", "members": {"p0000": {}}},
    }
    territories = [
        {
            "name": f"t{number}",
            "when": {
                "all": [
                    {"field": "profile.country", "op": "is", "value": "DE"},
                    {"field": "profile.industry", "op": "starts_with", "value": f"{number:05d}"},
                ]
            },
            "to": {"sdr": "bridge", "sales": "field"},
        }
        for number in range(rules)
    ]
    data["routing"] = {"default": {"sdr": "bridge", "sales": "field"}, "territories": territories}
    data["slas"] = {"promises": [{"clock": "accept", "within": "1 business hour"}]}
    return data


def item(
    number: int, *, level: str = "warm", hand_raised: bool = False, since_ms: int | None = None
) -> QueueItem:
    """A lead that asks for a person of the bridge pool."""
    lead, at_ms = f"lead-{number:06d}", NIGHT_MS + number if since_ms is None else since_ms
    qualified = LeadQualified(
        qualification_id=f"q-{lead}",
        lead_id=lead,
        cycle=1,
        leg="sdr",
        level=level,
        grade="A1",
        fit_micro=80_000_000,
        engagement_micro=50_000_000,
        hand_raised=hand_raised,
        cause_id=lead,
        qualified_at_ms=at_ms,
        received_at_ms=at_ms,
        segment=None,
        story=Story(),
        agreement="v",
    )
    return QueueItem(
        kind="request",
        handoff_id=f"h-{lead}",
        qualification_id=qualified.qualification_id,
        attempt=1,
        lead_id=lead,
        pool="bridge",
        cause_id=lead,
        at_ms=at_ms,
        qualified=qualified,
        rule="default",
    )


def host(agreed: CompiledAgreement, *, at: int) -> MemoryHost:
    """Assignment alone."""
    return MemoryHost((Assignment(),), OneReference(agreed), start_ms=at)


def cost_us(running: MemoryHost, items: Iterable[QueueItem]) -> float:
    """CPU microseconds of a request, each in a batch of its own; the median."""
    times = []
    for request in items:
        running.send("router.queue.v1", "bridge", request)
        began = time.process_time_ns()
        running.settle()
        times.append(time.process_time_ns() - began)
    return sorted(times)[len(times) // 2] / 1000


def by_members(members: int) -> float:
    """A lead is given to one of so many who are all there, each with two leads already."""
    running = host(compiled_of(model_of(plain(members=members))), at=OPEN_MS)
    cost_us(running, map(item, range(2 * members)))
    return cost_us(running, map(item, range(2 * members, 2 * members + 60)))


def by_waiting(waiting: int) -> float:
    """A lead joins so many that wait for the morning."""
    running = host(compiled_of(model_of(plain())), at=NIGHT_MS)
    for number in range(waiting):
        running.send("router.queue.v1", "bridge", item(number))
    running.settle()
    return cost_us(running, map(item, range(waiting, waiting + 60)))


def by_drained(waiting: int) -> float:
    """CPU microseconds a lead of a queue that is handed out in the morning, in order."""
    running = host(compiled_of(model_of(plain())), at=NIGHT_MS)
    for number in range(waiting):
        running.send("router.queue.v1", "bridge", item(number))
    running.settle()
    answered = len(running.log.records("router.answers.v1", 0))
    began = time.process_time_ns()
    running.advance(OPEN_MS + 3_600_000)
    took = time.process_time_ns() - began
    handed = [
        answer.routed.lead_id
        for stored in running.log.records("router.answers.v1", 0)[answered:]
        if (answer := codec_for(RoutingAnswer).decode(stored.value or b"")).routed is not None
    ]
    if handed != [f"lead-{number:06d}" for number in range(waiting)]:
        raise AssertionError("the queue was not handed out in its order")
    return took / 1000 / waiting


def books(rows: int) -> tuple[str, Books]:
    """An agreement in canonical form with books of so many accounts, and a tenth of territories."""
    accounts = book_of(
        ("account", "owner"), ((f"firm{number}.example", "p0000") for number in range(rows))
    )
    territories = book_of(
        ("country", "industry", "sdr"),
        (("DE", f"{number:06d}*", "bridge") for number in range(rows // 10)),
    )
    named = {"accounts": accounts.hash, "territories": territories.hash}
    attached = books_of((accounts, territories))
    data = {**plain(), "books": {name: {"hash": found} for name, found in named.items()}}
    return canonical_text(model_of(data).with_books(attached, named)), attached


def by_rows(rows: int) -> float:
    """The pool of a lead of the last territory of a book, whose account is the last of another."""
    routing = load_canonical(*books(rows)).routing
    profile = {"country": "DE", "industry": f"{rows // 10 - 1:06d} steel"}
    context = ConditionContext(profile=profile, leg="sdr")
    began = time.process_time_ns()
    for _ in range(500):
        if routing.named_account(f"firm{rows - 1}.example") is None:
            raise AssertionError("the last account is not found")
        routing.choose(context)
    return (time.process_time_ns() - began) / 500_000


def load_s(rows: int) -> float:
    """CPU seconds in which a task takes over an agreement with its books."""
    text, attached = books(rows)
    records = list(book_records(attached))
    began = time.process_time()
    received = ReceivedBooks()
    for record in records:
        received.take(record)
    load_canonical(text, received.of(attached.names))
    return time.process_time() - began


def by_rules(rules: int) -> float:
    """The pool of a lead whose territory is the last of so many."""
    routing = compiled_of(model_of(plain(rules=rules))).routing
    context = ConditionContext(profile={"country": "DE", "industry": f"{rules - 1:05d}"}, leg="sdr")
    routing.choose(context)
    began = time.process_time_ns()
    for _ in range(500):
        routing.choose(context)
    return (time.process_time_ns() - began) / 500_000


def check_s(rules: int) -> float:
    """CPU seconds of ``baton agreement check`` without the start of the program."""
    text = json.dumps(plain(rules=rules))
    began = time.process_time()
    examine(text)
    return time.process_time() - began


def row(what: str, unit: str, sizes: tuple[int, ...], measured: Callable[[int], float]) -> None:
    """One line: the smallest, and how many times as much the others cost."""
    first, *others = [measured(size) for size in sizes]
    ratios = ", ".join(
        f"{size:,}: x {cost / first:.1f}" for size, cost in zip(sizes[1:], others, strict=True)
    )
    print(f"{what:<44} {sizes[0]:,}: {first:.4g} {unit}; {ratios}", flush=True)


def main() -> None:
    """Everything, a line each."""
    row("a decision, by members of the pool", "us", MEMBERS, by_members)
    row("a decision, by leads that wait", "us", WAITING, by_waiting)
    row("the choice of a pool, by territory rules", "us", RULES, by_rules)
    row("a lead of a queue in the morning, by its length", "us", DRAINED, by_drained)
    row("account and pool, by rows of the books", "us", ROWS, by_rows)
    row("taking over an agreement, by rows of its books", "s", ROWS, load_s)
    row("agreement check, by territory rules", "s", RULES, check_s)


if __name__ == "__main__":
    main()

"""``baton simulate``: what would Baton do with these events under this agreement?"""

import gc
import json
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.cli.absence import absence_of
from baton.cli.moments import moment_ms, written
from baton.cli.simulated_lead import show_lead
from baton.cluster.decoded import as_document
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topics import TOPICS
from baton.simulation.direct.passed import Seen, read
from baton.simulation.event_file import EventFile
from baton.simulation.input_lines import Arrival
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Announcement, CountedSimulation, Simulation
from baton.simulation.tally import COUNTED, Tally, number_of

app = typer.Typer(add_completion=False)

_PUBLISHED_BEFORE_MS = 60_000


_AGREEMENT = typer.Option(
    ..., "--agreement", "-a", exists=True, dir_okay=False, help="The agreement (YAML)."
)
_EVENTS = typer.Option(
    ...,
    "--events",
    "-e",
    exists=True,
    dir_okay=False,
    help="Events: one JSON object a line, or one JSON array.",
)
_UNTIL = typer.Option(
    None,
    "--until",
    help="Let time go on until then, or end it then: an ISO time. Later events are left out.",
)
_THEN = typer.Option(
    None,
    "--then",
    exists=True,
    dir_okay=False,
    help="A second agreement, in force from --at on.",
)
_AT = typer.Option(
    None,
    "--at",
    help=(
        "With --then: when the second agreement is in force. Else the moment that --score looks at."
    ),
)
_AWAY = typer.Option(
    [],
    "--away",
    help=(
        "PERSON/FROM/UNTIL, as in sdr-anna/2026-03-02/2026-03-05: somebody is away. May be "
        "repeated."
    ),
)
_SCORE = typer.Option(
    None,
    "--score",
    help="The numbers of this lead (id, address, hubspot:4711, name) at the end, or --at.",
)
_EXPLAIN = typer.Option(
    None, "--explain", help="The story of this lead, and its numbers at the end."
)
_AS_JSON = typer.Option(
    False, "--json", help="Every public fact in order, one JSON object a line, with its topic."
)


@app.command(
    no_args_is_help=True,
    epilog="Examples:  baton simulate -a software.yaml -e events.jsonl        "
    "baton simulate -a software.yaml -e events.jsonl --score ann@acme.example --at "
    "2026-03-09T09:00        "
    "baton simulate -a old.yaml -e events.jsonl --then new.yaml --at 2026-03-05",
)
def simulate(
    agreement: Path = _AGREEMENT,
    events: Path = _EVENTS,
    until: str | None = _UNTIL,
    then: Path | None = _THEN,
    at: str | None = _AT,
    away: list[str] = _AWAY,
    score: str | None = _SCORE,
    explain: str | None = _EXPLAIN,
    as_json: bool = _AS_JSON,
) -> None:
    """Run the whole system in memory, in fast time: a summary, every public fact (--json), or one
    lead (--score, --explain).

    A line has `occurred_at` and, where it came later or out of order, `arrived_at`, which is its
    log time. Timers fire as time passes. No broker is needed and nothing is sent anywhere.
    """
    _calm_collector()
    end = until if at is None or then is not None else at
    plan = _plan(
        agreement, events, until_ms=moment_ms(end) if end else None, then=then, at=at, away=away
    )
    who = score or explain
    tally = Tally()
    counts = who is None and not as_json
    simulation = _simulation(
        CountedSimulation if counts else Simulation, plan, tally, keep=who is not None
    )
    facts = simulation.run(plan.arrivals, plan.until_ms, announcements=plan.announcements)
    if who is not None:
        deque(facts, maxlen=0)
        show_lead(
            simulation, plan.last, who, story=explain is not None, score=True, as_json=as_json
        )
    elif as_json:
        for stored in facts:
            typer.echo(json.dumps(as_document(as_record(stored)), ensure_ascii=False))
    else:
        counted = Counter((stored.topic, _what(stored)) for stored in facts)
        _summary(counted, tally, plan, simulation.host.log.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be simulated. ``last``: the agreement in force at the end; ``start_ms``: when the
    first event arrives."""

    first: CompiledAgreement
    last: CompiledAgreement
    arrivals: EventFile
    start_ms: int
    announcements: list[Announcement]
    absences: list[PeopleRecord]
    until_ms: int | None


def _simulation(kind: type[Simulation], plan: _Plan, tally: Tally, *, keep: bool) -> Simulation:
    def note(stored: Seen, arrival: Arrival | None) -> None:
        tally.note(stored, arrival.place if arrival else "")

    return kind(
        text=canonical_text(plan.first.raw),
        version=plan.first.version,
        start_ms=plan.start_ms,
        known=[*plan.absences, *book_records(plan.first.raw.attached)],
        keep=keep,
        watch=dict.fromkeys(COUNTED, note),
    )


def _plan(
    agreement: Path,
    events: Path,
    *,
    until_ms: int | None,
    then: Path | None,
    at: str | None,
    away: list[str],
) -> _Plan:
    first = last = compiled_of(read_agreement(agreement))
    arrivals, start_ms = _within(events, until_ms)
    announcements: list[Announcement] = []
    if then is not None:
        second, announced = _second(then, at, start_ms)
        announcements.append(announced)
        if announced.effective_at_ms <= (arrivals.latest_ms if until_ms is None else until_ms):
            last = second
    return _Plan(
        absences=[_absence(first, text) for text in away],
        first=first,
        last=last,
        arrivals=arrivals,
        start_ms=start_ms,
        announcements=announcements,
        until_ms=until_ms,
    )


def _calm_collector() -> None:
    """The collector of cyclic garbage looks seldom: a simulation makes many objects and no
    cycles."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _within(path: Path, until_ms: int | None) -> tuple[EventFile, int]:
    """The events up to the end, and when the first one arrives."""
    events = EventFile(path, until_ms)
    if events.first_ms is None:
        raise typer.BadParameter("the file has no events", param_hint="--events")
    if not events:
        raise typer.BadParameter(
            f"the first event is of {written(events.first_ms)}, after the end",
            param_hint="--until",
        )
    return events, events.first_ms


def _second(path: Path, at: str | None, start_ms: int) -> tuple[CompiledAgreement, Announcement]:
    if at is None:
        raise typer.BadParameter("needs --at: when it is in force", param_hint="--then")
    model = read_agreement(path)
    text, in_force_ms = canonical_text(model), moment_ms(at)
    if in_force_ms <= start_ms:
        raise typer.BadParameter(
            f"must be after the first event ({written(start_ms)})", param_hint="--at"
        )
    announced = Announcement(
        at_ms=max(start_ms, in_force_ms - _PUBLISHED_BEFORE_MS),
        text=text,
        version=version_of(text),
        effective_at_ms=in_force_ms,
        books=model.attached,
    )
    return compiled_of(model), announced


def _absence(agreement: CompiledAgreement, text: str) -> PeopleRecord:
    person, _, rest = text.partition("/")
    starts, _, ends = rest.partition("/")
    if not ends:
        raise typer.BadParameter(
            f"{text!r} is not PERSON/FROM/UNTIL, as in sdr-anna/2026-03-02/2026-03-05",
            param_hint="--away",
        )
    return absence_of(agreement, person, starts=starts, ends=ends, reason="away", cancelled=False)


def _what(stored: Seen) -> str:
    """The word by which facts of a topic are counted."""
    record = TOPICS[stored.topic].record
    if record is None or stored.value is None:
        return ""
    value: object = read(stored, record)
    for name in ("to_stage", "state", "kind", "outcome", "level"):
        if found := getattr(value, name, None):
            return str(found)
    return ""


def _summary(counted: Counter[tuple[str, str]], tally: Tally, plan: _Plan, now: int) -> None:
    table = Table(
        box=None,
        header_style="bold",
    )
    for heading in ("topic", "what", "facts"):
        table.add_column(heading, justify="right" if heading == "facts" else "left")
    for (topic, what), number in sorted(counted.items()):
        table.add_row(topic, what, str(number))
    console = Console()
    console.print(f"{number_of(len(plan.arrivals), 'event')}, until {written(now)}", style="italic")
    console.print(table)
    lines = [
        *tally.lines(),
        *(
            [f"after the end, and left out: {number_of(plan.arrivals.left_out, 'event')}"]
            if plan.arrivals.left_out
            else []
        ),
    ]
    for line in lines or ["every event was taken"]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)

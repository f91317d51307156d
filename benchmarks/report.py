"""Rows out of results: what is measured, what exactly it does, the figure, its target and whether
it is met. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.chain_report import audit_row, chain_rows
from benchmarks.hops import HOPS
from benchmarks.row import NOT_ASKED, Results, Row, quotient, row_of, unmeasured

RESTORE_S, TIMER_US, IDLE_SHARE = 15.0, 1.5, 0.03
P99_MS, P99_RATE, PEEK_MS = 250.0, 300, 300.0
BEHIND_MS = 250
"""So much later than it is due an event may be sent, and the rate still be called steady."""
LEAD_TO_FAUST, EMPTY_TO_STREAMS = 0.1, 1.2
LEAD_US, LEAD_GROWTH = 60.0, 1.15
"""Of the lead reducer in memory: an event at so many leads, and at how many times as many against
it."""
BASE_LEADS, MANY_LEADS = 100_000, 1_000_000


_EVENTS: tuple[tuple[str, str, str], ...] = (
    ("loop", "(a) bare loop", "aiokafka, fastavro; no state, no output, no transaction"),
    (
        "empty",
        "(b) engine, empty reducer",
        "exactly once: decode, journal, offsets in transactions; no state, no output",
    ),
    (
        "adding",
        "(b+) engine, state and fact",
        "exactly once: decode, a count and latest moment a lead with changelog, a fact an event",
    ),
    (
        "lead",
        "(c) engine, lead reducer",
        "exactly once: the scorer's lead reducer, 60 rules, some ten acts a lead",
    ),
    (
        "faust",
        "(d) Faust agent, table and fact",
        "at least once: fastavro, the state of (b+) in a table in memory with changelog, its fact",
    ),
    ("faust_table", "(d-) Faust agent, table only", "at least once: the same, no fact"),
    (
        "streams",
        "(e) Kafka Streams",
        "exactly once v2: Avro's GenericDatumReader, the state and fact of (b+), in-memory store, 1 thread, 100 ms",
    ),
)

_RATIOS: tuple[tuple[str, str, str, str, float | None], ...] = (
    ("lead_to_faust", "(c) / (d)", "lead", "faust", LEAD_TO_FAUST),
    ("lead_to_faust_table", "(c) / (d-)", "lead", "faust_table", None),
    ("empty_to_streams", "(b) / (e)", "empty", "streams", EMPTY_TO_STREAMS),
    ("adding_to_streams", "(b+) / (e)", "adding", "streams", None),
    ("adding_to_faust", "(b+) / (d)", "adding", "faust", None),
    ("empty_to_loop", "(b) / (a)", "empty", "loop", None),
    ("adding_to_loop", "(b+) / (a)", "adding", "loop", None),
)

CHAINS: tuple[tuple[str, str, str], ...] = (
    ("chain", "the whole chain", "30,000 events of 3,000 people in 750 companies, over HTTP"),
    ("chain_company", "one company of 500", "as many events of 500 people in one company"),
    ("chain_list", "a list of people", "20,000 rows by baton import; an event is a row"),
)

_CORE = (
    ("timer_start_us", "a million timers: start one", "us", TIMER_US),
    ("timer_move_us", "a million timers: move one", "us", None),
    ("timer_stop_us", "a million timers: stop one", "us", TIMER_US),
    ("timer_fire_us", "a million timers: fire one", "us", TIMER_US),
    ("decode_us", "decode an event, no engine", "us", None),
    ("sink_us", "engine in memory: reducer does nothing", "us", None),
    ("pass_us", "engine in memory: an event on as a fact", "us", None),
    ("keep_us", "engine in memory: head, timer and fact", "us", None),
)


def shown(found: list[Row]) -> list[Row]:
    """The rows without those that were not asked for."""
    return [row for row in found if NOT_ASKED not in row.shown]


def rows(results: Results, *, leads: tuple[int, ...], rates: tuple[int, ...]) -> list[Row]:
    """Every row there is, in order, measured or not. ``leads``: the populations that the lead
    reducer was to be measured with; ``rates``: events a second of the ways to routed."""
    parts: tuple[Callable[[], list[Row]], ...] = (
        lambda: [row for mix in CHAINS if mix[0] in results for row in chain_rows(results, *mix)],
        lambda: [audit_row(results)] if "audit" in results else [],
        lambda: [row for rate in rates for row in _way(results, rate)],
        lambda: [_events(results, *words) for words in _EVENTS],
        lambda: [_ratio(results, *words) for words in _RATIOS],
        lambda: _restore(results),
        lambda: _leads(results, leads),
        lambda: [_core(results, *words) for words in _CORE],
        lambda: _concierge(results),
        lambda: _hop(results),
        lambda: _hops(results),
        lambda: _small(results),
    )
    return [row for part in parts for row in part()]


def _events(results: Results, name: str, label: str, does: str) -> Row:
    def make(found: Any) -> tuple[float, str]:
        java = f", from the JVM's start {found['jvm_cpu_us']}" if "jvm_cpu_us" in found else ""
        shown = (
            f"{found['cpu_us']} us CPU an event, {found['per_second']:,}/s (from its start "
            f"{found['whole_cpu_us']}{java})"
        )
        return found["cpu_us"], shown

    return row_of(
        results, name, name, label, does, make, unit="us of CPU an event, second half of the run"
    )


def _ratio(
    results: Results, name: str, label: str, one: str, other: str, target: float | None
) -> Row:
    does = "CPU an event against CPU an event, second halves"
    return quotient(
        results,
        one,
        other,
        lambda it: float(it["cpu_us"]),
        name=name,
        label=label,
        does=does,
        target=target,
    )


def _restore(results: Results) -> list[Row]:
    filled = results.get("restore_fill", {})
    size = (
        f"{filled['leads']:,} leads of {filled['changelog_bytes_a_lead']:.0f} bytes"
        if "leads" in filled
        else "leads"
    )
    does = (
        f"{size} in the lead reducer's changelog, 4 partitions, one process, with the position "
        "check"
    )
    return [
        row_of(
            results,
            "restore",
            "restore_s",
            "restore",
            f"start of the engine to ready: {does}",
            lambda it: (it["seconds"], f"{it['seconds']:.1f} s ({it['cpu_s']:.1f} s of CPU)"),
            target=RESTORE_S,
            unit="s",
        ),
        row_of(
            results,
            "restore",
            "restored_bytes",
            "memory a lead, restored",
            f"resident, after it: {does}",
            lambda it: (it["bytes_a_lead"], f"{it['bytes_a_lead']:,.0f} bytes"),
            unit="bytes",
        ),
    ]


def _leads(results: Results, leads: tuple[int, ...]) -> list[Row]:
    found = []
    for number in leads:
        part, does = (
            f"leads_{number}",
            "lead reducer in memory, no broker: 60 rules, 30 live entries a lead",
        )
        found += [
            row_of(
                results,
                part,
                f"lead_us_{number}",
                f"an event at {number:,} leads",
                does,
                lambda it: (_event_us(it), f"{_event_us(it):.1f} us CPU an event"),
                unit="us",
                target=LEAD_US if number == BASE_LEADS else None,
            ),
            row_of(
                results,
                part,
                f"lead_bytes_{number}",
                f"memory a lead at {number:,} leads",
                does,
                lambda it: (
                    it["populations"][0]["bytes_a_lead"],
                    f"{it['populations'][0]['bytes_a_lead']:,.0f} bytes",
                ),
                unit="bytes",
            ),
        ]
    return [*found, _growth(results)] if {BASE_LEADS, MANY_LEADS} <= set(leads) else found


def _growth(results: Results) -> Row:
    label, does = (
        "an event at a million leads / at 100,000",
        "lead reducer in memory: what a larger population costs",
    )
    many, base = f"leads_{MANY_LEADS}", f"leads_{BASE_LEADS}"
    return quotient(
        results,
        many,
        base,
        _event_us,
        name="lead_growth",
        label=label,
        does=does,
        target=LEAD_GROWTH,
    )


def _event_us(found: Any) -> float:
    return float(found["populations"][0]["event_us"])


def _core(results: Results, name: str, label: str, unit: str, target: float | None) -> Row:
    does = "timers of a task" if name.startswith("timer") else "one process, no broker"
    return row_of(
        results,
        "core",
        name,
        label,
        does,
        lambda it: (it[name], f"{it[name]:.2f} us"),
        unit=unit,
        target=target,
    )


def _way(results: Results, rate: int) -> list[Row]:
    """202 to routed at so many events a second; idle and busy shares beside it."""
    part = f"way_{rate}"

    def way(found: Any) -> tuple[float, str]:
        measured = found["way"]
        lost = "" if measured["routed"] == measured["asked"] else " (not all came)"
        late = (
            f"; the sender fell up to {measured['sender_behind_ms']} ms behind"
            if measured["sender_behind_ms"] > BEHIND_MS
            else ""
        )
        # A record that never came is later than any: no p99 of the others may stand for it.
        value = float("inf") if lost or measured["p99_ms"] is None else measured["p99_ms"]
        return (
            value,
            (
                f"p50 {measured['p50_ms']} ms, p99 {measured['p99_ms']} ms, "
                f"{measured['routed']} of {measured['asked']} routed{lost}{late}"
            ),
        )

    def share(kind: str) -> Callable[[Any], tuple[float, str]]:
        def make(found: Any) -> tuple[float, str]:
            shares = ", ".join(
                f"{name} {part:.1%}" for name, part in found[kind].items() if name != "all"
            )
            return found[kind]["all"], f"{found[kind]['all']:.1%} of a core ({shares})"

        return make

    return [
        row_of(
            results,
            part,
            f"idle_share_{rate}",
            "idle",
            "all processes, nothing comes in; the broker apart",
            share("idle"),
            target=IDLE_SHARE,
            unit="cores",
        ),
        row_of(
            results,
            part,
            f"way_p99_ms_{rate}",
            f"202 to routed at {rate:,}/s",
            "HTTP 202 to the committed routed record of a complete lead, steady rate, all processes",
            way,
            target=P99_MS if rate == P99_RATE else None,
            unit="ms",
        ),
        row_of(
            results,
            part,
            f"busy_share_{rate}",
            f"all processes at {rate:,}/s",
            "the same run; the broker apart",
            share("busy"),
            unit="cores",
        ),
    ]


def _concierge(results: Results) -> list[Row]:
    """Measured only where it is named."""
    if "concierge" not in results:
        return []

    def call(name: str) -> Callable[[Any], tuple[float, str]]:
        def make(found: Any) -> tuple[float, str]:
            times, events = found[name], found["events"]
            late = f", {found['peek_over_300_ms']} over 300 ms" if name == "peek" else ""
            beside = f"beside {events['sent']} events, 202 to routed p99 {events['p99_ms']} ms"
            return times["p99_ms"], (
                f"p50 {times['p50_ms']} ms, p99 {times['p99_ms']} ms, longest "
                f"{times['longest_ms']} ms of {times['answers']}{late}; {beside}"
            )

        return make

    does = "open forms at a steady rate beside events, all services; each form of another buyer"
    return [
        row_of(
            results,
            "concierge",
            "concierge_peek_p99_ms",
            "peek",
            does,
            call("peek"),
            target=PEEK_MS,
            unit="ms",
        ),
        row_of(
            results, "concierge", "concierge_claim_p99_ms", "claim", does, call("claim"), unit="ms"
        ),
    ]


def _hops(results: Results) -> list[Row]:
    """Measured only where it is named: a row for the task that writes the record of a hop."""
    if "hops" not in results:
        return []

    def make(number: int) -> Callable[[Any], tuple[float, str]]:
        def made(found: Any) -> tuple[float, str]:
            hop = found["hops"][number]
            both = [(name, hop[name]) for name in ("task", "commit") if name in hop]
            shown = [f"{name} p50 {one['p50_ms']}, p99 {one['p99_ms']} ms" for name, one in both]
            return sum(one["p50_ms"] or 0 for _, one in both), ", ".join(shown)

        return made

    does = "seen by the task before, to appended (task), to seen by the next one (commit)"
    return [
        row_of(
            results, "hops", f"hops_{number}", f"{by} writes {topic}", does, make(number), unit="ms"
        )
        for number, (by, topic) in enumerate(HOPS)
    ]


def _hop(results: Results) -> list[Row]:
    def make(found: Any) -> tuple[float, str]:
        come = f"{found['came']} of {found['sent']} came"
        return (
            found["p99_ms"],
            (
                f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, {come}; "
                f"{found['worker_cpu_share']:.1%} of a core"
            ),
        )

    does = "one exactly-once hop of (b+) at a steady rate: event handed over to committed fact"
    return [row_of(results, "hop", "hop_p99_ms", "one hop", does, make, unit="ms")]


def _small(results: Results) -> list[Row]:
    found = []
    for name in ("encode", "decode"):
        found.append(
            row_of(
                results,
                "codec",
                f"codec_{name}",
                f"{name} a lead event",
                "compiled codec, and fastavro on the same record",
                lambda it, name=name: (
                    it[name]["compiled_us"],
                    f"{it[name]['compiled_us']:.2f} us, fastavro {it[name]['fastavro_us']:.2f}",
                ),
                unit="us",
            )
        )
    return (
        found
        + _questions(results, "agreement", "compiled agreement of 60 criteria")
        + _questions(results, "intake", "the way in, one process, no broker: CPU an event")
    )


def _questions(results: Results, part: str, does: str) -> list[Row]:
    """A row for each figure of a part that names them itself; one row where it has none."""
    if why := unmeasured(results, part):
        return [Row(name=part, label=part, does=does, shown=why)]
    return [
        Row(
            name=f"{part}_{number}",
            label=label,
            does=does,
            shown=f"{cost:.2f} us",
            value=cost,
            unit="us",
        )
        for number, (label, cost) in enumerate(results[part].items())
    ]

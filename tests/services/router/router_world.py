"""The router's three reducers on the log in memory, a small agreement, and words to make what they
read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import Absence, AgreementReference, reference_of
from baton.agreement.source.yaml import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.intake import Command, LeadCommand
from baton.contracts.leads import LeadQualified, LeadStaged, Story
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import SlaAction
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.engine.changelog import explain
from baton.engine.memory import MemoryHost
from baton.engine.reducer import Event
from services.router.app import SERVICE
from tests.streams import stream_of

MONDAY_0900 = 1_793_606_400_000  # 2026-11-02, 09:00 in Berlin
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
OUTPUTS = ("leads.routed.sdr.v1", "leads.routed.sales.v1", "leads.unrouted.v1", "leads.handoffs.v1")
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "agreements" / "software.yaml"

PEOPLE: Mapping[str, Any] = {
    "ann": {"name": "Ann", "manager": "mona", "skills": ["english", "german"]},
    "bob": {"name": "Bob", "manager": "mona", "skills": ["english"]},
    "cid": {"name": "Cid", "manager": "mona", "skills": ["english"]},
    "rex": {"name": "Rex", "manager": "mona", "skills": ["english"]},
    "sue": {"name": "Sue", "manager": "mona", "skills": ["english"]},
    "mona": {"name": "Mona"},
    "olaf": {"name": "Olaf"},
}
POOLS: Mapping[str, Any] = {
    "bridge": {"kind": "sdr", "members": {"ann": {}, "bob": {}, "cid": {}}},
    "field": {"kind": "sales", "members": {"rex": {}, "sue": {}}},
}
ROUTING: Mapping[str, Any] = {"default": {"sdr": "bridge", "sales": "field"}}


@cache
def _example() -> Mapping[str, Any]:
    plain = read_yaml(EXAMPLE.read_bytes()).data
    return {name: section for name, section in plain.items() if name != "examples"}


def agreement(
    *,
    people: Mapping[str, Any] = PEOPLE,
    pools: Mapping[str, Any] = POOLS,
    routing: Mapping[str, Any] = ROUTING,
    **sections: Any,
) -> CompiledAgreement:
    """The example agreement with people, pools and routing of the test's own."""
    plain = dict(_example())
    hours = {"open": {"timezone": "Europe/Berlin", "hours": {"mon-fri": "09:00-17:00"}}}
    plain |= {
        "people": people,
        "pools": pools,
        "routing": routing,
        "calendars": hours,
        "calendar": "open",
    }
    plain["slas"] = {
        "ladders": {"none": [{"do": "notify", "to": "owner"}]},
        "promises": [{"clock": "accept", "within": "1 business hour", "use_ladder": "none"}],
    }
    return compiled_of(model_of(plain | sections))


class Book:
    """References by the time from which they hold; nothing is read from a topic."""

    topics: tuple[str, ...] = ()

    def __init__(self, first: AgreementReference) -> None:
        self.held = [(-1, first)]

    def add(self, event: Event) -> None:
        raise AssertionError(f"{event.topic} is no reference topic here")

    def at(self, now: int) -> AgreementReference:
        return [reference for since, reference in self.held if since <= now][-1]


class World:
    """The router, running. ``said`` gives what it published since it was asked last."""

    def __init__(
        self,
        agreed: CompiledAgreement | None = None,
        *,
        absences: tuple[Absence, ...] = (),
        at: int = MONDAY_0900,
    ) -> None:
        self.book = Book(reference_of(agreed or agreement(), absences))
        self.host = MemoryHost(SERVICE.reducers, self.book, start_ms=at)
        self._read = 0

    @property
    def now(self) -> int:
        return self.host.log.now

    def adopt(self, agreed: CompiledAgreement, *, absences: tuple[Absence, ...] = ()) -> None:
        """Another agreement holds from now on."""
        self.book.held.append((self.now, reference_of(agreed, absences)))
        self.host.settle()

    def wait(self, ms: int) -> None:
        self.host.advance(self.now + ms)

    def send(self, *values: Any) -> None:
        """Append the values, all before the router looks."""
        for value in values:
            topic, record = stream_of(value)
            self.host.send(topic, value.lead_id, record)

    def qualify(self, *values: LeadQualified) -> None:
        self.send(*values)
        self.host.settle()

    def stage(self, *values: LeadStaged) -> None:
        self.send(*values)
        self.host.settle()

    def act(self, *values: SlaAction) -> None:
        self.send(*values)
        self.host.settle()

    def command(self, *values: LeadCommand) -> None:
        self.send(*values)
        self.host.settle()

    def records(self, *topics: str) -> list[tuple[str, Any]]:
        """What was published since the last time, in order: topic and value."""
        history = self.host.log.history[self._read :]
        self._read = len(self.host.log.history)
        wanted = topics or OUTPUTS
        return [
            (record.topic, _decoded(record.topic, record.value))
            for record in history
            if record.topic in wanted
        ]

    def said(self) -> list[str]:
        """The same in words, one line each."""
        return [words(value) for _, value in self.records()]

    def state(self, reducer: str) -> tuple[dict[str, Any], dict[tuple[str, str, str], Any]]:
        """The heads of a reducer by key, and its entries by kind, key and item, as its changelog
        has them."""
        types = {service.name: service for service in SERVICE.reducers}[reducer]
        kinds = {kind.name: kind.type for kind in types.entry_kinds}
        heads: dict[str, Any] = {}
        entries: dict[tuple[str, str, str], Any] = {}
        for record in self.host.log.history:
            if record.topic != f"{reducer}.changelog.v1" or record.key is None:
                continue
            found = explain(record.key, record.value)
            if found.part == "entry":
                entries[found.kind, found.key, found.item] = _decoded_as(
                    kinds[found.kind], found.value
                )
            elif found.part == "head":
                assert types.head_type is not None
                heads[found.key] = _decoded_as(types.head_type, found.value)
        return (
            {key: value for key, value in heads.items() if value is not None},
            {place: value for place, value in entries.items() if value is not None},
        )


def _decoded_as(record: type, value: bytes | None) -> Any:
    return None if value is None else codec_for(record).decode(value)


def _decoded(topic: str, value: bytes | None) -> Any:
    record = TOPICS[topic].record
    assert record is not None
    assert value is not None
    return codec_for(record).decode(value)


def words(value: Any) -> str:
    """A fact of the router in a line: what happened to which lead's which attempt, who and
    where."""
    match value:
        case LeadRouted():
            turn = "" if value.turn_used else ", no turn"
            return (
                f"{value.lead_id}#{value.attempt} routed to {value.owner} in {value.pool} by "
                f"{value.rule}{turn}"
            )
        case LeadUnrouted():
            place = f" in {value.pool}" if value.pool else ""
            watcher = f" by {value.watcher}" if value.watcher else ""
            return (
                f"{value.lead_id}#{value.attempt} {value.outcome}{place}{watcher}: {value.reason}"
            )
        case HandoffNoted():
            who = f" from {value.owner}" if value.owner else ""
            return f"{value.lead_id}#{value.attempt} {value.kind}{who}: {value.reason}"
        case other:
            raise AssertionError(f"the router does not say {type(other).__name__}")


def qualified(
    lead: str,
    *,
    leg: str = "sdr",
    level: str = "warm",
    account: str | None = None,
    cycle: int = 1,
    n: int = 0,
    at: int = MONDAY_0900,
    raised: bool = False,
    profile: Mapping[str, str] | None = None,
    consents: Mapping[str, str] | None = None,
    **more: Any,
) -> LeadQualified:
    """A qualification of ``lead``, the ``n``-th one of its cycle."""
    return LeadQualified(
        qualification_id=qualification_id(lead, cycle=cycle, n=n),
        lead_id=lead,
        cycle=cycle,
        leg=leg,
        level=level,
        grade="A1",
        fit_micro=80_000_000,
        engagement_micro=50_000_000,
        hand_raised=raised,
        cause_id=f"cause-{lead}",
        qualified_at_ms=at,
        received_at_ms=at,
        segment="mid_market",
        story=Story(account_id=account, profile=profile or {}, consents=consents or {}),
        agreement="v",
        **more,
    )


def qualification_id(lead: str, *, cycle: int = 1, n: int = 0) -> str:
    return f"q-{lead}-{cycle}-{n}"


def handoff_id(lead: str, attempt: int = 1, *, cycle: int = 1, n: int = 0) -> str:
    return derived_id("handoff", qualification_id(lead, cycle=cycle, n=n), attempt)


def staged(
    lead: str,
    event: str,
    *,
    by: str | None = None,
    attempt: int | None = 1,
    at: int = MONDAY_0900,
    **more: Any,
) -> LeadStaged:
    """A move of ``lead`` in its cycle, about one attempt of its hand-off (None: it names none)."""
    base = LeadStaged(
        lead_id=lead,
        cycle=1,
        from_stage="mql",
        to_stage="sal",
        event=event,
        actor="sales",
        cause_id=f"{event}-{lead}-{attempt}",
        at_ms=at,
        occurred_at_ms=at,
        evidence_at_ms=at,
        agreement="v",
        by=by,
        handoff_id=None if attempt is None else handoff_id(lead, attempt),
        qualification_id=qualification_id(lead, cycle=more.get("cycle", 1)),
    )
    return replace(base, **more)


def action(
    lead: str, kind: str, *, at: int, attempt: int = 1, n: int = 0, **more: Any
) -> SlaAction:
    """A step of the ladder about one attempt of the hand-off of ``lead``."""
    base = SlaAction(
        action_id=f"{kind}-{lead}-{attempt}-{n}",
        kind=kind,
        lead_id=lead,
        handoff_id=handoff_id(lead, attempt),
        clock_id="clock",
        at_ms=at,
        cause_id="breach",
        agreement="v",
    )
    return replace(base, **more)


def command(
    lead: str, kind: str, by: str, *, n: int = 0, attempt: int | None = None, **more: Any
) -> LeadCommand:
    """What a person wants done with the hand-off of ``lead``."""
    wish = Command(
        kind=kind, by=by, handoff_id=None if attempt is None else handoff_id(lead, attempt), **more
    )
    return LeadCommand(
        event_id=f"{kind}-{lead}-{by}-{n}",
        lead_id=lead,
        source="crm",
        occurred_at_ms=MONDAY_0900,
        received_at_ms=MONDAY_0900,
        command=wish,
    )

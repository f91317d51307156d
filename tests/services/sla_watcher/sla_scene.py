"""A stage for the SLA watcher: one lead, an agreement, and the in-memory log as the clock.

What the service says is reported in lines, so that a test can compare the whole of it: ``Mon 11:00
accept breached``. Times are given and shown as ``Mon 11:00`` in the week of 2026-03-02, or as
``2026-03-02 11:00``, in Berlin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import Absence, AgreementReference, reference_of
from baton.agreement.source.yaml import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress, GoalTally
from baton.contracts.intake import Act, LeadAct
from baton.contracts.leads import LeadAmended, LeadQualified, Story
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled, SlaAction, SlaClock, SlaViolation
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.engine.changelog import head_key, unpack_head
from baton.engine.memory import MemoryHost, Stored
from baton.engine.reducer import EntryKind, Event, Step
from services.sla_watcher.clocks.reducer import Clocks
from services.sla_watcher.clocks.state import LeadClocks
from services.sla_watcher.goals.reducer import Goals
from tests.streams import decision, move_of, stream_of

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONDAY = datetime(2026, 3, 2, tzinfo=BERLIN)
LEAD = "lead-1"
PRIVATE = ("sla.leads.v1", "sla.escalations.v1")

BASE = """
agreement: 1
name: A small firm
timezone: Europe/Berlin
calendar: office
definitions:
  acts: {demo: Asked for a demo}
  profile: {country: text}
  segments: [{name: big, when: {field: profile.country, op: is, value: DE}}]
  levels:
    fit: {A: {enter: 0}}
    engagement: {1: {enter: 10}, 2: {enter: 0}}
    matrix: {A: {1: hot, 2: cold}}
fit:
  Sells where we sell: {points: 20, when: {field: profile.country, op: is, value: DE}}
engagement:
  groups: {intent: {half_life: 30 days}}
  acts: {demo: {points: 40, group: intent, fast_track: true, max_age: 7 days}}
lifecycle: {bridge: warm leads}
calendars:
  office: {hours: {mon-fri: 09:00-17:00}}
  with-lunch: {hours: {mon-fri: "09:00-12:00, 13:00-17:00"}}
people:
  ann: {name: Ann, manager: max}
  bob: {name: Bob, manager: max}
  cat: {name: Cat, manager: max}
  max: {name: Max}
pools:
  sdrs: {kind: sdr, members: {ann: {}, bob: {}}, manager: max}
  reps: {kind: sales, members: {ann: {}, bob: {}, cat: {}}, manager: max}
routing:
  default: {sdr: sdrs, sales: reps}
slas:
  evidence_grace: {crm: 10 minutes}
  promises:
    - {clock: accept, within: 1 business hour, evidence_grace: 0 minutes, ladder: [{do: notify}]}
recycling:
  limit: 2
  long_term: {track: letters, comes_back: 365 days}
  fallback: not_ready
  tracks: {learn: {}, letters: {}}
  reasons:
    not_ready: {outcome: recycle, track: learn, comes_back: after 30 days, cool_off: 7 days}
    in_contract: {outcome: recycle, track: learn, comes_back: contract_end - 60 days, if_unknown: 180 days}
    sla_expired: {outcome: recycle, track: learn, comes_back: after 14 days}
    not_icp: {outcome: disqualify}
    misrouted: {outcome: reassign, turn_back: true}
consent:
  hand_off: {purpose: sales, channels: [phone], basis: opt-out}
  nurture: {purpose: marketing, channels: [email], basis: opt-out}
"""


def law(examples: int) -> settings:
    """Settings of a law: so many examples, on a machine that may be busy."""
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


def plain_agreement(**sections: Any) -> dict[str, Any]:
    """The base agreement as plain data, with whole sections replaced; text is read as YAML."""
    plain = plain_section(BASE)
    for name, section in sections.items():
        plain[name] = plain_section(section) if isinstance(section, str) else section
    return plain


def agreement(**sections: Any) -> CompiledAgreement:
    """The base agreement, compiled, with whole sections replaced."""
    return compiled_of(model_of(plain_agreement(**sections)))


def promises(text: str, *, grace: str = "{crm: 10 minutes}") -> dict[str, Any]:
    """A section ``slas`` with these promises."""
    return plain_section(f"evidence_grace: {grace}\npromises:\n{text}")


def plain_section(text: str) -> Any:
    """What a text says, read as a file is."""
    document = read_yaml(text)
    assert document.problems == ()
    return document.data


def ms(when: str) -> int:
    """``Mon 11:00``, ``Mon+1 11:00`` (a week later), ``Mon 11:00:30`` or ``2026-03-02 11:00`` in
    Berlin, as milliseconds."""
    day, clock = when.split(" ")
    if day[:3] in DAYS:
        weeks = int(day[4:] or 0)
        date = MONDAY + timedelta(days=DAYS.index(day[:3]) + 7 * weeks)
    else:
        date = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return (
        int(date.replace(hour=hour, minute=minute, second=second[0] if second else 0).timestamp())
        * 1000
    )


def words(at_ms: int | None) -> str:
    """The inverse of :func:`ms`."""
    if at_ms is None:
        return "never"
    at = datetime.fromtimestamp(at_ms / 1000, BERLIN)
    clock = at.strftime("%H:%M") + (at.strftime(":%S") if at.second else "")
    weeks, day = divmod((at.date() - MONDAY.date()).days, 7)
    if not 0 <= weeks < 4:
        return f"{at:%Y-%m-%d} {clock}"
    return f"{DAYS[day]}{f'+{weeks}' if weeks else ''} {clock}"


class Terms:
    """A reference book whose agreements a test puts into force by hand."""

    topics: tuple[str, ...] = ()

    def __init__(self, first: CompiledAgreement) -> None:
        self._from: list[tuple[int, AgreementReference]] = [(-(1 << 62), reference_of(first))]

    def add(self, event: Event) -> None:
        raise AssertionError("no reference topic")

    def at(self, now: int) -> AgreementReference:
        return [reference for since, reference in self._from if since <= now][-1]

    def put(self, at_ms: int, reference: AgreementReference) -> None:
        self._from.append((at_ms, reference))


class Scene:
    """One lead and the SLA watcher over it, from ``start`` on."""

    def __init__(
        self, terms: CompiledAgreement | None = None, *, start: str = "Mon 10:00", lead: str = LEAD
    ) -> None:
        self.terms = Terms(terms or agreement())
        self.host = MemoryHost([Clocks(), Goals()], self.terms, start_ms=ms(start))
        self.lead = lead
        self.owners: dict[str, str] = {}
        self._reported = 0
        self._number = 0

    # ------------------------------------------------------------------ what happens

    def at(self, when: str) -> Scene:
        """Let time pass until ``when``."""
        self.host.advance(ms(when))
        return self

    def adopt(self, new: CompiledAgreement, *, absences: tuple[Absence, ...] = ()) -> Scene:
        """Put a new agreement, or absences, into force now."""
        self.terms.put(self.host.log.now, reference_of(new, absences))
        self.host.settle()
        return self

    def qualified(
        self,
        name: str = "q1",
        *,
        leg: str = "sales",
        level: str = "hot",
        cycle: int = 1,
        **more: Any,
    ) -> Scene:
        now = self.host.log.now
        record = LeadQualified(
            qualification_id=name,
            lead_id=self.lead,
            cycle=cycle,
            leg=leg,
            level=level,
            grade="A1",
            fit_micro=0,
            engagement_micro=0,
            hand_raised=more.pop("hand_raised", False),
            cause_id=self._id(),
            qualified_at_ms=now,
            received_at_ms=more.pop("received_at_ms", now),
            segment=more.pop("segment", "big"),
            story=more.pop("story", Story()),
            agreement="a",
            **more,
        )
        return self._send(record)

    def routed(
        self,
        owner: str = "ann",
        *,
        attempt: int = 1,
        name: str = "q1",
        leg: str = "sales",
        **more: Any,
    ) -> Scene:
        now = self.host.log.now
        qualified = LeadQualified(
            qualification_id=name,
            lead_id=self.lead,
            cycle=more.get("cycle", 1),
            leg=leg,
            level=more.get("level", "hot"),
            grade="A1",
            fit_micro=0,
            engagement_micro=0,
            hand_raised=False,
            cause_id="c",
            qualified_at_ms=now,
            received_at_ms=now,
            segment="big",
            story=Story(),
            agreement="a",
        )
        record = LeadRouted(
            handoff_id=f"{name}/{attempt}",
            qualification_id=name,
            attempt=attempt,
            lead_id=self.lead,
            cycle=more.get("cycle", 1),
            leg=leg,
            pool=more.get("pool", "reps" if leg == "sales" else "sdrs"),
            owner=owner,
            level=more.get("level", "hot"),
            segment="big",
            hand_raised=False,
            routed_at_ms=more.get("routed_at_ms", now),
            qualified_at_ms=now,
            path=(),
            candidates=(),
            rule="default",
            turn_used=True,
            qualified=qualified,
            agreement="a",
        )
        self.owners[record.handoff_id] = owner
        return self._send(record)

    def unrouted(
        self, outcome: str = "held", *, reason: str = "nobody", name: str = "q1", attempt: int = 1
    ) -> Scene:
        record = LeadUnrouted(
            handoff_id=f"{name}/{attempt}",
            qualification_id=name,
            attempt=attempt,
            lead_id=self.lead,
            cycle=1,
            outcome=outcome,
            reason=reason,
            pool="reps",
            at_ms=self.host.log.now,
            path=(),
            candidates=(),
            agreement="a",
        )
        return self._send(record)

    def noted(self, kind: str, reason: str, *, name: str = "q1", attempt: int = 1) -> Scene:
        record = HandoffNoted(
            handoff_id=f"{name}/{attempt}",
            qualification_id=name,
            attempt=attempt,
            lead_id=self.lead,
            kind=kind,
            reason=reason,
            cause_id=self._id(),
            at_ms=self.host.log.now,
            owner=self.owners.get(f"{name}/{attempt}"),
            pool="reps",
            leg="sales",
        )
        return self._send(record)

    def staged(
        self,
        event: str,
        to: str,
        *,
        by: str | None = "ann",
        received: str | None = None,
        **more: Any,
    ) -> Scene:
        now = self.host.log.now
        received_ms = ms(received) if received else now
        more.setdefault("handoff_id", "q1/1")
        occurred = more.pop("occurred", None)
        record = move_of(
            self.lead,
            event,
            before=more.pop("from_stage", "mql"),
            after=to,
            at_ms=now,
            cause_id=self._id(),
            occurred_at_ms=received_ms if occurred is None else ms(occurred),
            evidence_at_ms=received_ms,
            by=by,
            **more,
        )
        return self._send(record, received_at_ms=received_ms)

    def amended(self, level: str, *, qualification: str = "q1") -> Scene:
        """The hand-off is amended: the lead is at ``level`` now."""
        now = self.host.log.now
        record = LeadAmended(
            amendment_id=self._id(),
            lead_id=self.lead,
            cycle=1,
            qualification_id=qualification,
            handoff_id=f"{qualification}/1",
            changed=("level",),
            brief=Story(),
            leg="sales",
            level=level,
            grade="A1",
            fit_micro=0,
            hand_raised=False,
            segment=None,
            at_ms=now,
            cause_id="c",
            agreement="a",
        )
        return self._send(decision(self.lead, amended=record))

    def act(
        self, kind: str = "call", *, by: str = "ann", received: str | None = None, **more: Any
    ) -> Scene:
        received_ms = ms(received) if received else self.host.log.now
        occurred = more.pop("occurred", None)
        name = more.pop("id", None) or self._id()
        record = LeadAct(
            event_id=name,
            lead_id=self.lead,
            source=more.pop("source", "dialer"),
            occurred_at_ms=ms(occurred) if occurred else received_ms,
            received_at_ms=received_ms,
            act=Act(kind=kind, by=by, **more),
        )
        return self._send(record, received_at_ms=received_ms, id=name)

    def _send(
        self, record: Any, *, received_at_ms: int | None = None, id: str | None = None
    ) -> Scene:
        topic, said = stream_of(record)
        self.host.send(topic, self.lead, said, id=id or self._id(), received_at_ms=received_at_ms)
        self.host.settle()
        return self

    def _id(self) -> str:
        self._number += 1
        return derived_id("scene", self._number)

    # ------------------------------------------------------------------ what is said

    def facts(self) -> list[Any]:
        """Every fact said since the last asking, in order."""
        outputs = set(Clocks.outputs) | set(Goals.outputs)
        new = [
            record
            for record in self.host.log.history[self._reported :]
            if record.topic in outputs and record.value is not None
        ]
        self._reported = len(self.host.log.history)
        return [self.decoded(stored) for stored in new if stored.topic not in PRIVATE]

    def decoded(self, record: Stored) -> Any:
        """The value of a record in the log."""
        kind = TOPICS[record.topic].record
        assert kind is not None
        assert record.value is not None
        return codec_for(kind).decode(record.value)

    def lines(self, *, tallies: bool = False) -> list[str]:
        """The same, a line each; tallies and progress of goals only where asked for."""
        return lines_of(self.facts(), tallies=tallies)

    def head(self) -> LeadClocks:
        """The state of the lead, as it is in the changelog."""
        kept = [
            record
            for record in self.host.log.history
            if record.topic == "clocks.changelog.v1" and record.key == head_key(self.lead)
        ]
        assert kept[-1].value is not None
        *_, begins = unpack_head(kept[-1].value)
        return codec_for(LeadClocks).decode(kept[-1].value[begins:])


@dataclass
class Desk:
    """The clocks reducer alone, with a View over plain dictionaries: for laws, and for moments that
    are not proven.

    ``holds``: due timers wait, as those do whose upstream is behind; they fire with
    :meth:`pass_time`.
    """

    reference: AgreementReference
    key: str = LEAD
    cause: str = "cause"
    proven: bool = True
    head: Any = None
    wake_at: int | None = None
    entries: dict[tuple[str, str], Any] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)
    now: int = 0
    holds: bool = False
    reducer: Clocks = field(default_factory=Clocks)

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        return self.entries.get((kind.name, item))

    def scan(
        self,
        kind: EntryKind[Any],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> list[tuple[str, Any]]:
        found = [
            (item, value)
            for (name, item), value in sorted(self.entries.items(), reverse=reverse)
            if name == kind.name
        ]
        return [
            found_line
            for found_line in found
            if found_line[0] >= first and (below is None or found_line[0] < below)
        ][:limit]

    def count(self, kind: EntryKind[Any]) -> int:
        return len(self.scan(kind, limit=1 << 30))

    def take(self, topic: str, value: Any, *, at: int, received: int | None = None) -> None:
        """One record, appended at ``at``; what is due before it fires first, as the engine does
        it."""
        if not self.holds:
            self.pass_time(at)
        self.now = max(self.now, at)
        self.cause = derived_id("desk", topic, at, len(self.said))
        event = Event(
            topic=topic,
            partition=0,
            offset=0,
            key=self.key,
            value=stream_of(value)[1],
            id=self.cause,
            at_ms=at,
            received_at_ms=at if received is None else received,
        )
        self._absorb(self.reducer.step(self, event, now=at, reference=self.reference))

    def pass_time(self, to: int, *, proven: bool = True) -> None:
        """Fire what is due up to ``to``."""
        while self.wake_at is not None and self.wake_at <= to:
            self.now = max(self.now, self.wake_at)
            self.cause, self.proven = derived_id("wake", self.now, len(self.said)), proven
            self._absorb(self.reducer.wake(self, now=self.now, reference=self.reference))
        self.now, self.proven = max(self.now, to), True

    def adopt(self, new: AgreementReference, *, at: int) -> None:
        """Another agreement comes into force."""
        if not self.holds:
            self.pass_time(at)
        self.now = max(self.now, at)
        old, self.reference, self.cause = self.reference.version, new, derived_id("adopt", at)
        if self.head is not None and old != new.version:
            self._absorb(self.reducer.adopt(self, old=old, new=new, now=at))

    def _absorb(self, step: Step[Any]) -> None:
        self.head, self.wake_at = step.head, step.wake_at
        for key in step.drop:
            self.entries.pop((key.kind.name, key.item), None)
        for put in step.put:
            self.entries[put.kind.name, put.item] = put.value
        self.said += [fact.value for fact in step.facts if fact.topic != "sla.leads.v1"]

    def lines(self) -> list[str]:
        """What was said since the last asking."""
        said, self.said = self.said, []
        return lines_of(said)


def lines_of(facts: Sequence[Any], *, tallies: bool = False) -> list[str]:
    """Facts in words; tallies and progress of goals only where asked for."""
    return [
        _LINES[type(fact)](fact)
        for fact in facts
        if tallies or type(fact) not in (GoalTally, GoalProgress)
    ]


def _clock_line(clock: SlaClock) -> str:
    tail = f" until {words(clock.deadline_ms)}" if clock.state == "running" else ""
    who = f" ({clock.owner})" if clock.owner else ""
    inferred = ", inferred" if clock.inferred else ""
    why = f": {clock.reason}" if clock.reason else ""
    return f"{words(clock.at_ms)} {clock.clock}{who} {clock.state}{tail}{inferred}{why}"


def _violation_line(violation: SlaViolation) -> str:
    unproven = ", unproven" if violation.unproven else ""
    why = f": {violation.reason}" if violation.reason else ""
    return (
        f"{words(violation.at_ms)} {violation.kind} of {violation.goal or violation.clock} by "
        f"{violation.side}{unproven}{why}"
    )


def _action_line(action: SlaAction) -> str:
    to = f" to {action.to}" if action.to else ""
    but = f" but {', '.join(action.exclude)}" if action.exclude else ""
    return f"{words(action.at_ms)} do {action.kind} {action.handoff_id}{to}{but}: {action.reason}"


def _recycled_line(recycled: LeadRecycled) -> str:
    track = f" on {recycled.track} until {words(recycled.return_at_ms)}" if recycled.track else ""
    needs = f", needs {recycled.needs}" if recycled.needs else ""
    return f"{words(recycled.at_ms)} {recycled.outcome}: {recycled.reason}{track}{needs}"


_LINES: Mapping[type, Callable[[Any], str]] = {
    SlaClock: _clock_line,
    SlaViolation: _violation_line,
    SlaAction: _action_line,
    LeadRecycled: _recycled_line,
    LeadReactivated: lambda lead_reactivated: (
        f"{words(lead_reactivated.at_ms)} back: {lead_reactivated.reason}"
    ),
    GoalTally: lambda goal_tally: (
        f"tally {goal_tally.goal}: {goal_tally.amount} {goal_tally.metric}"
    ),
    GoalProgress: lambda goal_progress: (
        f"{words(goal_progress.at_ms)} {goal_progress.goal} {goal_progress.period} {goal_progress.achieved}/{goal_progress.target} {goal_progress.state}"
    ),
}

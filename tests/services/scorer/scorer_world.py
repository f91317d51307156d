"""The scorer's reducers on the log in memory, a small agreement whose points are easy to add up,
and words for what they read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.source.yaml import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.intake import (
    Act,
    Consent,
    Engagement,
    LeadAct,
    LeadEvent,
    LeadInput,
    LeadMerge,
    Person,
)
from baton.contracts.leads import LeadQualified, LeadRefused, LeadScored, LeadStaged
from baton.contracts.routing import HandoffNoted, LeadRouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import LeadDecision
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.engine.memory import MemoryHost
from baton.engine.reducer import Event
from services.scorer.app import SERVICE
from tests.streams import stream_of

MONDAY_0900 = 1_793_606_400_000  # 2026-11-02, 09:00 in Berlin
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BASE = Path(__file__).with_name("scorer_agreement.yaml")

LEVELS: Mapping[str, Any] = {
    "fit": {"A": {"enter": 50}, "D": {"enter": 0}},
    "engagement": {
        "1": {"enter": 60, "exit": 40},
        "2": {"enter": 30, "exit": 20},
        "3": {"enter": 0},
    },
    "matrix": {
        "A": {"1": "hot", "2": "warm", "3": "cold"},
        "D": {"1": "cold", "2": "cold", "3": "cold"},
    },
}
FIT: Mapping[str, Any] = {
    "From Norway": {"points": 60, "when": {"field": "profile.country", "op": "is", "value": "NO"}}
}
ENGAGEMENT: Mapping[str, Any] = {
    "groups": {
        "halving": {"half_life": "10 days", "window": "60 days"},
        "lasting": {"window": "60 days"},
    },
    "acts": {
        "page_view": {"points": 10, "group": "halving"},
        "webinar": {"points": 40, "group": "halving"},
        "form": {"points": 35, "group": "lasting"},
        "demo_request": {"points": 20, "group": "lasting", "fast_track": True, "max_age": "7 days"},
        "unsubscribe": {"points": -20, "group": "halving"},
        "email_click": {"points": 5, "group": "lasting"},
    },
    "scanner": {"acts": ["email_click"], "clicks": 3, "within": "10 seconds"},
}
LIFECYCLE: Mapping[str, Any] = {"bridge": "warm leads", "poor_fit": ["D"]}


@cache
def _base() -> Any:
    return read_yaml(BASE.read_text()).data


def agreement(
    *,
    levels: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] = FIT,
    engagement: Mapping[str, Any] = ENGAGEMENT,
    lifecycle: Mapping[str, Any] = LIFECYCLE,
    dwell: str | None = None,
    **sections: Any,
) -> CompiledAgreement:
    """The tests' agreement with scoring of the test's own."""
    plain = dict(_base())
    own = dict(levels or LEVELS) | ({"dwell": dwell} if dwell else {})
    plain |= {
        "fit": fit,
        "engagement": engagement,
        "lifecycle": {"settle": "0 seconds", **lifecycle},
    }
    plain["definitions"] = plain["definitions"] | {"levels": own}
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
    """The scorer, running. ``said`` gives what it published since it was asked last, in words."""

    def __init__(self, agreed: CompiledAgreement | None = None, *, at: int = MONDAY_0900) -> None:
        self.book = Book(reference_of(agreed or agreement()))
        self.host = MemoryHost(SERVICE.reducers, self.book, start_ms=at)
        self._read = 0
        self._number = 0

    @property
    def now(self) -> int:
        return self.host.log.now

    def adopt(self, agreed: CompiledAgreement) -> None:
        """Another agreement holds from now on."""
        self.book.held.append((self.now, reference_of(agreed)))
        self.work()

    def work(self) -> None:
        """Let the scorer do what there is to do."""
        self.host.settle()

    def wait(self, ms: int) -> None:
        self.host.advance(self.now + ms)

    def send(self, *values: Any) -> None:
        """Append the values and let the scorer work."""
        for value in values:
            topic = stream_of(value)[0] if isinstance(value, FROM_OTHERS) else "intake.leads.v1"
            for key in (
                (value.loser, value.survivor) if isinstance(value, LeadMerge) else (value.lead_id,)
            ):
                self.host.send(
                    topic,
                    key,
                    said_of(key, value),
                    received_at_ms=getattr(value, "received_at_ms", None),
                )
        self.work()

    def does(self, lead: str, act: str, *, ago: int = 0, late: int = 0, **more: Any) -> str:
        """The lead does something; gives the event's id."""
        self._number += 1
        backfill = more.pop("backfill", False)
        event_id = more.pop("event_id", None) or derived_id("test", self._number)
        self.send(
            LeadEvent(
                event_id=event_id,
                lead_id=lead,
                source=more.pop("source", "http"),
                kind="engagement",
                occurred_at_ms=self.now - ago,
                received_at_ms=self.now - late,
                backfill=backfill,
                engagement=Engagement(act=act, **more),
            )
        )
        return event_id

    def fits(self, lead: str, **profile: str) -> str:
        """The lead is one that we look for."""
        return self.report(lead, "profile", profile={"country": "NO", **profile})

    def report(
        self, lead: str, kind: str, *, ago: int = 0, source: str = "http", **more: Any
    ) -> str:
        """An event that is no engagement."""
        self._number += 1
        event_id = derived_id("test", self._number)
        event = LeadEvent(
            event_id=event_id,
            lead_id=lead,
            source=source,
            kind=kind,
            occurred_at_ms=self.now - ago,
            received_at_ms=self.now,
            **more,
        )
        self.send(event)
        return event_id

    def retract(self, lead: str, event_id: str) -> str:
        return self.report(lead, "retraction", retracts=event_id)

    def consent(self, lead: str, purpose: str, granted: bool, *, ago: int = 0) -> str:
        return self.report(
            lead,
            "consent",
            ago=ago,
            consent=Consent(purpose=purpose, channel="email", granted=granted),
        )

    def act(
        self,
        lead: str,
        kind: str,
        by: str = "ann",
        *,
        actor: str = "sdr",
        ago: int = 0,
        **more: Any,
    ) -> str:
        """Somebody of the firm does something with the lead."""
        self._number += 1
        event_id = derived_id("act", self._number)
        self.send(
            LeadAct(
                event_id=event_id,
                lead_id=lead,
                source="crm",
                occurred_at_ms=self.now - ago,
                received_at_ms=self.now,
                act=Act(kind=kind, by=by, actor=actor, **more),
            )
        )
        return event_id

    def route(self, lead: str, owner: str = "ann", *, attempt: int = 1) -> str:
        """The router gives the lead's last qualification to somebody; gives the hand-off's id."""
        qualified = next(
            fact for fact in reversed(self.facts(LeadQualified, whole=True)) if fact.lead_id == lead
        )
        handoff_id = derived_id("handoff", qualified.qualification_id, attempt)
        self.send(routed(qualified, owner, attempt=attempt, at_ms=self.now))
        return handoff_id

    def facts(self, kind: type[Any] | None = None, *, whole: bool = False) -> list[Any]:
        """What the scorer published since it was asked last (or ever), in order."""
        start = 0 if whole else self._read
        history = self.host.log.history[start:]
        if not whole:
            self._read = len(self.host.log.history)
        wanted = {
            topic: TOPICS[topic].record for reducer in SERVICE.reducers for topic in reducer.outputs
        }
        found = [
            codec_for(record).decode(stored.value)
            for stored in history
            if (record := wanted.get(stored.topic)) and stored.value
        ]
        private = () if kind is LeadDecision else (LeadDecision,)
        return [
            fact
            for fact in found
            if (kind is None or isinstance(fact, kind)) and not isinstance(fact, private)
        ]

    def said(self) -> list[str]:
        """The same in words, one line each, without the parts of accounts and transfers."""
        return [line for fact in self.facts() if (line := words(fact))]


FROM_OTHERS = (LeadRouted, HandoffNoted, LeadRecycled, LeadReactivated)


def said_of(lead: str, value: Any) -> Any:
    """What ``identify`` says of an event, an act or a merge alone, and the other services of the
    rest."""
    match value:
        case LeadEvent():
            return LeadInput(
                lead_id=lead,
                cause_id=value.event_id,
                event=value,
                occurred_at_ms=value.occurred_at_ms,
            )
        case LeadAct():
            return LeadInput(
                lead_id=lead,
                cause_id=value.event_id,
                act=value,
                occurred_at_ms=value.occurred_at_ms,
            )
        case LeadMerge():
            return LeadInput(
                lead_id=lead,
                cause_id=value.merge_id,
                merge=value,
                occurred_at_ms=value.occurred_at_ms,
            )
    return stream_of(value)[1] if isinstance(value, FROM_OTHERS) else value


def words(value: Any) -> str:
    """A fact of the scorer in a line."""
    match value:
        case LeadScored():
            return f"{value.lead_id} {value.level} {value.grade} {value.engagement_micro / 1e6:g}"
        case LeadQualified():
            raised = ", hand raised" if value.hand_raised else ""
            return f"{value.lead_id} qualified for {value.leg}, {value.level}{raised}"
        case LeadStaged():
            inferred = f" inferring {'+'.join(value.inferred)}" if value.inferred else ""
            reason = f": {value.reason}" if value.reason else ""
            return (
                f"{value.lead_id}/{value.cycle} {value.event} by {value.actor}: {value.from_stage} "
                f"-> {value.to_stage}{inferred}{reason}"
            )
        case LeadRefused():
            return (
                f"{value.lead_id} refused {value.event} by {value.actor} at {value.stage}: "
                f"{value.reason}"
            )
    return ""


def routed(
    qualified: LeadQualified, owner: str, *, attempt: int = 1, at_ms: int = MONDAY_0900
) -> LeadRouted:
    """The router's answer to a qualification."""
    return LeadRouted(
        handoff_id=derived_id("handoff", qualified.qualification_id, attempt),
        qualification_id=qualified.qualification_id,
        attempt=attempt,
        lead_id=qualified.lead_id,
        cycle=qualified.cycle,
        leg=qualified.leg,
        pool="pool",
        owner=owner,
        level=qualified.level,
        segment=None,
        hand_raised=qualified.hand_raised,
        routed_at_ms=at_ms,
        qualified_at_ms=qualified.qualified_at_ms,
        path=(),
        candidates=(),
        rule="default",
        turn_used=True,
        qualified=qualified,
        agreement="v",
    )


def person_reported(lead: str, *, at_ms: int, n: int = 0, **fields: str) -> LeadInput:
    """Who the lead is, and nothing else."""
    return LeadInput(
        lead_id=lead,
        cause_id=derived_id("person", lead, n),
        occurred_at_ms=at_ms,
        person=Person(**fields),
    )

"""What history says: when each lead qualified, where it went, what became of it, and when it
qualified again.

From public facts, as a cluster's topics or ``baton simulate --json`` give them. Outcomes belong to
the hand-offs they were about; nothing is inferred from silence but "none yet". A later
qualification is followed where the end of every one before it was published: the lead went to rest.
Of another (of a customer, of a merged lead) nothing is said.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from baton.backtest.cycle_keys import cycle_key
from baton.contracts import topic_names
from baton.contracts.clock_kinds import Clock
from baton.contracts.leads import Stage, StageEvent
from baton.contracts.slas import ClockState

HISTORY_TOPICS: Final = (
    topic_names.LEADS_QUALIFIED,
    topic_names.LEADS_STAGES,
    topic_names.LEADS_RECYCLED,
    topic_names.LEADS_REACTIVATED,
    topic_names.LEADS_ROUTED_SDR,
    topic_names.LEADS_ROUTED_SALES,
    topic_names.LEADS_UNROUTED,
    topic_names.LEADS_SLA_CLOCKS,
)
OUTCOMES: Final = ("accepted", "sql", "opportunity", "won")
STAGES: Final[Mapping[str, str]] = {
    Stage.SAL: "accepted",
    Stage.SQL: "sql",
    Stage.OPPORTUNITY: "opportunity",
    Stage.CUSTOMER: "won",
}
"""Stages, and the outcome that reaching them is."""
_NO_STAGE: Final = frozenset({StageEvent.MERGED, StageEvent.ERASED, StageEvent.CONSENT_CHANGED})
"""Moves that reach no stage."""
_STATEFUL: Final = frozenset({"owner_of_cycle", "customer_owner", "colleague", "manual"})
"""Rules that decide by what the router knows: the agreement alone cannot say the pool."""


_BROKEN: Final = frozenset(
    {ClockState.BREACHED, ClockState.MET_LATE, ClockState.ABANDONED, ClockState.RUNNING}
)
"""States of a clock past its deadline whose promise was not kept."""
WITHDRAWALS: Final = frozenset({"cooled", "retracted"})
"""Reasons of the end of a hand-off that nobody had accepted."""
_NEVER_MS: Final = 1 << 62


class HistoryUnreadable(ValueError):
    """A file of facts is none; the text names the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricQualification:
    """A lead's first qualification. ``level`` and ``leg`` are known where its record is still
    kept, ``pool`` where the rules alone chose it; else None."""

    at_ms: int
    level: str | None = None
    leg: str | None = None
    pool: str | None = None


@dataclass(slots=True)
class _Known:
    """What is known of a lead, by qualification. ``legs``: of a further leg of the same hand-off,
    when it began. ``loose``: outcomes that name none."""

    qualified: dict[str, HistoricQualification] = field(default_factory=dict)
    legs: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    loose: list[tuple[int, str]] = field(default_factory=list)

    def cycles(self) -> dict[str, int]:
        """The qualifications that can be followed, with the number of their cycle."""
        self._join_legs()
        found: dict[str, int] = {}
        for one in sorted(self.qualified, key=lambda one: (self.qualified[one].at_ms, one)):
            found[one] = len(found) + 1
            if one not in self.ended:
                break
        return found

    def _join_legs(self) -> None:
        """What is said of a further leg is said of the qualification that it goes on."""
        for leg, at_ms in self.legs.items():
            began = self.at(at_ms)
            for named in (self.ended, self.handed):
                if leg in named:
                    named.add(began)
            self.handed.discard(leg)
            for outcome, reached_ms in self.outcomes.pop(leg, {}).items():
                at = self.outcomes.setdefault(began, {})
                at[outcome] = min(reached_ms, at.get(outcome, _NEVER_MS))

    def at(self, at_ms: int) -> str:
        """The latest qualification then."""
        before = [one for one, found in self.qualified.items() if found.at_ms <= at_ms]
        return max(before, key=lambda one: (self.qualified[one].at_ms, one), default="")


@dataclass(slots=True)
class History:
    """By lead and cycle, see :func:`cycle_key`. ``reached``: the outcomes so far, and
    ``reached_at`` when they first were. ``handed``: what sales or the bridge team had in hand.
    ``accepts_due`` and ``accepts_broken``: clocks of the promise to accept, by pool. ``ends``: the
    records that end a cycle or bring a lead back; ``unfollowed``: qualifications of cycles of which
    nothing is said."""

    first: dict[str, HistoricQualification] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)
    reached_at: dict[str, dict[str, int]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)
    accepts_due: Counter[str] = field(default_factory=Counter)
    accepts_broken: Counter[str] = field(default_factory=Counter)
    ends: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    unfollowed: int = 0
    until_ms: int = 0
    _accepts: dict[str, tuple[int, int, str, str]] = field(default_factory=dict)
    _pools: dict[str, str] = field(default_factory=dict)
    _leads: dict[str, _Known] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it; order does not matter within a
        lead's qualification."""
        at_ms = int(document.get("at_ms") or 0)
        self.until_ms = max(self.until_ms, at_ms)
        value = document.get("value")
        if not isinstance(value, Mapping):
            return
        match document.get("topic"):
            case topic_names.LEADS_QUALIFIED:
                self._qualified(value)
            case topic_names.LEADS_STAGES:
                self._staged(value)
            case topic_names.LEADS_RECYCLED | topic_names.LEADS_REACTIVATED as topic:
                self._ended(topic, at_ms, value)
            case topic_names.LEADS_ROUTED_SDR | topic_names.LEADS_ROUTED_SALES:
                self._of(value).handed.add(value["qualification_id"])
                self._routed(value)
            case topic_names.LEADS_UNROUTED:
                self._routed(value)
            case topic_names.LEADS_SLA_CLOCKS if value["clock"] == Clock.ACCEPT.value:
                self._clock(value)

    def finish(self) -> "History":
        """All facts are in: what is known of leads is joined by cycle, pools to the qualifications
        they were chosen for."""
        for lead_id, known_of in self._leads.items():
            self._join(lead_id, known_of)
        for _, deadline_ms, state, pool in self._accepts.values():
            if deadline_ms < self.until_ms and state != ClockState.CANCELLED:
                self.accepts_due[pool] += 1
                self.accepts_broken[pool] += state in _BROKEN
        return self

    def _join(self, lead_id: str, known: _Known) -> None:
        cycles = known.cycles()
        self.unfollowed += len(known.qualified) - len(cycles)
        for one, cycle in cycles.items():
            pool = self._pools.get(one)
            self.first[cycle_key(lead_id, cycle)] = replace(known.qualified[one], pool=pool)
        for one in known.handed:
            if one in cycles or one not in known.qualified:
                self.handed.add(cycle_key(lead_id, cycles.get(one, 1)))
        for at_ms, outcome in known.loose:
            _note_outcome(known.outcomes.setdefault(known.at(at_ms), {}), outcome, at_ms)
        for one, outcomes in known.outcomes.items():
            if one in cycles or one not in known.qualified:
                key = cycle_key(lead_id, cycles.get(one, 1))
                self.reached.setdefault(key, set()).update(outcomes)
                at = self.reached_at.setdefault(key, {})
                for outcome, at_ms in outcomes.items():
                    at[outcome] = min(at_ms, at.get(outcome, _NEVER_MS))

    def _of(self, value: Mapping[str, Any]) -> _Known:
        return self._leads.setdefault(value["lead_id"], _Known())

    def _clock(self, value: Mapping[str, Any]) -> None:
        """The latest state of a clock counts."""
        known = self._accepts.get(value["clock_id"])
        if known is None or known[0] <= int(value["at_ms"]):
            self._accepts[value["clock_id"]] = (
                int(value["at_ms"]),
                int(value["deadline_ms"]),
                value["state"],
                value["pool"] or "",
            )

    def _qualified(self, value: Mapping[str, Any]) -> None:
        """What its record says; its moment is the earlier one where a stage says another."""
        known, one = self._of(value), value["qualification_id"]
        at_ms = int(value["qualified_at_ms"])
        if value["stage"] != Stage.MQL:
            known.legs[one] = at_ms
            return
        before = known.qualified.get(one)
        known.qualified[one] = HistoricQualification(
            at_ms=at_ms if before is None else min(at_ms, before.at_ms),
            level=value["level"],
            leg=value["leg"],
        )

    def _staged(self, value: Mapping[str, Any]) -> None:
        event, known, one = value["event"], self._of(value), value.get("qualification_id") or ""
        if event == StageEvent.QUALIFIED and value["to_stage"] == Stage.MQL:
            at_ms = int(value["at_ms"])
            before = known.qualified.get(one, HistoricQualification(at_ms=at_ms))
            known.qualified[one] = replace(before, at_ms=min(at_ms, before.at_ms))
        outcome = STAGES.get(value["to_stage"])
        if outcome is not None and event not in _NO_STAGE:
            at_ms = int(value["occurred_at_ms"])
            if one:
                _note_outcome(known.outcomes.setdefault(one, {}), outcome, at_ms)
            else:
                known.loose.append((at_ms, outcome))

    def _ended(self, topic: str, at_ms: int, value: Mapping[str, Any]) -> None:
        self.ends.append((topic, at_ms, dict(value)))
        ends = topic == topic_names.LEADS_RECYCLED and not value["revised"]
        if ends and value["qualification_id"]:
            self._of(value).ended.add(value["qualification_id"])

    def _routed(self, value: Mapping[str, Any]) -> None:
        """The pool of the first attempt, if the rules chose it."""
        if value["attempt"] != 1 or value["qualification_id"] in self._pools:
            return
        chosen = [step["rule"] for step in value["path"] if step["outcome"] == "chosen"]
        if value.get("outcome") == "suppressed":
            self._pools[value["qualification_id"]] = "(suppressed)"
        elif value["pool"] is not None and not _STATEFUL & set(chosen):
            self._pools[value["qualification_id"]] = value["pool"]


def _note_outcome(at: dict[str, int], outcome: str, at_ms: int) -> None:
    """Whoever reached it has reached those before it."""
    for one in OUTCOMES[: OUTCOMES.index(outcome) + 1]:
        at[one] = min(at_ms, at.get(one, _NEVER_MS))


def history_of(documents: Iterable[Mapping[str, Any]]) -> History:
    """The history in public facts."""
    history = History()
    for document in documents:
        history.take(document)
    return history.finish()


def documents_of_file(path: Path) -> Iterator[Mapping[str, Any]]:
    """Public facts from a file, one JSON object a line; raises :class:`HistoryUnreadable`."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if not isinstance(found, dict) or "topic" not in found:
                raise HistoryUnreadable(
                    f"{path}:{number}: is no fact: write the file with `baton simulate --json`, or "
                    "`baton tail TOPIC --json`"
                )
            yield found

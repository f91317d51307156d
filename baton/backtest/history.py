"""What history says: when each lead first qualified, where it went, and what became of it.

From public facts, as a cluster's topics or ``baton simulate --json`` give them. Outcomes belong to
the hand-offs they were about; nothing is inferred from silence but "none yet".
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from baton.cluster.decoded import as_document
from baton.cluster.log import LogReader
from baton.contracts.clock_kinds import Clock
from baton.contracts.slas import ClockState
from baton.contracts.topic_names import (
    LEADS_MERGES,
    LEADS_QUALIFIED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_CLOCKS,
    LEADS_STAGES,
    LEADS_UNROUTED,
)

HISTORY_TOPICS: Final = (
    LEADS_QUALIFIED,
    LEADS_STAGES,
    LEADS_ROUTED_SDR,
    LEADS_ROUTED_SALES,
    LEADS_UNROUTED,
    LEADS_MERGES,
    LEADS_SLA_CLOCKS,
)
OUTCOMES: Final = ("accepted", "sql", "opportunity", "won")
STAGES: Final[Mapping[str, str]] = {
    "sal": "accepted",
    "sql": "sql",
    "opportunity": "opportunity",
    "customer": "won",
}
"""Stages, and the outcome that reaching them is."""
_STATEFUL: Final = frozenset({"owner_of_cycle", "customer_owner", "colleague", "manual"})
"""Rules that decide by what the router knows: the agreement alone cannot say the pool."""


_BROKEN: Final = frozenset(
    {ClockState.BREACHED, ClockState.MET_LATE, ClockState.ABANDONED, ClockState.RUNNING}
)
"""States of a clock past its deadline whose promise was not kept."""
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
class History:
    """``reached``: by lead, the outcomes so far, and ``reached_at`` when they first were.
    ``handed``: leads that sales or the bridge team had in hand. ``accepts_due`` and
    ``accepts_broken``: clocks of the promise to accept, by pool."""

    first: dict[str, HistoricQualification] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)
    reached_at: dict[str, dict[str, int]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)
    accepts_due: Counter[str] = field(default_factory=Counter)
    accepts_broken: Counter[str] = field(default_factory=Counter)
    until_ms: int = 0
    _accepts: dict[str, tuple[int, int, str, str]] = field(default_factory=dict)
    _pools: dict[str, str] = field(default_factory=dict)
    _by_id: dict[str, str] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it; order does not matter within a
        lead's qualification."""
        self.until_ms = max(self.until_ms, int(document.get("at_ms") or 0))
        value = document.get("value")
        if not isinstance(value, Mapping):
            return
        match document.get("topic"):
            case "leads.qualified.v1":
                self._qualified(value)
            case "leads.stages.v1":
                self._staged(value)
            case "leads.routed.sdr.v1" | "leads.routed.sales.v1":
                self.handed.add(value["lead_id"])
                self._routed(value)
            case "leads.unrouted.v1":
                self._routed(value)
            case "leads.sla-clocks.v1" if value["clock"] == Clock.ACCEPT.value:
                self._clock(value)

    def finish(self) -> "History":
        """All facts are in: pools are joined to the qualifications they were chosen for."""
        for lead_id, found in self.first.items():
            pool = self._pools.get(self._by_id.get(lead_id, ""))
            self.first[lead_id] = HistoricQualification(
                at_ms=found.at_ms, level=found.level, leg=found.leg, pool=pool
            )
        for _, deadline_ms, state, pool in self._accepts.values():
            if deadline_ms < self.until_ms and state != ClockState.CANCELLED:
                self.accepts_due[pool] += 1
                self.accepts_broken[pool] += state in _BROKEN
        return self

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
        lead_id, at_ms = value["lead_id"], int(value["qualified_at_ms"])
        known = self.first.get(lead_id)
        if known is not None and known.at_ms < at_ms:
            return
        self.first[lead_id] = HistoricQualification(
            at_ms=at_ms, level=value["level"], leg=value["leg"]
        )
        self._by_id[lead_id] = value["qualification_id"]

    def _staged(self, value: Mapping[str, Any]) -> None:
        lead_id, event = value["lead_id"], value["event"]
        if event == "qualified":
            at_ms, known = int(value["at_ms"]), self.first.get(lead_id)
            if known is None or at_ms < known.at_ms:
                self.first[lead_id] = HistoricQualification(at_ms=at_ms)
                self._by_id[lead_id] = value.get("qualification_id") or ""
        outcome = STAGES.get(value["to_stage"])
        if outcome is not None and event not in ("merged", "erased", "consent_changed"):
            reached = self.reached.setdefault(lead_id, set())
            came = OUTCOMES[: OUTCOMES.index(outcome) + 1]
            reached.update(came)
            at = self.reached_at.setdefault(lead_id, {})
            for one in came:
                at[one] = min(int(value["occurred_at_ms"]), at.get(one, _NEVER_MS))

    def _routed(self, value: Mapping[str, Any]) -> None:
        """The pool of the first attempt, if the rules chose it."""
        if value["attempt"] != 1 or value["qualification_id"] in self._pools:
            return
        chosen = [step["rule"] for step in value["path"] if step["outcome"] == "chosen"]
        if value.get("outcome") == "suppressed":
            self._pools[value["qualification_id"]] = "(suppressed)"
        elif value["pool"] is not None and not _STATEFUL & set(chosen):
            self._pools[value["qualification_id"]] = value["pool"]


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


def documents_of_cluster(reader: LogReader, since_ms: int) -> Iterator[Mapping[str, Any]]:
    """Public facts of the cluster since then, in the order of each partition."""
    for topic in HISTORY_TOPICS:
        yield from documents_of_topic(reader, topic, since_ms)


def documents_of_topic(
    reader: LogReader, topic: str, since_ms: int | None = None
) -> Iterator[Mapping[str, Any]]:
    """The facts of one topic, in the order of each partition."""
    places = {topic: list(range(reader.partitions(topic)))}
    for record in reader.read(places, since_ms=since_ms):
        yield as_document(record)

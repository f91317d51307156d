"""What of a quarter's facts is kept to look at afterwards, by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress
from baton.contracts.intake import LeadAct
from baton.contracts.leads import LeadQualified, LeadStaged
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadRecycled, SlaClock, SlaViolation
from baton.contracts.topic_names import (
    GOALS_PROGRESS,
    LEADS_ACTS,
    LEADS_QUALIFIED,
    LEADS_RECYCLED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from baton.contracts.topics import TOPICS
from baton.engine.memory import Stored

_READ = frozenset(
    {
        LEADS_ACTS,
        LEADS_QUALIFIED,
        LEADS_ROUTED_SDR,
        LEADS_ROUTED_SALES,
        LEADS_UNROUTED,
        LEADS_STAGES,
        LEADS_SLA_CLOCKS,
        LEADS_SLA_VIOLATIONS,
        LEADS_RECYCLED,
        GOALS_PROGRESS,
    }
)


@dataclass(slots=True)
class History:
    """``counts``: facts by topic. ``acts`` and ``stages`` by lead, ``clocks`` by clock, in
    order."""

    counts: Counter[str] = field(default_factory=Counter)
    acts: dict[str, list[LeadAct]] = field(default_factory=lambda: defaultdict(list))
    qualified: list[LeadQualified] = field(default_factory=list)
    routed: list[LeadRouted] = field(default_factory=list)
    unrouted: dict[str, list[LeadUnrouted]] = field(default_factory=lambda: defaultdict(list))
    stages: dict[str, list[LeadStaged]] = field(default_factory=lambda: defaultdict(list))
    clocks: dict[str, list[SlaClock]] = field(default_factory=lambda: defaultdict(list))
    violations: list[SlaViolation] = field(default_factory=list)
    recycled: list[LeadRecycled] = field(default_factory=list)
    progress: dict[tuple[str, str], GoalProgress] = field(default_factory=dict)

    def note(self, stored: Stored) -> Any:
        """Keep a record; gives the fact, None where it is not looked at."""
        self.counts[stored.topic] += 1
        record = TOPICS[stored.topic].record
        if stored.topic not in _READ or record is None or stored.value is None:
            return None
        fact = codec_for(record).decode(stored.value)
        match fact:
            case LeadAct():
                self.acts[fact.lead_id].append(fact)
            case LeadQualified():
                self.qualified.append(fact)
            case LeadRouted():
                self.routed.append(fact)
            case LeadUnrouted():
                self.unrouted[fact.lead_id].append(fact)
            case LeadStaged():
                self.stages[fact.lead_id].append(fact)
            case SlaClock():
                self.clocks[fact.clock_id].append(fact)
            case SlaViolation():
                self.violations.append(fact)
            case LeadRecycled():
                self.recycled.append(fact)
            case GoalProgress():
                self.progress[fact.goal, fact.period] = fact
        return fact

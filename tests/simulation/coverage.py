"""What came about in a run: stages, rules, outcomes, states and kinds, counted by topic, so that
seeds can be held to meeting them all."""

from collections import Counter

from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS
from baton.engine.memory import MemoryLog

QUEUE = "router.queue.v1"
_BY_FIELD = {
    "leads.stages.v1": "event",
    "leads.routed.sdr.v1": "rule",
    "leads.routed.sales.v1": "rule",
    "leads.unrouted.v1": "outcome",
    "leads.recycled.v1": "outcome",
    "leads.handoffs.v1": "kind",
    "leads.refusals.v1": "event",
    "leads.sla-clocks.v1": "state",
    "leads.sla-violations.v1": "kind",
    "leads.sla-actions.v1": "kind",
    "leads.accepted.v1": "kind",
    "leads.commands.v1": "",
    "leads.reactivated.v1": "reason",
    QUEUE: "kind",
    "baton.people.v1": "cancelled",
    "leads.merges.v1": "",
    "scorer.transfers.v1": "",
    "scorer.backlog.v1": "kind",
    "intake.aliases.v1": "kind",
    "dlq.leads.inbox.v1": "",
}

WANTED = frozenset(
    [
        "leads.stages.v1:qualified",
        "leads.stages.v1:hand_raised",
        "leads.stages.v1:accepted",
        "leads.stages.v1:rejected",
        "leads.stages.v1:recycled",
        "leads.stages.v1:reactivated",
        "leads.stages.v1:disqualified",
        "leads.stages.v1:merged",
        "leads.stages.v1:erased",
        "leads.stages.v1:withdrawn",
        "leads.stages.v1:opportunity",
        "leads.stages.v1:won",
        "leads.stages.v1:lost",
        "leads.stages.v1:deal_changed",
        "leads.stages.v1:reopened",
        "leads.routed.sdr.v1:in_turn",
        "leads.routed.sales.v1:in_turn",
        "leads.routed.sales.v1:colleague",
        "leads.routed.sales.v1:owner_of_cycle",
        "leads.routed.sales.v1:manual",
        "leads.unrouted.v1:suppressed",
        "leads.unrouted.v1:watch",
        "leads.unrouted.v1:held",
        "router.queue.v1:overflowed",
        "router.queue.v1:denied",
        "baton.people.v1:False",
        "baton.people.v1:True",
        "leads.recycled.v1:recycle",
        "leads.recycled.v1:disqualify",
        "leads.reactivated.v1:return_date",
        "leads.reactivated.v1:requalified",
        "leads.reactivated.v1:hand_raised",
        "leads.handoffs.v1:withdrawn",
        "leads.handoffs.v1:refused",
        "leads.handoffs.v1:noted",
        "leads.refusals.v1:qualified",
        "leads.sla-clocks.v1:running",
        "leads.sla-clocks.v1:met",
        "leads.sla-clocks.v1:cancelled",
        "leads.sla-clocks.v1:breached",
        "leads.sla-clocks.v1:met_late",
        "leads.sla-clocks.v1:abandoned",
        "leads.sla-clocks.v1:withdrawn",
        "leads.sla-violations.v1:warning",
        "leads.sla-violations.v1:breach",
        "leads.sla-violations.v1:withdrawn",
        "leads.sla-actions.v1:notify",
        "leads.sla-actions.v1:reassign",
        "leads.sla-actions.v1:escalate",
        "leads.sla-actions.v1:manager_queue",
        "leads.accepted.v1:engagement",
        "leads.accepted.v1:consent",
        "leads.accepted.v1:retraction",
        "leads.accepted.v1:erasure",
        "leads.commands.v1",
        "leads.merges.v1",
        "scorer.transfers.v1",
        "scorer.backlog.v1:add",
        "intake.aliases.v1:duplicate",
        "intake.aliases.v1:dropped",
        "intake.aliases.v1:split",
        "intake.aliases.v1:left",
        "dlq.leads.inbox.v1",
    ]
)
"""What a few hundred seeds must have met at least once."""

FAULTS = frozenset(
    {
        "crash",
        "Crash at restoring",
        "Crash at fetched",
        "Crash at sealed",
        "Crash at committed",
        "Aborted at sealed",
        "rebalance",
        "fenced",
        "delay",
        "jump",
        "another agreement",
    }
)


def came_about(log: MemoryLog) -> Counter[str]:
    """How often each came."""
    seen: Counter[str] = Counter()
    for stored in log.history:
        field = _BY_FIELD.get(stored.topic)
        if field is None:
            continue
        record_type = TOPICS[stored.topic].record
        if not field or record_type is None or stored.value is None:
            seen[stored.topic] += 1
            continue
        record = codec_for(record_type).decode(stored.value)
        seen[f"{stored.topic}:{getattr(record, field)}"] += 1
        if stored.topic == QUEUE and record.overflowed_from:
            seen[f"{QUEUE}:overflowed"] += 1
    return seen

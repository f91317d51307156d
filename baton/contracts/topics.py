"""The catalogue of topics: the one place that says which there are, what is in them, who writes and
who reads them.

Topic creation, the check of a running cluster, the README's table, AsyncAPI and the tests all read
it. Logical names are what the code speaks; :func:`physical` makes the name on the cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from baton.contracts import (
    goals,
    intake,
    leads,
    meetings,
    reference,
    routing,
    skip_orders,
    slas,
    streams,
)
from baton.contracts.accounts import AccountPart, AccountScored, BuyingGroup
from baton.contracts.digests import Escalation, SlaDigest
from baton.contracts.namespaces import DEFAULT_NAMESPACE as DEFAULT_NAMESPACE
from baton.contracts.namespaces import consumer_group as consumer_group
from baton.contracts.namespaces import logical as logical
from baton.contracts.namespaces import physical as physical
from baton.contracts.topic_names import (
    ACCOUNTS_SCORED,
    BATON_AGREEMENTS,
    BATON_CAMPAIGNS,
    BATON_PEOPLE,
    BATON_SKIPS,
    BOARD_DECISIONS,
    GOALS_PROGRESS,
    INTAKE_ALIASES,
    INTAKE_KEYED,
    INTAKE_LEADS,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_AMENDMENTS,
    LEADS_COMMANDS,
    LEADS_HANDOFFS,
    LEADS_INBOX,
    LEADS_MERGES,
    LEADS_ORPHANS,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_SLA_ACTIONS,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_DIGESTS,
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
    ROUTER_ACCOUNTS,
    ROUTER_ANSWERS,
    ROUTER_HANDOFFS,
    ROUTER_QUEUE,
    SCORER_ACCOUNTS,
    SCORER_BACKLOG,
    SCORER_BUYING,
    SCORER_LEADS,
    SCORER_RELEASES,
    SCORER_TRANSFERS,
    SLA_ESCALATIONS,
    SLA_LEADS,
    SLA_TALLIES,
)
from baton.contracts.transfers import LeadTransfer

DAY_MS = 86_400_000
SHORT_MS = 30 * DAY_MS
BOOK_MS = 400 * DAY_MS
TICKS_MS = 3_600_000
_CHANGELOG_SEGMENT_BYTES = 64 << 20
DLQ_PREFIX = "dlq."


class Cleanup(StrEnum):
    """Kafka's ``cleanup.policy``."""

    DELETE = "delete"
    COMPACT = "compact"


class Audience(StrEnum):
    """``public``: a contract that others may build on; ``private``: between our own parts;
    ``engine``: one reducer's own."""

    PUBLIC = "public"
    PRIVATE = "private"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """One topic. ``record`` None: raw bytes. ``writer``: the one service that writes (``outside``
    for the inbox).

    ``readers``: the reducers that read it. ``max_bytes``: the longest encoded value.
    ``partitions``: None is the cluster-wide number. ``key_field``: the field of the value that must
    equal the key.
    """

    name: str
    record: type | None
    says: str
    key: str
    writer: str
    readers: tuple[str, ...] = ()
    audience: Audience = Audience.PRIVATE
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int | None = SHORT_MS
    partitions: int | None = None
    max_bytes: int = 65_536
    key_field: str | None = None

    @property
    def outside(self) -> bool:
        """Whether the outside writes it, so that what cannot be read is a dead letter and not our
        bug."""
        return self.writer == "outside"

    def config(self) -> dict[str, str]:
        """The topic's settings on the cluster."""
        settings = {
            "cleanup.policy": self.cleanup.value,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(1 << 20),
        }
        if self.outside:
            # What unpacks to more than a message may have is refused by the broker, and not
            # unpacked by a worker.
            settings["compression.type"] = "uncompressed"
        if self.cleanup is Cleanup.DELETE:
            settings["retention.ms"] = str(-1 if self.retention_ms is None else self.retention_ms)
        else:
            settings["min.cleanable.dirty.ratio"] = "0.5"
        if self.cleanup is Cleanup.COMPACT and self.audience is Audience.ENGINE:
            # The open segment is never compacted, and a restore reads it whole.
            settings["segment.bytes"] = str(_CHANGELOG_SEGMENT_BYTES)
        return settings


def _private(
    name: str, record: type | None, says: str, key: str, writer: str, *readers: str, **more: object
) -> TopicSpec:
    if key == "lead" and "lead_id" in getattr(record, "__dataclass_fields__", ()):
        more.setdefault("key_field", "lead_id")
    return TopicSpec(
        name=name,
        record=record,
        says=says,
        key=key,
        writer=writer,
        readers=readers,
        **more,  # type: ignore[arg-type]  # what the caller adds is checked by the record
    )


def _public(
    name: str, record: type, says: str, key: str, writer: str, *readers: str, **more: object
) -> TopicSpec:
    more.setdefault("retention_ms", BOOK_MS)
    return _private(name, record, says, key, writer, *readers, audience=Audience.PUBLIC, **more)


_FLOW: tuple[TopicSpec, ...] = (
    _private(
        LEADS_INBOX,
        None,
        "events from external systems, one JSON event per record, any key",
        "any",
        "outside",
        "admit",
        audience=Audience.PUBLIC,
        max_bytes=32_768,
    ),
    _private(
        INTAKE_KEYED,
        intake.IntakeRecord,
        "validated events, by identity",
        "identity digest",
        "ingest",
        "identify",
    ),
    _private(
        INTAKE_ALIASES,
        intake.IdentityAlias,
        "which lead an identity belongs to",
        "identity digest",
        "ingest",
        "identify",
        retention_ms=BOOK_MS,
    ),
    _private(
        INTAKE_LEADS,
        intake.LeadInput,
        "what identify says of a lead, in order: the event with its person and its joins, merges",
        "lead",
        "ingest",
        "lead",
    ),
    _public(LEADS_ACCEPTED, intake.LeadEvent, "accepted events of leads", "lead", "ingest"),
    _public(LEADS_ACTS, intake.LeadAct, "what staff did with a lead", "lead", "ingest"),
    _public(
        LEADS_COMMANDS,
        intake.LeadCommand,
        "commands of staff: claim, pass on, assign",
        "lead",
        "ingest",
    ),
    _public(
        LEADS_PERSONS,
        intake.LeadPerson,
        "direct identifiers and free text; the whole person in each record",
        "lead",
        "scorer",
        cleanup=Cleanup.COMPACT,
    ),
    _public(
        LEADS_MERGES, intake.LeadMerge, "one lead ends in another; in both keys", "lead", "ingest"
    ),
    _private(
        SCORER_TRANSFERS,
        LeadTransfer,
        "a merged lead's book on its way",
        "lead",
        "scorer",
        "lead",
        max_bytes=524_288,
    ),
    _private(
        SCORER_BACKLOG,
        streams.BacklogPart,
        "leads that a new agreement made ready, waiting their turn",
        "pool",
        "scorer",
        "backlog",
    ),
    _private(
        SCORER_LEADS,
        streams.LeadDecision,
        "what lead says of a lead, in order: qualifications, moves, acts of people, commands",
        "lead",
        "scorer",
        "dispatch",
        "clocks",
        "custody",
        max_bytes=131_072,
    ),
    _private(
        SCORER_RELEASES,
        streams.BacklogRelease,
        "a waiting lead's turn has come",
        "lead",
        "scorer",
        "lead",
    ),
    _public(
        LEADS_SCORED, leads.LeadScored, "visible changes of the score, explained", "lead", "scorer"
    ),
    _public(
        LEADS_QUALIFIED,
        leads.LeadQualified,
        "a lead is ready for a person, and why",
        "lead",
        "scorer",
        retention_ms=SHORT_MS,
    ),
    _public(LEADS_STAGES, leads.LeadStaged, "moves in the revenue cycle", "lead", "scorer"),
    _public(
        LEADS_AMENDMENTS,
        leads.LeadAmended,
        "what became known of a lead after it was handed off: the whole brief, and what changed",
        "lead",
        "scorer",
        retention_ms=SHORT_MS,
        max_bytes=131_072,
    ),
    _public(
        LEADS_REFUSALS,
        leads.LeadRefused,
        "acts that were not carried out, and why",
        "lead",
        "scorer",
    ),
    _private(
        SCORER_ACCOUNTS,
        AccountPart,
        "what a lead adds to its account",
        "account",
        "scorer",
        "accounts",
    ),
    _public(
        ACCOUNTS_SCORED, AccountScored, "accounts as buying groups", "account", "scorer", "matching"
    ),
    _private(
        SCORER_BUYING,
        BuyingGroup,
        "accounts to their people, where gates ask",
        "lead",
        "scorer",
        "lead",
    ),
    _private(
        ROUTER_ACCOUNTS,
        routing.HandoffRequest,
        "requests, acceptances and releases",
        "account or lead",
        "router",
        "matching",
    ),
    _private(
        ROUTER_QUEUE,
        routing.QueueItem,
        "the same, with the pool chosen",
        "pool",
        "router",
        "assignment",
    ),
    _private(
        ROUTER_ANSWERS,
        streams.RoutingAnswer,
        "what matching and assignment answer to dispatch: who is to have a lead, or why nobody yet",
        "lead",
        "router",
        "dispatch",
        max_bytes=163_840,
    ),
    _public(
        LEADS_ROUTED_SDR,
        routing.LeadRouted,
        "leads handed to an SDR",
        "lead",
        "router",
        retention_ms=SHORT_MS,
        max_bytes=131_072,
    ),
    _public(
        LEADS_ROUTED_SALES,
        routing.LeadRouted,
        "leads handed to a sales rep",
        "lead",
        "router",
        retention_ms=SHORT_MS,
        max_bytes=131_072,
    ),
    _public(
        LEADS_UNROUTED,
        routing.LeadUnrouted,
        "leads without a person: held, watched, suppressed",
        "lead",
        "router",
    ),
    _private(
        ROUTER_HANDOFFS,
        streams.HandoffChange,
        "what dispatch says of a lead, in order: hand-offs requested, routed, accepted, ended",
        "lead",
        "router",
        "lead",
        "clocks",
        "custody",
        max_bytes=163_840,
    ),
    _public(
        LEADS_HANDOFFS,
        routing.HandoffNoted,
        "hand-offs withdrawn, requests refused",
        "lead",
        "router",
    ),
    _public(
        LEADS_SLA_CLOCKS, slas.SlaClock, "clocks and what became of them", "lead", "sla_watcher"
    ),
    _public(
        LEADS_SLA_VIOLATIONS,
        slas.SlaViolation,
        "warnings, breaches, withdrawn breaches",
        "lead or goal",
        "sla_watcher",
    ),
    _public(LEADS_SLA_ACTIONS, slas.SlaAction, "notify, reassign, escalate", "lead", "sla_watcher"),
    _public(
        LEADS_SLA_DIGESTS, SlaDigest, "breaches of a pool, once a period", "pool", "sla_watcher"
    ),
    _private(SLA_ESCALATIONS, Escalation, "what a digest is of", "pool", "sla_watcher", "digests"),
    _private(
        SLA_LEADS,
        streams.SlaDecision,
        "what clocks says of a lead, in order: reassign, recycle, reactivate",
        "lead",
        "sla_watcher",
        "lead",
        "dispatch",
        "custody",
    ),
    _public(
        LEADS_RECYCLED,
        slas.LeadRecycled,
        "a cycle ends: comes back then, or not at all",
        "lead",
        "sla_watcher",
    ),
    _public(
        LEADS_REACTIVATED, slas.LeadReactivated, "a recycled lead is back", "lead", "sla_watcher"
    ),
    _public(
        LEADS_ORPHANS,
        slas.LeadOrphan,
        "leads that nobody holds, and why; there should be none",
        "lead",
        "sla_watcher",
        cleanup=Cleanup.COMPACT,
    ),
    _private(
        SLA_TALLIES,
        goals.GoalTally,
        "what counts towards a goal",
        "goal",
        "sla_watcher",
        "goals",
        retention_ms=BOOK_MS,
    ),
    _public(
        GOALS_PROGRESS, goals.GoalProgress, "goals of both sides, with pace", "goal", "sla_watcher"
    ),
    _public(
        BATON_AGREEMENTS,
        reference.AgreementRecord,
        "agreements: approvals and publications",
        "record",
        "agreement",
        cleanup=Cleanup.COMPACT,
        partitions=1,
        max_bytes=524_288,
    ),
    _public(
        BATON_PEOPLE,
        reference.PeopleRecord,
        "absences of people",
        "record",
        "agreement",
        cleanup=Cleanup.COMPACT,
        partitions=1,
    ),
    _public(
        BATON_CAMPAIGNS,
        meetings.CampaignRecord,
        "what campaigns cost by month, and whose they are",
        "record",
        "operator",
        cleanup=Cleanup.COMPACT,
        partitions=1,
    ),
    _public(
        BOARD_DECISIONS,
        meetings.MeetingDecision,
        "decisions of the weekly meeting: owner, day, done",
        "decision",
        "insights",
        cleanup=Cleanup.COMPACT,
        partitions=1,
    ),
    _private(
        BATON_SKIPS,
        skip_orders.SkipOrder,
        "orders to leave out what stops a task",
        "task and place",
        "operator",
        cleanup=Cleanup.COMPACT,
        partitions=1,
    ),
)

REDUCERS: Mapping[str, str] = {
    "admit": "ingest",
    "identify": "ingest",
    "lead": "scorer",
    "accounts": "scorer",
    "backlog": "scorer",
    "dispatch": "router",
    "matching": "router",
    "assignment": "router",
    "clocks": "sla_watcher",
    "goals": "sla_watcher",
    "digests": "sla_watcher",
    "custody": "sla_watcher",
}
"""Every reducer with its service, in the order of the flow."""


def changelog_topic(reducer: str) -> str:
    """State of a reducer, compacted; the k-th partition belongs to task k."""
    return f"{reducer}.changelog.v1"


def journal_topic(reducer: str) -> str:
    """What each batch took, in order: enough to compute the state again."""
    return f"{reducer}.journal.v1"


def ticks_topic(reducer: str) -> str:
    """Where an idle task asks the broker for the time."""
    return f"{reducer}.ticks.v1"


def dead_letter_topic(topic: str) -> str:
    """Where records of ``topic`` go that cannot be taken."""
    return DLQ_PREFIX + topic


def engine_topics(reducer: str, service: str) -> tuple[TopicSpec, ...]:
    """The private topics of one reducer."""
    own = TopicSpec(
        name=changelog_topic(reducer),
        record=None,
        says=f"state of {reducer}",
        key="engine",
        writer=service,
        readers=(reducer,),
        audience=Audience.ENGINE,
        cleanup=Cleanup.COMPACT,
        max_bytes=1 << 20,
    )
    logged = replace(own, cleanup=Cleanup.DELETE)
    return (
        own,
        replace(
            logged,
            name=journal_topic(reducer),
            says=f"what {reducer} took, in order",
            retention_ms=BOOK_MS,
        ),
        replace(
            logged,
            name=ticks_topic(reducer),
            says=f"the time, asked for by idle tasks of {reducer}",
            retention_ms=TICKS_MS,
        ),
    )


def dead_letter_spec(spec: TopicSpec) -> TopicSpec:
    """The dead letters of a topic the outside writes."""
    return TopicSpec(
        name=dead_letter_topic(spec.name),
        record=None,
        says=f"what could not be taken from {spec.name}",
        key="as sent",
        writer=REDUCERS[spec.readers[0]],
        audience=Audience.PUBLIC,
        max_bytes=1 << 20,
    )


def _catalogue() -> Mapping[str, TopicSpec]:
    dead = tuple(dead_letter_spec(spec) for spec in _FLOW if spec.outside)
    engine = tuple(
        spec for reducer, service in REDUCERS.items() for spec in engine_topics(reducer, service)
    )
    return {spec.name: spec for spec in (*_FLOW, *dead, *engine)}


TOPICS: Mapping[str, TopicSpec] = _catalogue()
REFERENCE_TOPICS = (BATON_AGREEMENTS, BATON_PEOPLE)

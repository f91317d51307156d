"""The catalogue of topics: the one place that says which there are, what is in them, who writes and
who reads them.

Topic creation, the check of a running cluster, the README's table, AsyncAPI and the tests all read
it. Logical names are what the code speaks; :func:`physical` makes the name on the cluster.
"""

from collections.abc import Mapping
from dataclasses import replace

from baton.contracts.names_on_cluster import DEFAULT_NAMESPACE as DEFAULT_NAMESPACE
from baton.contracts.names_on_cluster import consumer_group as consumer_group
from baton.contracts.names_on_cluster import logical as logical
from baton.contracts.names_on_cluster import physical as physical
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE
from baton.contracts.topic_spec import BOOK_MS as BOOK_MS
from baton.contracts.topic_spec import DAY_MS as DAY_MS
from baton.contracts.topic_spec import SHORT_MS as SHORT_MS
from baton.contracts.topic_spec import Audience as Audience
from baton.contracts.topic_spec import Cleanup as Cleanup
from baton.contracts.topic_spec import TopicSpec as TopicSpec
from baton.contracts.topics_after_scorer import HANDOFF_TOPICS
from baton.contracts.topics_up_to_scorer import LEAD_TOPICS

TICKS_MS = 3_600_000
DLQ_PREFIX = "dlq."
_FLOW = (*LEAD_TOPICS, *HANDOFF_TOPICS)

REDUCERS: Mapping[str, str] = {
    "admit": "ingest",
    "identify": "ingest",
    "lead": "scorer",
    "accounts": "scorer",
    "backlog": "scorer",
    "dispatch": "router",
    "matching": "router",
    "assignment": "router",
    "workload": "router",
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

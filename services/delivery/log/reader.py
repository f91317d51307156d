"""The public topics that delivery reads, and what it says where the log lost what comes next.

Of a topic that neither the view nor a target looks at, only the position is kept: every event is on
``leads.accepted.v1``, and hardly anybody subscribes to it. A target that subscribes to one later
receives what is appended from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from baton.cluster.public_log import PublicLog
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE, LEADS_PERSONS
from baton.contracts.topics import TOPICS
from services.delivery.planning import NOTICED
from services.delivery.store.view import VIEWED
from services.delivery.targets.target_model import SUBSCRIBABLE, TargetsFile

READ_TOPICS: Final = (*SUBSCRIBABLE, LEADS_PERSONS, BATON_AGREEMENTS, BATON_PEOPLE)
_GATHER_MS: Final = 200
_LOOKED_AT: Final = frozenset((*VIEWED, *NOTICED))


def topics_looked_at(targets: TargetsFile) -> frozenset[str]:
    """The topics whose records the view or a target looks at."""
    subscribed = {topic for webhook in targets.webhooks.values() for topic in webhook.topics}
    return frozenset(
        topic for topic in READ_TOPICS if topic in subscribed or TOPICS[topic].record in _LOOKED_AT
    )


def log_of(client: Mapping[str, Any], namespace: str) -> PublicLog:
    """The log, to be read from where the store stands."""
    return PublicLog(client, namespace, reader="delivery", way_out=way_out, gather_ms=_GATHER_MS)


def way_out(topic: str, number: int, wanted: int | None, low: int, high: int) -> str:
    """Another log, or a gap that retention made."""
    if wanted is not None and wanted > high:
        return (
            f"{topic}[{number}]: it has been read up to offset {wanted}, but the log ends at "
            f"{high}: this is another log; point BATON_BOOTSTRAP and BATON_NAMESPACE at the "
            "former one, or set BATON_DELIVERY_FOLDER to a new directory"
        )
    return (
        f"{topic}[{number}]: the next record is past its retention; the oldest left is {low}. "
        "Nothing was skipped. Live with the gap: stop this worker, keep a copy of the file, and "
        "start it with BATON_DELIVERY_FOLDER set to a new directory; send what still waits in the "
        "old one first"
    )

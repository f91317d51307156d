"""The public topics that delivery reads, and what it says where the log lost what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from baton.cluster.public_log import PublicLog
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE, LEADS_PERSONS
from services.delivery.targets.model import SUBSCRIBABLE

READ_TOPICS: Final = (*SUBSCRIBABLE, LEADS_PERSONS, BATON_AGREEMENTS, BATON_PEOPLE)


def log_of(client: Mapping[str, Any], namespace: str) -> PublicLog:
    """The log, to be read from where the store stands."""
    return PublicLog(client, namespace, reader="delivery", way_out=way_out)


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

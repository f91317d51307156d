"""What the gateway asks of a source: how it authenticates, what its bodies mean, what answer it
expects.

A source is one file of this folder and one entry of the registry
(:mod:`services.ingest.gateway.adapters.registry`). An adapter holds no state and does no I/O:
limits, the JSON of a body, rights of a key, publishing and problem documents are the gateway's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.write_keys import KeyRing, WriteKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of a source. ``content``: media types and their schemas, for the description of
    the API."""

    path: str
    summary: str
    content: Mapping[str, Mapping[str, Any]]
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """What is known of a request before its body. Names of headers are in lower case; ``raw_query``
    is as it was sent."""

    path: str
    raw_query: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    method: str = "POST"

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request whose body is there, unpacked."""

    head: RequestHead
    body: bytes
    received_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the sender gets after the brokers have acknowledged. ``content``: a JSON object, or
    bytes of ``media_type``."""

    status: int
    content: Mapping[str, Any] | bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Adapter(Protocol):
    """One source."""

    @property
    def keeps_rejected(self) -> bool:
        """Whether what cannot be taken becomes a dead letter and the sender is answered with
        success; else it is refused."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where it sends to."""

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        """Who sends, as far as the head says; None: the body says it. Raises ``Refused`` for
        nobody's key."""

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        """Who sends, where the head did not say; raises ``Refused``."""

    def unpack(self, delivery: Delivery) -> Unpacked:
        """The events of the body; raises ``Refused`` where it cannot be split into events."""

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        """What the sender takes for a success."""


def accepted(taken: Taken) -> dict[str, Any]:
    """The members of a success: ids of the events taken, and what is wrong with the others."""
    content: dict[str, Any] = {
        "success": True,
        "accepted": len(taken.records),
        "events": [record.event_id for record in taken.records],
    }
    if taken.bad:
        content["rejected"] = taken.rejected()
        content["rejected_count"] = len(taken.bad)
    return content

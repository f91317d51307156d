"""The event line: what one event of an outside system looks like, as JSON. One event an object, in
files one object a line.

It is what ``leads.inbox.v1`` and ``POST /v1/events`` take, what ``baton send``, ``baton import
--jsonl`` and ``baton simulate`` read, and what the tests are written in.
``schemas/event-line.schema.json`` says the same for other languages;
``schemas/examples/events.jsonl`` has one of every kind::

    {"id": "w-1", "source": "webinar", "kind": "engagement", "occurred_at": "2026-03-02T10:00:00Z",
     "identifiers": {"email": "ann@acme.example"}, "engagement": {"act": "webinar_attended"}}

Strict: unknown fields, wrong types, and anything over its limit are refused. Values come out
normalised. It says nothing about which lead is meant; that is decided by ``identify``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from baton.contracts.intake import EventKind, IdentityCommand
from baton.intake.act_parts import ActPart, CommandPart, one_of
from baton.intake.fields import Instant, OwnId, Profile, SourceName
from baton.intake.line_identifiers import Identifiers
from baton.intake.line_parts import ConsentPart, EngagementPart, PersonPart

MAX_EVENT_BYTES = 32_768

# Which part each kind needs; "person" and "profile" may ride on those of the second table (a form
# has both).
PART_OF_KIND = {
    EventKind.ENGAGEMENT: "engagement",
    EventKind.CONSENT: "consent",
    EventKind.RETRACTION: "retracts",
    EventKind.ACT: "act",
    EventKind.COMMAND: "command",
}
_PARTS = tuple(PART_OF_KIND.values())
CARRIES_PERSON = frozenset(
    {EventKind.PROFILE, EventKind.ENGAGEMENT, EventKind.ACT, EventKind.CONSENT, EventKind.LINK}
)


class EventLine(BaseModel):
    """One event of an outside system.

    ``id`` is the source's own id of the event: the same id from the same source is the same event,
    however often it comes (without one, the same content is). ``occurred_at`` is when it happened.
    ``arrived_at`` is read by the simulation only: when it reaches the log there. ``backfill`` marks
    history that is imported: it scores, but no fast track. ``update_only``: about somebody who is
    known already, or about nobody; it begins no lead. ``retracts`` is the id of the event that is
    taken back (of ``retracts_source``, else of the same source).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: OwnId | None = None
    source: SourceName | None = None
    kind: Annotated[EventKind, one_of(EventKind)]
    occurred_at: Instant
    arrived_at: Instant | None = None
    identifiers: Identifiers
    engagement: EngagementPart | None = None
    profile: Profile = Field(default_factory=dict, json_schema_extra={"default": {}})
    person: PersonPart | None = None
    consent: ConsentPart | None = None
    act: ActPart | None = None
    command: CommandPart | None = None
    retracts: OwnId | None = None
    retracts_source: SourceName | None = None
    backfill: bool = False
    update_only: bool = False

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> EventLine:
        needed = PART_OF_KIND.get(self.kind)
        for name in _PARTS:
            given = getattr(self, name) is not None
            if given != (name == needed):
                says = "does not belong to" if given else "is needed by"
                raise _of_field(name, f"{says} kind {self.kind.value}")
        if (self.profile or self.person) and self.kind not in CARRIES_PERSON:
            raise _of_field(
                "profile" if self.profile else "person",
                f"does not belong to kind {self.kind.value}",
            )
        if self.retracts_source and not self.retracts:
            raise _of_field("retracts_source", "needs retracts")
        if self.kind is EventKind.LINK and self.identifiers.count < 2:
            raise _of_field("identifiers", "needs two or more for kind link")
        if self.command and self.command.kind in list(IdentityCommand):
            self._check_identity_command(self.command.kind)
        return self

    def _check_identity_command(self, kind: str) -> None:
        named = self.identifiers.strongest_first()
        if len(named) < 2:
            raise _of_field("identifiers", f"needs two or more for command {kind}")
        if kind == IdentityCommand.UNMERGE and named[0].scheme == named[1].scheme:
            raise _of_field(
                "identifiers",
                "needs one that is stronger than the others for command unmerge: whose lead keeps "
                "its history; name it by its lead id",
            )


def _of_field(field: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError("baton_field", "{reason}", {"reason": reason, "field": field})

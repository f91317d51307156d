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

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from baton.contracts.intake import EventKind, Identifier, IdentifierScheme
from baton.evolve import maker
from baton.intake.act_parts import ActPart, CommandPart, Part, one_of
from baton.intake.fields import (
    Instant,
    Label,
    Name,
    OwnId,
    Profile,
    Properties,
    Prose,
    SourceName,
    Word,
    wrong,
)
from baton.intake.identifiers import CANONICAL, email
from baton.intake.placeholders import is_placeholder

MAX_EVENT_BYTES = 32_768
MAX_IDENTIFIERS = 16
_MAX_PER_SCHEME = 8
_MAX_IDENTIFIER_CHARACTERS = 320

# Which part each kind needs; "person" and "profile" may ride on those of the second table (a form
# tells both).
PART_OF_KIND = {
    EventKind.ENGAGEMENT: "engagement",
    EventKind.CONSENT: "consent",
    EventKind.RETRACTION: "retracts",
    EventKind.ACT: "act",
    EventKind.COMMAND: "command",
}
_PARTS = tuple(PART_OF_KIND.values())
TELLS_PERSON = frozenset(
    {EventKind.PROFILE, EventKind.ENGAGEMENT, EventKind.ACT, EventKind.CONSENT, EventKind.LINK}
)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _canonical(scheme: IdentifierScheme) -> WrapValidator:
    one_form = CANONICAL[scheme]

    def read(value: Any, several: ValidatorFunctionWrapHandler) -> list[str]:
        # One short text is what comes nearly always, and needs no list to be checked.
        if type(value) is str and value.isascii() and 0 < len(value) <= _MAX_IDENTIFIER_CHARACTERS:
            values = [value]
        else:
            values = several(value)
        try:
            return list(dict.fromkeys(map(one_form, values)))
        except ValueError as error:
            raise wrong(str(error)) from None

    return WrapValidator(read)


_ONE = {"type": "string", "minLength": 1, "maxLength": _MAX_IDENTIFIER_CHARACTERS}
Several = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=_MAX_IDENTIFIER_CHARACTERS)]],
    BeforeValidator(_as_list),
    Field(min_length=1, max_length=_MAX_PER_SCHEME),
    WithJsonSchema(
        {
            "oneOf": [
                _ONE,
                {"type": "array", "minItems": 1, "maxItems": _MAX_PER_SCHEME, "items": _ONE},
            ]
        }
    ),
]


class Identifiers(Part):
    """Who is meant, strongest first. Each is one value or a list. ``crm`` values name their system:
    ``salesforce:00Q...``."""

    lead: Annotated[Several, _canonical(IdentifierScheme.LEAD)] | None = None
    crm: Annotated[Several, _canonical(IdentifierScheme.CRM)] | None = None
    email: Annotated[Several, _canonical(IdentifierScheme.EMAIL)] | None = None
    user: Annotated[Several, _canonical(IdentifierScheme.USER)] | None = None
    anonymous: Annotated[Several, _canonical(IdentifierScheme.ANONYMOUS)] | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Identifiers:
        if not 1 <= self.given <= MAX_IDENTIFIERS:
            raise wrong(f"needs 1 to {MAX_IDENTIFIERS} of: " + ", ".join(IdentifierScheme))
        if all(
            is_placeholder(scheme, value)
            for scheme, values in self._by_scheme()
            for value in values
        ):
            raise wrong(
                "name nobody: a placeholder, or an id that a spreadsheet has rewritten, is none"
            )
        return self

    @property
    def given(self) -> int:
        """How many came, placeholders too."""
        return sum(
            map(len, filter(None, (self.lead, self.crm, self.email, self.user, self.anonymous)))
        )

    @property
    def count(self) -> int:
        """How many there are that name somebody, each counted once."""
        return len(self.strongest_first())

    def strongest_first(self) -> tuple[Identifier, ...]:
        """All that name somebody in the order of precedence; within a scheme in the order of the
        text, so that order does not matter."""
        found: list[Identifier] = []
        for scheme, values in self._by_scheme():
            found += [
                _identifier(scheme, value)
                for value in sorted(values)
                if not is_placeholder(scheme, value)
            ]
        return tuple(found)

    def placeholders(self) -> tuple[str, ...]:
        """The schemes of which a value names nobody, once each."""
        return tuple(
            scheme
            for scheme, values in self._by_scheme()
            if any(is_placeholder(scheme, value) for value in values)
        )

    def _by_scheme(self) -> list[tuple[str, list[str]]]:
        named = zip(
            _SCHEMES, (self.lead, self.crm, self.email, self.user, self.anonymous), strict=True
        )
        return [(scheme, values) for scheme, values in named if values]


_SCHEMES = tuple(each.value for each in IdentifierScheme)
_identifier = maker(Identifier)


class EngagementPart(Part):
    """What the lead did. ``act`` is a word of the agreement's taxonomy; ``content_stage``
    awareness, consideration or decision."""

    act: Word
    content_id: Label | None = None
    content_title: Label | None = None
    content_stage: Word | None = None
    topics: Annotated[list[Word], Field(max_length=16)] = Field(
        default_factory=list, json_schema_extra={"default": []}
    )
    campaign: Label | None = None
    link_group: Label | None = None
    automatic: bool = False
    properties: Properties = Field(default_factory=dict, json_schema_extra={"default": {}})


class PersonPart(Part):
    """Direct identifiers and free text of the person. They travel apart from all else and can be
    erased."""

    email: Annotated[str, Field(max_length=320)] | None = None
    phone: Name | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    company: Name | None = None
    stated_problem: Prose | None = None
    current_supplier: Name | None = None
    note: Prose | None = None

    @field_validator("email")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        try:
            return value and email(value)
        except ValueError as error:
            raise wrong(str(error)) from None


class ConsentPart(Part):
    """One explicit act of consent (``granted`` true) or refusal, by purpose and channel."""

    purpose: Word
    channel: Word = "any"
    granted: bool


class EventLine(Part):
    """One event of an outside system.

    ``id`` is the source's own id of the event: the same id from the same source is the same event,
    however often it comes (without one, the same content is). ``occurred_at`` is when it happened.
    ``arrived_at`` is read by the simulation only: when it reaches the log there. ``backfill`` marks
    history that is imported: it scores, but no fast track. ``update_only``: about somebody who is
    known already, or about nobody; it begins no lead. ``retracts`` is the id of the event that is
    taken back (of ``retracts_source``, else of the same source).
    """

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
        if (self.profile or self.person) and self.kind not in TELLS_PERSON:
            raise _of_field(
                "profile" if self.profile else "person",
                f"does not belong to kind {self.kind.value}",
            )
        if self.retracts_source and not self.retracts:
            raise _of_field("retracts_source", "needs retracts")
        if self.kind is EventKind.LINK and self.identifiers.count < 2:
            raise _of_field("identifiers", "needs two or more for kind link")
        return self


def _of_field(field: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError("baton_field", "{reason}", {"reason": reason, "field": field})

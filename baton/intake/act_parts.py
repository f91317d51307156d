"""The parts of an event line that staff cause: acts and commands.

Strict, as the whole line is: unknown fields, wrong types and anything over its limit are refused.
Whether an act may be carried out is not asked here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from baton.contracts.acts import ActKind
from baton.contracts.identity import IdentityCommand
from baton.contracts.intake import CommandKind, IdentifierScheme
from baton.intake.fields import (
    ACTOR,
    AmountMinor,
    Currency,
    Day,
    HexId,
    Label,
    Moment,
    OwnId,
    PersonId,
    Word,
    wrong,
)
from baton.intake.identifiers import CANONICAL

MAX_CONTACTS = 20


class Part(BaseModel):
    """What every part of a line is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def one_of(*kinds: type[StrEnum]) -> BeforeValidator:
    """Reads one of the words of ``kinds``, and names them all where it is none."""
    words = [word for kind in kinds for word in kind]
    by_text = {word.value: word for word in words}

    def read(value: Any) -> Any:
        word = by_text.get(value) if isinstance(value, str) else None
        if word is None:
            raise wrong("must be one of: " + ", ".join(words))
        return word

    return BeforeValidator(read)


class DealContactPart(Part):
    """Somebody of the buyer who takes part in a deal, by an id in a CRM (``salesforce:003...``) or
    by our lead id; an address has no place here, since acts are kept for long."""

    who: Annotated[str, Field(min_length=1, max_length=200)]
    role: Word | None = None

    @field_validator("who")
    @classmethod
    def _known_form(cls, value: str) -> str:
        if "@" in value:
            raise wrong("must be an id in a CRM (system:id) or a lead id, not an address")
        scheme = IdentifierScheme.CRM if ":" in value else IdentifierScheme.LEAD
        try:
            return CANONICAL[scheme](value)
        except ValueError as error:
            raise wrong(str(error)) from None


class ActPart(Part):
    """What somebody of staff did with the lead: a disposition (accepted, rejected, qualified ...),
    a touch (call, mail ...), or what has changed of a deal."""

    kind: Annotated[ActKind, one_of(ActKind)]
    by: PersonId
    handoff_id: HexId | None = None
    actor: Annotated[str, Field(pattern=ACTOR)] = ""
    reason: Word | None = None
    outcome: Word | None = None
    automatic: bool = False
    opportunity_id: OwnId | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    expected_close: Day | None = None
    contract_end: Day | None = None
    meeting_at: Moment | None = None
    deal_stage: Word | None = None
    next_step: Word | None = None
    next_step_on: Day | None = None
    contacts: Annotated[list[DealContactPart], Field(max_length=MAX_CONTACTS)] | None = None
    objections: Annotated[list[Word], Field(max_length=8)] = Field(
        default_factory=list, json_schema_extra={"default": []}
    )
    competitor: Word | None = None
    content_sent: Label | None = None
    content_asked: Label | None = None


class CommandPart(Part):
    """What staff want done with a hand-off (claim, pass_on, assign), or decide about who is who
    (merge, unmerge)."""

    kind: Annotated[CommandKind | IdentityCommand, one_of(CommandKind, IdentityCommand)]
    by: PersonId
    handoff_id: HexId | None = None
    to_person: PersonId | None = None
    to_pool: PersonId | None = None
    reason: Word | None = None

"""The parts of an event line, one for each kind of event: what each may say, and nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from baton.contracts.intake import ActKind, CommandKind, IdentityCommand
from baton.intake.fields import (
    AmountMinor,
    Currency,
    Day,
    HexId,
    Label,
    Moment,
    Name,
    OwnId,
    PersonId,
    Properties,
    Prose,
    Word,
    wrong,
)
from baton.intake.identifiers import email


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def one_of(*kinds: type[StrEnum]) -> BeforeValidator:
    words = [word for kind in kinds for word in kind]
    by_text = {word.value: word for word in words}

    def read(value: Any) -> Any:
        word = by_text.get(value) if isinstance(value, str) else None
        if word is None:
            raise wrong("must be one of: " + ", ".join(words))
        return word

    return BeforeValidator(read)


class EngagementPart(_Part):
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


class PersonPart(_Part):
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


class ConsentPart(_Part):
    """One explicit act of consent (``granted`` true) or refusal, by purpose and channel."""

    purpose: Word
    channel: Word = "any"
    granted: bool


class ActPart(_Part):
    """What a person of the firm did with the lead: a disposition (accepted, rejected, qualified
    ...) or a touch (call, mail ...)."""

    kind: Annotated[ActKind, one_of(ActKind)]
    by: PersonId
    handoff_id: HexId | None = None
    actor: Annotated[str, Field(pattern=r"^(system|marketing|sdr|sales|manager)?$")] = ""
    reason: Word | None = None
    outcome: Word | None = None
    automatic: bool = False
    opportunity_id: OwnId | None = None
    amount_minor: AmountMinor | None = None
    currency: Currency | None = None
    expected_close: Day | None = None
    contract_end: Day | None = None
    meeting_at: Moment | None = None


class CommandPart(_Part):
    """What staff want done with a hand-off (claim, pass_on, assign), or decide about who is who
    (merge, unmerge)."""

    kind: Annotated[CommandKind | IdentityCommand, one_of(CommandKind, IdentityCommand)]
    by: PersonId
    handoff_id: HexId | None = None
    to_person: PersonId | None = None
    to_pool: PersonId | None = None
    reason: Word | None = None

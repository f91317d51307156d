"""The parts of an event line that are not of staff: what a lead did, who they are, what they
consented to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from baton.intake.act_parts import Part
from baton.intake.fields import Label, Name, Properties, Prose, Word, wrong
from baton.intake.identifiers import email


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

"""Section ``consent``: what each kind of contact needs."""

from enum import StrEnum

from pydantic import Field

from baton.agreement.model.base import Name, Section


class Basis(StrEnum):
    """``opt-in``: an explicit yes is needed; ``opt-out``: a no is respected."""

    OPT_IN = "opt-in"
    OPT_OUT = "opt-out"


class ConsentModel(Section):
    """What one kind of contact needs."""

    purpose: Name
    channels: tuple[Name, ...] = Field(min_length=1)
    basis: Basis
    hand_raise_allows: bool = False
    """Whether who asks for a contact is contacted, whatever was refused before."""


class ConsentsModel(Section):
    """Consent is by purpose and channel."""

    hand_off: ConsentModel
    """Before a lead is handed to a person."""
    nurture: ConsentModel
    """Before a nurture track sends anything."""

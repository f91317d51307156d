"""Section ``routing``: which pool gets a lead. People inside a pool take turns."""

from enum import StrEnum
from typing import Final

from pydantic import Field, model_validator

from baton.agreement.model.base import Label, Name, Section, problem
from baton.agreement.model.condition import ConditionModel

SPOKEN: Final = "profile."
"""How a need begins that names a field of the lead's profile instead of a skill."""


class SuppressModel(Section):
    """Leads that go to nobody, and why."""

    name: Label
    when: ConditionModel
    reason: Name
    """The reason that is published: competitor, employee, test ..."""


class DestinationModel(Section):
    """A pool for each kind of queue; a kind left out falls through to the next rule."""

    sdr: Name | None = None
    sales: Name | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> "DestinationModel":
        if self.sdr is None and self.sales is None:
            raise problem(
                "names no pool: write {sdr: a-pool, sales: another-pool}, or one of the two"
            )
        return self


class RuleModel(Section):
    """One rule: who, and which pools."""

    name: Label
    when: ConditionModel
    to: DestinationModel
    needs: tuple[Name, ...] = ()
    """Skills that the person must have: by name, or ``profile.language``, the one that the lead's
    own profile names."""


class NamedAccountModel(Section):
    """An account with its own person or pools."""

    owner: Name | None = None
    to: DestinationModel | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "NamedAccountModel":
        if (self.owner is None) == (self.to is None):
            raise problem("a named account has an owner (a person) or pools (to), one of the two")
        return self


class ContactsModel(Section):
    """Who of marketing belongs to a lead; the first that is named: by its campaign, by its segment,
    or the default."""

    campaigns: dict[str, Name] = Field(default_factory=dict)
    segments: dict[Name, Name] = Field(default_factory=dict)
    default: Name | None = None


class MatchAnew(StrEnum):
    """Until when a lead whose profile changes is matched anew."""

    NEVER = "never"
    WAITING = "waiting"
    UNTAKEN = "untaken"


class RoutingModel(Section):
    """Looked at in this order; the first that fits wins.

    Suppressed, the owner of the open cycle, a customer's account owner, a colleague's open
    hand-off, named accounts, territories, segments, the default.
    """

    suppress: tuple[SuppressModel, ...] = ()
    accounts: dict[str, NamedAccountModel] = Field(default_factory=dict)
    """Named accounts by domain."""
    territories: tuple[RuleModel, ...] = ()
    segments: tuple[RuleModel, ...] = ()
    default: DestinationModel
    """The pools for whoever is left."""
    needs: tuple[Name, ...] = ()
    """Skills that every lead asks of a person, whichever rule chose its pool; written as in a
    rule."""
    keep_colleagues_together: bool = True
    """A lead whose colleague has an open hand-off goes to the same person."""
    match_anew: MatchAnew = MatchAnew.UNTAKEN
    """A lead that belongs to another pool by what has become known of it moves there ``never``,
    while it is ``waiting``, or until somebody has accepted it (``untaken``)."""
    contacts: ContactsModel = ContactsModel()
    """Whom of marketing the routed record names beside the SDR and the sales rep."""

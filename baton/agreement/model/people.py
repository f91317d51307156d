"""Section ``people``: who works the leads. Their queues are in ``model/pools.py``."""

from pydantic import Field

from baton.agreement.model.base import Label, Name, Section


class PersonModel(Section):
    """A person. Absences are not here: they are published apart, as they come."""

    name: Label
    calendar: Name | None = None
    """Left out: the pool's, else the house calendar."""
    skills: tuple[Name, ...] = ()
    """Languages, products."""
    manager: Name | None = None
    """Who is notified when a promise of this person is broken."""
    deputy: Name | None = None
    """Who takes over their open work while they are away, in pools that say so."""
    active: bool = True
    """False: gets no leads any more."""
    capacity: int | None = Field(default=None, ge=1, le=100_000)
    """How many leads, offered and accepted, the person can have open over all pools."""
    offers: int | None = Field(default=None, ge=1, le=100_000)
    """How many offers of all pools may be unanswered at once."""
    per_day: int | None = Field(default=None, ge=1, le=100_000)
    """How many leads of all pools the person is handed in a day of the agreement's time."""
    per_week: int | None = Field(default=None, ge=1, le=100_000)
    """The same in a week, which begins on Monday."""

"""Section ``people``: who works the leads. Their queues are in ``model/pools.py``."""

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

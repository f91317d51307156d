"""The whole agreement, as written."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, PrivateAttr

from baton.agreement.books import NO_BOOKS, Books
from baton.agreement.model.base import Label, Name, Section
from baton.agreement.model.books import BooksModel
from baton.agreement.model.calendars import CalendarModel, ZoneName
from baton.agreement.model.consent import ConsentsModel
from baton.agreement.model.definitions import Definitions
from baton.agreement.model.engagement import EngagementModel
from baton.agreement.model.examples import ExampleModel, Moment
from baton.agreement.model.fit import FitModel
from baton.agreement.model.goals import GoalModel
from baton.agreement.model.lifecycle import LifecycleModel
from baton.agreement.model.people import PersonModel
from baton.agreement.model.pools import PoolModel
from baton.agreement.model.recycling import RecyclingModel
from baton.agreement.model.routing import RoutingModel
from baton.agreement.model.slas import SlasModel


class Agreement(Section):
    """What marketing and sales agree on and sign."""

    agreement: Literal[1]
    """The version of this language."""
    name: Label
    timezone: ZoneName
    """Where the firm's days begin and end."""
    calendar: Name
    """The house calendar: where nothing nearer is named."""
    effective_at: Moment | None = None
    """Not in force before this moment. Left out: as soon as published."""
    definitions: Definitions
    fit: FitModel = Field(min_length=1)
    engagement: EngagementModel
    lifecycle: LifecycleModel
    calendars: dict[Name, CalendarModel] = Field(min_length=1)
    people: dict[Name, PersonModel] = Field(min_length=1)
    pools: dict[Name, PoolModel] = Field(min_length=1)
    routing: RoutingModel
    books: BooksModel = BooksModel()
    slas: SlasModel
    recycling: RecyclingModel
    goals: dict[Name, GoalModel] = Field(default_factory=dict)
    consent: ConsentsModel
    examples: tuple[ExampleModel, ...] = ()
    _attached: Books = PrivateAttr(default=NO_BOOKS)

    @property
    def attached(self) -> Books:
        """The books that its hashes name, where they are known."""
        return self._attached

    def with_books(self, books: Books, hashes: Mapping[str, str]) -> "Agreement":
        """The same agreement with these books attached; ``hashes`` by the book's name."""
        named = {
            name: getattr(self.books, name).model_copy(update={"hash": found})
            for name, found in hashes.items()
        }
        copy = self.model_copy(update={"books": self.books.model_copy(update=named)})
        copy._attached = books
        return copy

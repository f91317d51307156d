"""Puts the concierge together: its desk, and what keeps calendars fresh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from baton.sources.people import read_people
from services.delivery.answers.inbox import Inbox
from services.delivery.concierge.busy_cache import BusyCache
from services.delivery.concierge.desk import Desk
from services.delivery.concierge.feeds import FeedKeeper
from services.delivery.concierge.openings import Openings
from services.delivery.targets.people_model import ConciergeTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Concierge:
    """``feeds`` None: no book of people is configured."""

    desk: Desk
    feeds: FeedKeeper | None


def concierge_of(
    target: ConciergeTarget, secret: str, place: tuple[Path, str], inbox: Inbox
) -> Concierge:
    """Raises :class:`~baton.sources.people.PeopleWrong`."""
    if target.people is None:
        return Concierge(desk=Desk(target, secret, place, inbox), feeds=None)
    book, cache = Path(target.people), BusyCache()
    places = read_people(book).calendars()
    desk = Desk(target, secret, place, inbox, openings=Openings(target.slots, cache))
    feeds = FeedKeeper(places, book.parent, cache, days=target.slots.days, zone_of=desk.zone_of)
    return Concierge(desk=desk, feeds=feeds)

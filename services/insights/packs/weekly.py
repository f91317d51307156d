"""Makes the pack of the last week by itself, on Monday morning in the agreement's zone, and mails
it. One board of a namespace does: the one that writes the store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from services.insights.packs.figures import Pack, last_week, make_pack, week_bounds
from services.insights.packs.mailing import Mailer, NotMailed
from services.insights.packs.pack_store import Packs, packs_of
from services.insights.projection.board_stores import BoardStores
from services.insights.projection.dialect import StorePlace, reader, store_errors
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.projection.reference_state import book_in
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.data import first_record_ms
from services.insights.settings import BoardSettings

log = logging.getLogger(__name__)

_LOOK_S: Final = 300.0
_FROM_HOUR: Final = 6


def mailer_of(own: BoardSettings, packs: Packs) -> Mailer | None:
    """Who mails packs; None: nobody is to."""
    if own.smtp_url is None:
        return None
    return Mailer(
        url=own.smtp_url.get_secret_value(),
        sender=own.mail_from,
        recipients=[part.strip() for part in own.mail_to.split(",") if part.strip()],
        packs=packs,
    )


def context_at(db: Any, now_ms: int) -> Context:
    """What a pack is made from: nobody looks who may know names."""
    found = book_in(db).at(now_ms)
    return Context(
        db=db,
        now_ms=now_ms,
        viewer=Viewer(role=Role.MARKETING),
        filters=filters_of({}, date(2000, 1, 3)),
        agreement=found.agreement if found else None,
    )


def frozen(place: StorePlace, packs: Packs, now_ms: int, week: str | None = None) -> Pack:
    """The pack of a week (None: the last), frozen now if it was not before."""
    with contextlib.closing(reader(place)) as db:
        context = context_at(db, now_ms)
        name = week or last_week(context)
        return packs.get(name) or packs.freeze(make_pack(context, name))


class WeeklyPacks:
    """``run`` until cancelled."""

    def __init__(
        self,
        own: BoardSettings,
        files: BoardStores,
        standing: Callable[[], Standing],
        now_ms: Callable[[], int],
    ) -> None:
        self._files, self._standing, self._now_ms = files, standing, now_ms
        self._packs = packs_of(files)
        self._mailer = mailer_of(own, self._packs)

    async def run(self) -> None:
        """Look every few minutes whether the last week has its pack."""
        passing: tuple[type[Exception], ...] = (OSError, *store_errors())
        while True:
            try:
                await asyncio.to_thread(self.look)
            except passing as error:
                log.warning("no pack could be made now: %s", type(error).__name__)
            await asyncio.sleep(_LOOK_S)

    def look(self) -> Pack | None:
        """Make and mail what is due, to those too who could not be reached before; gives the pack
        where it was made now."""
        place = self._files.current()
        if place is None or self._standing().state is not ProjectorState.LIVE:
            return None
        now_ms = self._now_ms()
        with contextlib.closing(reader(place)) as db:
            context = context_at(db, now_ms)
            if context.agreement is None:
                return None
            week, first_ms = last_week(context), first_record_ms(context)
            made = self._packs.get(week)
        if made is not None:
            self._mail(made)
            return None
        if first_ms is not None and week_bounds(context, week)[1] <= first_ms:
            return None  # the week was over before there was anything to report
        local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(context.zone)
        if local.weekday() == 0 and local.hour < _FROM_HOUR:
            return None
        pack = frozen(place, self._packs, now_ms)
        self._mail(pack)
        return pack

    def _mail(self, pack: Pack) -> None:
        if self._mailer is None:
            return
        try:
            self._mailer.mail(pack)
        except NotMailed as error:
            log.error("the pack of %s: %s", pack.week, error)

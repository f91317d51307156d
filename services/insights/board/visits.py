"""What every request needs: the store, who asks, the moment, the filters, the frame of the page."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from baton.agreement.compiled.agreement import CompiledAgreement
from services.insights.board.access import COOKIE, SIGNED_IN_COOKIE, Access
from services.insights.board.pages import PAGES
from services.insights.board.publishing import Publisher
from services.insights.board.words import clean
from services.insights.packs.pack_store import packs_of
from services.insights.projection.board_stores import BoardStores
from services.insights.projection.dialect import reader, store_errors
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.projection.reference_state import book_in
from services.insights.reports.context import Context, Filters, Viewer, filters_of
from services.insights.settings import BoardSettings
from services.insights.trials.kept_trials import Trials

audit = logging.getLogger("services.insights.audit")

_STALE_MS: Final = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the site is made of; tests hand in their own clock, standing and publisher."""

    settings: BoardSettings
    files: BoardStores
    access: Access
    publisher: Publisher
    standing: Callable[[], Standing]
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)


class Visits:
    """Makes the context of a request from the store in use, on a read-only connection of its
    own."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._agreed: tuple[tuple[str, int], CompiledAgreement | None, int] = (("", -1), None, 0)

    @property
    def cookie(self) -> str:
        """The name of the cookie that has the session."""
        return SIGNED_IN_COOKIE if self.parts.settings.oidc_issuer else COOKIE

    @contextlib.contextmanager
    def store(self) -> Iterator[Any]:
        place = self.parts.files.current()
        if place is None:
            raise HTTPException(
                503,
                "The board is being built from the topics. It opens when everything in them is "
                "read.",
            )
        db = reader(place)
        try:
            db.execute("BEGIN")  # one moment for all queries of a page
            yield db
        finally:
            db.close()

    def revision(self) -> str:
        with contextlib.suppress(*store_errors(), HTTPException), self.store() as db:
            return str(next(iter(db.execute("SELECT value FROM meta WHERE name = 'revision'")))[0])
        return ""

    def agreement(self, db: Any) -> CompiledAgreement | None:
        """The agreement in force, compiled once for as long as the reference topics have nothing
        new."""
        place = str(self.parts.files.current())
        key = (place, next(iter(db.execute("SELECT count(*) FROM reference")))[0])
        known, agreement, until = self._agreed
        now = self.parts.now_ms()
        if known != key or now >= until:
            found = book_in(db).at(now)
            agreement = found.agreement if found else None
            self._agreed = (key, agreement, now + 5_000)
        return agreement

    def viewer(self, request: Request, agreement: CompiledAgreement | None) -> Viewer:
        client = request.client.host if request.client else ""
        return self.parts.access.viewer(
            client=client,
            headers=request.headers,
            cookie=request.cookies.get(self.cookie),
            agreement=agreement,
        )

    @contextlib.contextmanager
    def context(self, request: Request, *, filtered: bool = True) -> Iterator[Context]:
        with self.store() as db:
            agreement = self.agreement(db)
            viewer = self.viewer(request, agreement)
            now = self.parts.now_ms()
            bare = Context(db=db, now_ms=now, viewer=viewer, filters=_ANY, agreement=agreement)
            query = dict(request.query_params) if filtered else {}
            filters = filters_of(query, bare.today)
            yield Context(
                db=db,
                now_ms=now,
                viewer=viewer,
                filters=filters,
                agreement=agreement,
                per_person=self.parts.settings.per_person or viewer.role.value == "manager",
            )

    def shell(self, context: Context, path: str, title: str) -> dict[str, Any]:
        """What the frame of every page shows."""
        standing = self.parts.standing()
        stale = standing.asked_ms is None or context.now_ms - standing.asked_ms > _STALE_MS
        return {
            "pages": PAGES,
            "path": path,
            "title": clean(title, 60),
            "viewer": context.viewer,
            "filters": context.filters,
            "with_filters": lambda **more: _address(path, context.filters, more),
            "standing": standing,
            "packs": packs_of(self.parts.files).weeks()[:12] if path == "/monday" else [],
            "trials": Trials(self.parts.files.folder).latest() if path == "/agreement" else [],
            "trouble": standing.state in (ProjectorState.STOPPED, ProjectorState.AWAY)
            or (stale and standing.state == ProjectorState.LIVE),
            "news_ms": context.value("SELECT max(last_ms) FROM position"),
            "form_token": self.parts.access.form_token(context.viewer),
            "form_number": secrets.token_hex(8),
            "proxied": self.parts.settings.proxy_header is not None,
        }

    def check_form(self, context: Context, form: Mapping[str, str]) -> None:
        if not self.parts.access.is_form_token(context.viewer, form.get("token", "")):
            raise HTTPException(
                403,
                "This form was made for another visit. Go back, reload the page, and send it "
                "again.",
            )


_ANY: Final = filters_of({}, date(2000, 1, 1))


def _address(path: str, filters: Filters, more: Mapping[str, str | None]) -> str:
    query = {name: value for name, value in {**filters.given, **more}.items() if value}
    return f"{path}?{urlencode(query)}" if query else path

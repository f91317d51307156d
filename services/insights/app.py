"""What the board is, to whoever runs it: no reducers, and one extra that projects and serves."""

from __future__ import annotations

from baton.agreement.reference import AgreementBook
from baton.engine.service import Service, Up
from baton.settings import Settings


async def _board(settings: Settings, up: Up) -> None:
    # Imported when it is run: who only asks what services there are needs no web server and no store.
    from services.insights.board.serving import serve

    await serve(settings, up)


SERVICE = Service(name="insights", reducers=(), book=AgreementBook, extras={"board": _board})

"""What the ingest service is, to whoever runs it: two reducers and the HTTP gateway."""

from __future__ import annotations

from baton.agreement.reference import AgreementBook
from baton.engine.service import Service, Up
from baton.settings import Settings
from services.ingest.admit.reducer import Admit
from services.ingest.identify.reducer import Identify


async def _gateway(settings: Settings, up: Up) -> None:
    # Imported when it is run: simulations and tests of the reducers need no web server.
    from services.ingest.gateway.server import serve

    await serve(settings, up)


SERVICE = Service(name="ingest", reducers=(Admit(), Identify()), book=AgreementBook, extras={"gateway": _gateway})

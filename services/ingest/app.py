"""What the ingest service is, to whoever runs it: two reducers. The HTTP gateway is a process of
its own."""

from __future__ import annotations

from baton.agreement.reference import AgreementBook
from baton.contracts.fact_metrics import MEASURES
from baton.engine.service import Service
from services.ingest.admit.reducer import Admit
from services.ingest.identify.reducer import Identify

SERVICE = Service(
    name="ingest",
    reducers=(Admit(), Identify()),
    book=AgreementBook,
    measures=MEASURES,
)

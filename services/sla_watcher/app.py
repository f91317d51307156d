"""The SLA watcher as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.contracts.fact_metrics import MEASURES
from baton.engine.service import Service
from services.sla_watcher.clocks.reducer import Clocks
from services.sla_watcher.custody.reducer import Custody
from services.sla_watcher.digests.reducer import Digests
from services.sla_watcher.goals.reducer import Goals

SERVICE = Service(
    name="sla_watcher",
    reducers=(Clocks(), Goals(), Digests(), Custody()),
    book=AgreementBook,
    measures=MEASURES,
)

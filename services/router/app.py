"""The router as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.contracts.fact_metrics import MEASURES
from baton.engine.service import Service
from services.router.assignment.reducer import Assignment
from services.router.dispatch.reducer import Dispatch
from services.router.matching.reducer import Matching
from services.router.workload.reducer import Workload

SERVICE = Service(
    name="router",
    reducers=(Dispatch(), Matching(), Assignment(), Workload()),
    book=AgreementBook,
    measures=MEASURES,
)

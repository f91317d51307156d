"""The router as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.contracts.fact_metrics import MEASURES
from baton.engine.service import Service
from services.router.assignment.reducer import Assignment
from services.router.dispatch.reducer import Dispatch
from services.router.matching.reducer import Matching

SERVICE = Service(
    name="router",
    reducers=(Dispatch(), Matching(), Assignment()),
    book=AgreementBook,
    measures=MEASURES,
)

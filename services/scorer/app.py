"""The scorer as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.contracts.fact_metrics import MEASURES
from baton.engine.service import Service
from services.scorer.accounts.reducer import Accounts
from services.scorer.backlog.reducer import Backlog
from services.scorer.lead.reducer import Lead

SERVICE = Service(
    name="scorer",
    reducers=(Lead(), Accounts(), Backlog()),
    book=AgreementBook,
    measures=MEASURES,
)

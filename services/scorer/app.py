"""The scorer as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.engine.service import Service
from services.scorer.accounts import Accounts
from services.scorer.backlog import Backlog
from services.scorer.lead import Lead

SERVICE = Service(name="scorer", reducers=(Lead(), Accounts(), Backlog()), book=AgreementBook)

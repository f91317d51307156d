"""The router as whoever runs it sees it."""

from baton.agreement.reference import AgreementBook
from baton.engine.service import Service
from services.router.assignment import Assignment
from services.router.dispatch import Dispatch
from services.router.matching import Matching

SERVICE = Service(name="router", reducers=(Dispatch(), Matching(), Assignment()), book=AgreementBook)

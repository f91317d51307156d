"""The web application of the concierge: what open forms call."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from services.delivery.answers.concierge import ConciergeAnswers
from services.delivery.concierge.desk import Desk
from services.delivery.targets.people_model import ConciergeTarget


def concierge_app(target: ConciergeTarget, desk: Desk) -> Starlette:
    """``POST /v1/concierge/peek`` and ``claim``, and what a browser asks before."""
    answers = ConciergeAnswers(target, desk)
    routes = []
    for name, endpoint in (("peek", answers.peek), ("claim", answers.claim)):
        path = f"/v1/concierge/{name}"
        routes.append(Route(path, endpoint, methods=["POST"]))
        routes.append(Route(path, answers.preflight, methods=["OPTIONS"]))
    return Starlette(routes=routes)

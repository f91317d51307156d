"""The web application that targets and open forms call: one route for each that is configured."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from services.delivery.answers.concierge import ConciergeAnswers
from services.delivery.answers.hubspot import HubSpotAnswers
from services.delivery.answers.inbox import Inbox
from services.delivery.answers.slack import SlackAnswers
from services.delivery.carriers import Surroundings
from services.delivery.concierge.desk import Desk
from services.delivery.targets.model import TargetsFile
from services.delivery.targets.people_model import ConciergeTarget


def answers_app(
    targets: TargetsFile, around: Surroundings, inbox: Inbox, desk: Desk | None = None
) -> Starlette:
    """``desk``: of the concierge, where there is one.
    ``POST /slack/interactions/NAME`` for a workspace, ``POST /hubspot/changes/NAME`` for a
    portal, ``/v1/concierge/peek`` and ``claim`` for open forms."""
    routes = []
    for name, slack in targets.slack.items():
        secrets = (around.secret(slack.token_env), around.secret(slack.signing_secret_env))
        answers = SlackAnswers(slack, secrets, around.folder, inbox)
        path = f"/slack/interactions/{name}"
        routes.append(Route(path, answers.endpoint, methods=["POST"]))
    for name, hubspot in targets.hubspot.items():
        if hubspot.app_secret_env is not None:
            secret = around.secret(hubspot.app_secret_env)
            changes = HubSpotAnswers(name, hubspot, secret, around.folder, inbox)
            routes.append(Route(f"/hubspot/changes/{name}", changes.endpoint, methods=["POST"]))
    if targets.concierge is not None and desk is not None:
        routes += _concierge(targets.concierge, desk)
    return Starlette(routes=routes)


def _concierge(target: ConciergeTarget, desk: Desk) -> list[Route]:
    answers = ConciergeAnswers(target, desk)
    found = []
    for name, endpoint in (("peek", answers.peek), ("claim", answers.claim)):
        path = f"/v1/concierge/{name}"
        found.append(Route(path, endpoint, methods=["POST"]))
        found.append(Route(path, answers.preflight, methods=["OPTIONS"]))
    return found

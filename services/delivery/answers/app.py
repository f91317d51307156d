"""The web application that targets call: one route for each that is configured."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from services.delivery.answers.hubspot_changes import HubSpotAnswers
from services.delivery.answers.inbox import Inbox
from services.delivery.answers.slack import SlackAnswers
from services.delivery.carriers import Surroundings
from services.delivery.targets.target_model import TargetsFile


def answers_app(targets: TargetsFile, around: Surroundings, inbox: Inbox) -> Starlette:
    """``POST /slack/interactions/NAME`` for a workspace, ``POST /hubspot/changes/NAME`` for a
    portal."""
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
    return Starlette(routes=routes)

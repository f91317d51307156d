"""Makes what carries to each target: the one place that knows all kinds."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from services.delivery.sender import Carrier
from services.delivery.settings import DeliverySettings
from services.delivery.slack.carrier import SlackCarrier
from services.delivery.targets.model import TargetsFile
from services.delivery.webhooks.carrier import WebhookCarrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What carriers need beside their targets: the store's directory, and settings."""

    secrets: Mapping[str, SecretStr]
    own: DeliverySettings
    folder: Path
    namespace: str

    def secret(self, variable: str) -> str:
        """The value behind the name of an environment variable."""
        return self.secrets[variable].get_secret_value()


def carriers_of(targets: TargetsFile, around: Surroundings) -> dict[str, Carrier]:
    """A carrier for each target, by name."""
    context = ssl.create_default_context()
    found: dict[str, Carrier] = {}
    for name, webhook in targets.webhooks.items():
        signing = [around.secrets[variable] for variable in webhook.secret_env]
        found[name] = WebhookCarrier(webhook, signing, context, proxy=around.own.proxy)
    for name, slack in targets.slack.items():
        token = around.secret(slack.token_env)
        found[name] = SlackCarrier(name, slack, token, around.folder, around.namespace)
    return found

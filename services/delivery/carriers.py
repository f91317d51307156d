"""Makes what carries to each target: the one place that knows all kinds."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from pydantic import SecretStr

from services.delivery.sender import Carrier
from services.delivery.settings import DeliverySettings
from services.delivery.targets.model import TargetsFile
from services.delivery.webhooks.carrier import WebhookCarrier


def carriers_of(
    targets: TargetsFile, secrets: Mapping[str, SecretStr], own: DeliverySettings
) -> dict[str, Carrier]:
    """A carrier for each target, by name."""
    context = ssl.create_default_context()
    found: dict[str, Carrier] = {}
    for name, webhook in targets.webhooks.items():
        signing = [secrets[variable] for variable in webhook.secret_env]
        found[name] = WebhookCarrier(webhook, signing, context, proxy=own.proxy)
    return found

"""Makes what carries to each target: the one place that knows all kinds."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from services.delivery.answers.inbox import Inbox
from services.delivery.concierge.promise_keeping import PromiseCarrier
from services.delivery.crm.crm_carrier import CrmCarrier
from services.delivery.crm.hubspot import BATCH as hubspot_batch
from services.delivery.crm.hubspot import HubSpot
from services.delivery.crm.oauth_tokens import Grant, TokenKeeper
from services.delivery.crm.salesforce import BATCH as salesforce_batch
from services.delivery.crm.salesforce import Salesforce
from services.delivery.mail import MailCarrier
from services.delivery.sender import Carrier
from services.delivery.settings import DeliverySettings
from services.delivery.slack.slack_carrier import SlackCarrier
from services.delivery.targets.crm_model import HubSpotTarget, SalesforceTarget
from services.delivery.targets.target_model import CONCIERGE, TargetsFile
from services.delivery.webhooks.webhook_carrier import WebhookCarrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What carriers need beside their targets: the store's directory, settings, and the inbox for
    what they notice."""

    secrets: Mapping[str, SecretStr]
    own: DeliverySettings
    folder: Path
    namespace: str
    inbox: Inbox

    @property
    def place(self) -> tuple[Path, str]:
        """Directory and namespace of the store."""
        return self.folder, self.namespace

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
        found[name] = SlackCarrier(name, slack, around.secret(slack.token_env), *around.place)
    for name, mail in targets.mail.items():
        password = around.secret(mail.password_env) if mail.password_env else None
        found[name] = MailCarrier(mail, password, around.folder)
    for name, hubspot in targets.hubspot.items():
        contacts = HubSpot(hubspot, _hubspot_token(name, hubspot, around))
        found[name] = CrmCarrier(
            name, hubspot, contacts, around.place, around.inbox, batch=hubspot_batch
        )
    for name, salesforce in targets.salesforce.items():
        leads = Salesforce(salesforce, _salesforce_tokens(name, salesforce, around))
        found[name] = CrmCarrier(
            name, salesforce, leads, around.place, around.inbox, batch=salesforce_batch
        )
    if targets.concierge is not None:
        found[CONCIERGE] = PromiseCarrier(around.folder, around.inbox)
    return found


def _hubspot_token(name: str, target: HubSpotTarget, around: Surroundings) -> str | TokenKeeper:
    if target.token_env is not None:
        return around.secret(target.token_env)
    grant = Grant(
        url=f"{target.api_url}/oauth/v1/token",
        client_id=target.client_id or "",
        client_secret=around.secret(target.client_secret_env or ""),
        refresh=around.secret(target.refresh_token_env or ""),
    )
    return TokenKeeper(name, grant, _keys(around), around.place)


def _salesforce_tokens(name: str, target: SalesforceTarget, around: Surroundings) -> TokenKeeper:
    secret = around.secret(target.client_secret_env) if target.client_secret_env else None
    grant = Grant(
        url=f"{target.login_url}/services/oauth2/token",
        client_id=target.client_id,
        client_secret=secret,
        refresh=around.secret(target.refresh_token_env),
    )
    return TokenKeeper(name, grant, _keys(around), around.place)


def _keys(around: Surroundings) -> str:
    return around.own.token_key.get_secret_value() if around.own.token_key else ""

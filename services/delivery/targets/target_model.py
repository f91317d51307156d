"""What ``targets.yaml`` may say: each target with its kind, what it receives and by which rules.

Secrets are never in the file: it names environment variables. Names of targets are unique over all
kinds, because a name is part of the ids of what is sent.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from baton.contracts.acls import DELIVERY, topics_of
from baton.contracts.topic_names import LEADS_PERSONS
from services.delivery.targets.crm_model import HubSpotTarget, SalesforceTarget
from services.delivery.targets.people_model import ConciergeTarget, MailTarget, SlackTarget

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TargetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
EnvironmentName = Annotated[str, Field(pattern=r"^BATON_[A-Z0-9_]{1,80}$")]
CONCIERGE: Final = "concierge"
"""The name under which promises to open forms are kept; no other target may have it."""
_FIELD = r"^[a-z_]+(\.[a-z_]+){0,5}$"
FieldPath = Annotated[str, Field(pattern=_FIELD)]

SUBSCRIBABLE: Final = tuple(name for name in topics_of(DELIVERY).reads if name != LEADS_PERSONS)
"""Public topics that a webhook can subscribe to: not the directory of persons, whose copies an
erasure could not reach."""


def _subscribable(topic: str) -> str:
    if topic not in SUBSCRIBABLE:
        raise ValueError(f"{topic} is no public topic; there are {', '.join(SUBSCRIBABLE)}")
    return topic


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookTarget(Strict):
    """An endpoint that receives records as signed webhooks.

    ``secret_env``: the first signs and so do the others: while a secret is rotated a receiver may
    check either. ``allow_networks``: addresses that are not public and may be called all the same;
    only there may the address begin with ``http:``. ``echo``: a check posts two checks, one signed
    and one signed with another secret.
    """

    url: str = Field(max_length=2_000)
    secret_env: tuple[EnvironmentName, ...] = Field(min_length=1, max_length=4)
    topics: tuple[Annotated[str, AfterValidator(_subscribable)], ...] = Field(min_length=1)
    where: dict[FieldPath, tuple[str, ...]] = Field(default_factory=dict)
    body: Literal["thin", "full"] = "thin"
    fields: tuple[FieldPath, ...] = ()
    order: Literal["none", "lead"] = "none"
    parallel: int = Field(4, ge=1, le=64)
    timeout_s: float = Field(15.0, gt=0, le=60)
    allow_networks: tuple[Network, ...] = ()
    ports: tuple[int, ...] = (443,)
    since: datetime | None = None
    echo: bool = True

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        try:
            parts = urlsplit(self.url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ValueError(f"url cannot be read: {error}") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and self.allow_networks):
            raise ValueError("url must begin with https: (http: only with allow_networks)")
        if not parts.hostname or "@" in parts.netloc or parts.fragment:
            raise ValueError("url needs a host, and neither user, password nor fragment")
        if port not in self.ports:
            raise ValueError(f"url has port {port}, which is not in ports {list(self.ports)}")
        if self.fields and self.body == "thin":
            raise ValueError("fields choose what a full body has; write body: full")
        return self


class TargetsFile(Strict):
    """The whole file."""

    version: Literal[1]
    webhooks: dict[TargetName, WebhookTarget] = Field(default_factory=dict)
    slack: dict[TargetName, SlackTarget] = Field(default_factory=dict)
    mail: dict[TargetName, MailTarget] = Field(default_factory=dict)
    hubspot: dict[TargetName, HubSpotTarget] = Field(default_factory=dict)
    salesforce: dict[TargetName, SalesforceTarget] = Field(default_factory=dict)
    concierge: ConciergeTarget | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [CONCIERGE, *(name for _, name, _ in self.everything())]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two targets are called {name}; give one of them another name")
        return self

    def everything(self) -> Iterator[tuple[str, str, Any]]:
        """Kind, name and target, for all of them."""
        for kind in ("webhooks", "slack", "mail", "hubspot", "salesforce"):
            for name, target in getattr(self, kind).items():
                yield kind, name, target

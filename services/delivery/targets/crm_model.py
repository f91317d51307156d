"""The parts of ``targets.yaml`` that write to a CRM: what may be written is an allow-list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^BATON_[A-Z0-9_]{1,80}$")]
Writable = Literal["owner", "level", "score", "stage", "next_date", "track"]
Property = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
SHARED: frozenset[str] = frozenset({"owner", "stage"})
"""Fields that people set in the CRM too: a value that is not Baton's is never overwritten, not even
before Baton first wrote there."""


class _Crm(BaseModel):
    """What both kinds say.

    ``write``: field of Baton: property of the CRM; nothing else is written. ``people``: person of
    the agreement: id of the user in the CRM. ``stages``: stage of Baton: value in the CRM; a stage
    that is not listed is not written. ``commands_by``: the person of the agreement in whose name a
    change of owner in the CRM becomes a command; must be a manager of the holders. ``dry_run``:
    decide and record, write nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    write: dict[Writable, Property] = Field(min_length=1)
    people: dict[str, str] = Field(default_factory=dict)
    stages: dict[str, str] = Field(default_factory=dict)
    commands_by: str | None = None
    dry_run: bool = False
    create: bool = False
    per_minute: int = Field(300, ge=1, le=100_000)
    since: datetime | None = None


def _secure(url: str) -> str:
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError("must begin with https:")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_secure)]


class HubSpotTarget(_Crm):
    """HubSpot contacts. ``id_property``: the unique property by which contacts are found: the
    address, or one of your own that holds Baton's lead id. Either a private app's ``token_env`` or
    an app's ``client_id`` with ``client_secret_env``."""

    token_env: Name | None = None
    client_id: str | None = None
    client_secret_env: Name | None = None
    refresh_token_env: Name | None = None
    id_property: Property = "email"
    app_secret_env: Name | None = None
    public_url: str | None = None
    api_url: Url = "https://api.hubapi.com"

    @model_validator(mode="after")
    def _has_one_way_in(self) -> Self:
        oauth = (self.client_id, self.client_secret_env, self.refresh_token_env)
        if (self.token_env is None) == (None in oauth):
            raise ValueError(
                "needs either token_env, or all of client_id, client_secret_env, refresh_token_env"
            )
        return self


class SalesforceTarget(_Crm):
    """Salesforce leads. ``external_id``: the external id field that holds Baton's lead id."""

    login_url: Url = "https://login.salesforce.com"
    client_id: str
    client_secret_env: Name | None = None
    refresh_token_env: Name
    external_id: Property = "Baton_Lead_Id__c"
    sobject: Literal["Lead", "Contact"] = "Lead"
    api_version: str = Field("62.0", pattern=r"^[0-9]{2}\.0$")

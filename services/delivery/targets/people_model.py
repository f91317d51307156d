"""The parts of ``targets.yaml`` that reach people: Slack, mail, and the answer to an open form."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^BATON_[A-Z0-9_]{1,80}$")]
SlackUser = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{1,20}$")]
SlackChannel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{1,20}$")]
Notice = Literal["warning", "breach", "withdrawn", "notify", "escalate"]
_ALL: tuple[Notice, ...] = ("warning", "breach", "escalate")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackTarget(_Strict):
    """A workspace. ``channel``: where all cards go; without it a card goes to its holder, who must
    be among ``people`` (person of the agreement: user id in Slack). ``team``: the workspace's id;
    clicks from another one are refused. ``public_url``: where Slack reaches delivery; with it a
    check asks there whether what Slack signs arrives as it was signed."""

    token_env: Name
    signing_secret_env: Name
    team: str | None = None
    channel: SlackChannel | None = None
    people: dict[str, SlackUser] = Field(default_factory=dict)
    pools: tuple[str, ...] = ()
    cards: bool = True
    notices: tuple[Notice, ...] = _ALL
    public_url: str | None = None
    api_url: str = "https://slack.com/api/"
    since: datetime | None = None

    @model_validator(mode="after")
    def _reaches_somebody(self) -> Self:
        if self.channel is None and not self.people:
            raise ValueError("needs a channel, or people (person of the agreement: Slack user id)")
        if not self.api_url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("api_url must begin with https:")
        return self


class MailTarget(_Strict):
    """Mail to people. ``people``: person of the agreement: address."""

    host: str
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str | None = None
    password_env: Name | None = None
    sender: str = Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$")
    people: dict[str, Annotated[str, Field(pattern=r"^[^\s@<>,]+@[^\s@<>,]+$")]]
    cards: bool = True
    notices: tuple[Notice, ...] = _ALL
    since: datetime | None = None

    @model_validator(mode="after")
    def _does_not_show_a_password(self) -> Self:
        if self.user and self.password_env is None:
            raise ValueError("user needs password_env")
        if self.tls == "none" and (self.user or self.host not in ("127.0.0.1", "::1", "localhost")):
            raise ValueError("tls: none is for a server on this machine, without a user")
        return self


class SlotRules(_Strict):
    """Which times are offered: of so many ``minutes``, not before the notice, up to so many
    ``days`` on, ``shown`` of them."""

    minutes: Literal[15, 20, 30, 45, 60] = 30
    notice_minutes: int = Field(120, ge=0, le=10_080)
    days: int = Field(7, ge=1, le=30)
    shown: int = Field(6, ge=1, le=20)


class ConciergeTarget(_Strict):
    """The instant answer while a form is open.

    ``key``: publishable; it is in the page. ``signing_secret_env``: signs tokens. ``booking``:
    person of the agreement: address of their booking page, which is shown after the claim only.
    ``people``: the book of people, whose calendars say when somebody is busy: with it ``slots``
    are offered. ``per_minute``: answers to one address. ``turns_per_hour``: claims that all
    addresses together may make; ``turns_per_address``: that one may. ``proxies``: one's own
    proxies (CIDR), whose ``X-Forwarded-For`` is believed.
    """

    key: str = Field(pattern=r"^pk_[A-Za-z0-9]{16,64}$")
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = Field(min_length=1)
    signing_secret_env: Name
    booking: dict[str, Annotated[str, Field(pattern=r"^https://\S+$")]] = Field(
        default_factory=dict
    )
    people: str | None = None
    slots: SlotRules = SlotRules()
    act: str = "demo_request"
    per_minute: int = Field(10, ge=1, le=600)
    turns_per_hour: int = Field(60, ge=1, le=10_000)
    turns_per_address: int = Field(5, ge=1, le=10_000)
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

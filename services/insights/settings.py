"""Settings of the board (``BATON_BOARD_*``): where it listens, who may see it, what it shows."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BoardSettings(BaseSettings):
    """How the board is reached. Without a proxy it stays on the loopback, and is entered by a
    one-time link."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_BOARD_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
    )

    host: str = Field(
        "127.0.0.1",
        description=(
            "Address on which the board listens; any other than the loopback requires a proxy's "
            "header"
        ),
    )
    port: int = Field(8090, ge=0, le=65535, description="Port of the board; 0 chooses a free one")
    folder: Path | None = Field(
        None, description="Directory of its files; without it `board/<namespace>` in BATON_HOME"
    )
    url: SecretStr | None = Field(
        None,
        validation_alias="BATON_INSIGHTS_URL",
        description=(
            "PostgreSQL that keeps the board's tables (`postgresql://...`), where several boards "
            "show them; without it, a SQLite file in the directory. Needs `baton[postgres]`"
        ),
    )
    public_host: str = Field(
        "",
        description=(
            "Host name under which people reach it through a proxy; requests for other hosts are "
            "refused"
        ),
    )
    proxy_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$",
        description="Header in which a trusted proxy sends the user's name",
    )
    proxy_networks: str = Field(
        "", description="Networks (CIDR, separated by commas) from which that header is trusted"
    )
    oidc_issuer: str | None = Field(
        None, description="OpenID Connect provider at which people sign in, `https://...`"
    )
    oidc_client_id: str = Field("baton-board", description="The board's client id there")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Its secret; none for a public client"
    )
    oidc_claim: str = Field(
        "email",
        pattern=r"^[a-z_]{1,40}$",
        description="Claim that names who signed in; an `email` must be verified",
    )
    people: Path | None = Field(
        None,
        description=(
            "File of lines `name: person of the agreement`, for names from the header or the "
            "provider; without it they are the same"
        ),
    )
    smtp_url: SecretStr | None = Field(
        None,
        description=(
            "Mail server of the weekly pack: `smtp://`, `smtp+starttls://` or `smtps://`, with "
            "user and password; without it nothing is mailed"
        ),
    )
    mail_from: str = Field("baton@localhost", description="Sender of the weekly pack")
    mail_to: str = Field("", description="Who gets the weekly pack: addresses, separated by commas")
    per_person: bool = Field(
        False,
        description=(
            "Show figures by person to everybody; otherwise each person sees their own and those "
            "of the pools"
        ),
    )

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of trusted proxies."""
        return tuple(
            ipaddress.ip_network(part.strip())
            for part in self.proxy_networks.split(",")
            if part.strip()
        )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the board."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @field_validator("oidc_issuer")
    @classmethod
    def _is_encrypted(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://")
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("a provider is asked by https")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in ("smtp", "smtp+starttls", "smtps") or not parts.hostname:
                raise ValueError("write smtp+starttls://user:password@host:587, or smtps://...")
        return value

    @field_validator("mail_from", "mail_to")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        for address in filter(None, map(str.strip, value.split(","))):
            if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
                raise ValueError("write addresses such as ann@acme.example, separated by commas")
        return value

    @field_validator("proxy_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, map(str.strip, value.split(","))):
            ipaddress.ip_network(part)
        return value

    @model_validator(mode="after")
    def _closed_unless_said(self) -> Self:
        if self.proxy_header and not self.networks:
            raise ValueError(
                "BATON_BOARD_PROXY_HEADER believes a header, so BATON_BOARD_PROXY_NETWORKS must "
                "say from which addresses: the proxy's, such as 10.0.0.5/32"
            )
        if self.proxy_header and self.oidc_issuer:
            raise ValueError(
                "people sign in at the proxy or at the provider: set BATON_BOARD_PROXY_HEADER or "
                "BATON_BOARD_OIDC_ISSUER, not both"
            )
        if not (self.proxy_header or self.oidc_issuer) and not self.on_loopback:
            raise ValueError(
                f"BATON_BOARD_HOST is {self.host}: the board may leave the loopback only where "
                "people sign in; set BATON_BOARD_OIDC_ISSUER, or BATON_BOARD_PROXY_HEADER and "
                "BATON_BOARD_PROXY_NETWORKS for a proxy that says who it is"
            )
        if (self.proxy_header or self.oidc_issuer) and not self.public_host:
            raise ValueError(
                "BATON_BOARD_PUBLIC_HOST must say by which host name people reach the board, "
                "through the proxy or for the provider's way back"
            )
        return self

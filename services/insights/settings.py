"""Settings of the board (``BATON_BOARD_*``): where it listens, who may see it, what it shows."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

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
    people: Path | None = Field(
        None,
        description=(
            "File of lines `name-in-the-header: person of the agreement`; without it the names are "
            "the same"
        ),
    )
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
            ipaddress.ip_network(each.strip())
            for each in self.proxy_networks.split(",")
            if each.strip()
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

    @field_validator("proxy_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            ipaddress.ip_network(each)
        return value

    @model_validator(mode="after")
    def _closed_unless_said(self) -> Self:
        if self.proxy_header and not self.networks:
            raise ValueError(
                "BATON_BOARD_PROXY_HEADER believes a header, so BATON_BOARD_PROXY_NETWORKS must "
                "say from which addresses: the proxy's, such as 10.0.0.5/32"
            )
        if not self.proxy_header and not self.on_loopback:
            raise ValueError(
                f"BATON_BOARD_HOST is {self.host}: the board may leave the loopback only behind a "
                "proxy that says who it is; "
                "set BATON_BOARD_PROXY_HEADER and BATON_BOARD_PROXY_NETWORKS"
            )
        if self.proxy_header and not self.public_host:
            raise ValueError(
                "BATON_BOARD_PUBLIC_HOST must say by which host name people reach the board "
                "through the proxy"
            )
        return self

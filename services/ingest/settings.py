"""Settings of the gateway (``BATON_*``): where it listens, who may send, how much."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """How HTTP comes in. Write keys are secrets; only their hashes are kept in memory once they are read."""

    model_config = SettingsConfigDict(env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True)

    gateway_host: str = Field("127.0.0.1", description="where the HTTP gateway listens; put a TLS proxy before any other address")
    gateway_port: int = Field(8080, ge=0, le=65535, description="its port; 0 any free")
    write_keys: SecretStr | None = Field(
        None, description="who may send: `name:scopes:key`, several separated by commas; scopes of engagement, acts, commands"
    )
    write_keys_file: Path | None = Field(None, description="the same, one a line; keys as they are or as `sha256:<hex>`")
    insecure: bool = Field(False, description="take everything without a key; only while the gateway listens on the loopback")
    cors_origins: str = Field("", description="origins whose pages may send from a browser, separated by commas; `*` any")
    rate_events: int = Field(2_000, ge=1, description="events a second that one write key may send")
    rate_burst: int = Field(10_000, ge=2_500, description="events it may send at once after a pause")
    max_in_flight: int = Field(64, ge=1, description="requests that are worked on at a time; more are answered 503")
    ack_timeout_ms: int = Field(8_000, ge=100, description="how long a request waits for the brokers before it is answered 503")
    body_timeout_ms: int = Field(15_000, ge=100, description="how long a body may take to come in")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        if self.gateway_host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.gateway_host).is_loopback
        except ValueError:
            return False

    @model_validator(mode="after")
    def _insecure_stays_at_home(self) -> Self:
        if self.insecure and not self.on_loopback:
            raise ValueError(
                f"BATON_INSECURE takes events without a key and so needs the loopback, but BATON_GATEWAY_HOST is {self.gateway_host}; "
                "set BATON_WRITE_KEYS instead"
            )
        return self

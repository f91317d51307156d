"""Settings of the gateway (``BATON_*``): where it listens, who may send, how much."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def is_loopback(host: str) -> bool:
    """Whether what listens there is for this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class GatewaySettings(BaseSettings):
    """How HTTP comes in. Write keys are secrets; only their hashes are kept in memory once they are read."""

    model_config = SettingsConfigDict(env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True)

    gateway_host: str = Field("127.0.0.1", description="where the HTTP gateway listens; put a TLS proxy before any other address")
    gateway_port: int = Field(8080, ge=0, le=65535, description="its port; 0 any free")
    write_keys: SecretStr | None = Field(
        None, description="who may send: `name:scopes:key`, several separated by commas; scopes of engagement, acts, commands"
    )
    write_keys_file: Path | None = Field(None, description="the same, one a line; keys as they are or as `sha256:<hex>`")
    sources: Path | None = Field(
        None, description="sources that are described instead of programmed: a file, or a folder of `*.yaml`; see `baton source`"
    )
    insecure: bool = Field(False, description="take everything without a key; only while the gateway listens on the loopback")
    cors_origins: str = Field("", description="origins whose pages may send from a browser, separated by commas; `*` any")
    rate_events: int = Field(2_000, ge=1, description="events a second that one write key may send")
    rate_burst: int = Field(10_000, ge=2_500, description="events it may send at once after a pause")
    max_in_flight: int = Field(
        128, ge=1, description="requests that wait for the brokers at a time, shared fairly by key; more are answered 503"
    )
    max_body_memory_mb: int = Field(64, ge=1, description="bodies held at a time, shared fairly by key; more are answered 503")
    ack_timeout_ms: int = Field(8_000, ge=100, description="how long a request waits for the brokers before it is answered 503")
    body_timeout_ms: int = Field(15_000, ge=100, description="how long a body may take to come in")
    header_timeout_ms: int = Field(10_000, ge=100, description="how long a request's head may take to come in")
    idle_timeout_ms: int = Field(75_000, ge=100, description="how long a connection may be silent between two requests")
    max_connections: int = Field(
        1_000, ge=1, description="connections at a time; one more ends the longest idle one, or is answered 503"
    )
    max_connections_per_address: int = Field(
        250, ge=1, description="connections of one address at a time; raise it behind a proxy, whose address all have"
    )
    max_header_bytes: int = Field(16_384, ge=1_024, description="bytes of a request's head, trailers included")
    max_url_bytes: int = Field(8_192, ge=256, description="bytes of a request's address")
    max_headers: int = Field(100, ge=10, description="lines of a request's head")
    stalled_after_s: float = Field(
        60.0, gt=0, description="events that nobody processes for so long halt the gateway: 503 until they are processed again"
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        return is_loopback(self.gateway_host)

    @property
    def origins(self) -> frozenset[str]:
        """Origins whose pages may send."""
        return frozenset(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @model_validator(mode="after")
    def _insecure_stays_at_home(self) -> Self:
        if self.insecure and not self.on_loopback:
            raise ValueError(
                f"BATON_INSECURE takes events without a key and so needs the loopback, but BATON_GATEWAY_HOST is {self.gateway_host}; "
                "set BATON_WRITE_KEYS instead"
            )
        if self.insecure and "*" in self.origins:
            raise ValueError(
                "BATON_INSECURE takes events without a key, and BATON_CORS_ORIGINS=* would let every web page send them; "
                "name the origins, or set BATON_WRITE_KEYS instead"
            )
        return self

"""Settings of the gateway (``BATON_*``): where it listens, who may send, how much."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from baton.page_guard import is_loopback


class GatewaySettings(BaseSettings):
    """How HTTP comes in. Write keys are secrets; only their hashes are kept in memory once they are
    read."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    gateway_host: str = Field(
        "127.0.0.1",
        description=(
            "Address on which the HTTP gateway listens; put a TLS proxy in front of any other than "
            "the loopback"
        ),
    )
    gateway_port: int = Field(
        8080, ge=0, le=65535, description="Port of the gateway; 0 chooses a free one"
    )
    write_keys: SecretStr | None = Field(
        None,
        description=(
            "Write keys as `name:scopes:key`, separated by commas; scopes are engagement, acts, "
            "commands"
        ),
    )
    write_keys_file: Path | None = Field(
        None,
        description="File of write keys, one per line; keys in plain text or as `sha256:<hex>`",
    )
    sources: Path | None = Field(
        None,
        description=(
            "Descriptions of webhook sources: a file, or a directory of `*.yaml`; see `baton "
            "source`"
        ),
    )
    insecure: bool = Field(
        False,
        description=(
            "Accept events without a write key; only allowed while the gateway listens on the "
            "loopback"
        ),
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may send from a browser, separated by commas; `*` allows any",
    )
    rate_events: int = Field(
        2_000, ge=1, description="Events per second that one write key may send"
    )
    rate_burst: int = Field(
        10_000, ge=2_500, description="Events that one write key may send at once after a pause"
    )
    max_in_flight: int = Field(
        128,
        ge=1,
        description="Maximum number of requests that wait for the brokers, shared fairly between keys; "
        "further ones are answered 503",
    )
    max_body_memory_mb: int = Field(
        64,
        ge=1,
        description=(
            "Memory for request bodies in MB, shared fairly between keys; further ones are "
            "answered 503"
        ),
    )
    ack_timeout_ms: int = Field(
        8_000,
        ge=100,
        description="How long a request waits for the brokers' acknowledgement before it is answered 503",
    )
    body_timeout_ms: int = Field(
        15_000, ge=100, description="How long a client may take to send a request body"
    )
    header_timeout_ms: int = Field(
        10_000, ge=100, description="How long a client may take to send the head of a request"
    )
    idle_timeout_ms: int = Field(
        75_000, ge=100, description="How long a connection may be idle between two requests"
    )
    max_connections: int = Field(
        1_000,
        ge=1,
        description=(
            "Maximum number of connections; one more closes the longest idle one, or is answered "
            "503"
        ),
    )
    max_connections_per_address: int = Field(
        250,
        ge=1,
        description="Maximum number of connections from one address; raise it behind a proxy, from "
        "whose address all of them come",
    )
    max_header_bytes: int = Field(
        16_384, ge=1_024, description="Maximum size of a request's head in bytes, trailers included"
    )
    max_url_bytes: int = Field(
        8_192, ge=256, description="Maximum size of a request's URL in bytes"
    )
    max_headers: int = Field(100, ge=10, description="Maximum number of header lines in a request")
    stalled_after_s: float = Field(
        60.0,
        gt=0,
        description=(
            "After how long without progress in processing the gateway answers 503, until "
            "processing continues"
        ),
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        return is_loopback(self.gateway_host)

    @property
    def origins(self) -> frozenset[str]:
        """Origins whose pages may send."""
        return frozenset(
            origin.strip() for origin in self.cors_origins.split(",") if origin.strip()
        )

    @model_validator(mode="after")
    def _insecure_stays_at_home(self) -> Self:
        if self.insecure and not self.on_loopback:
            raise ValueError(
                "BATON_INSECURE takes events without a key and so needs the loopback, but "
                f"BATON_GATEWAY_HOST is {self.gateway_host}; "
                "set BATON_WRITE_KEYS instead"
            )
        if self.insecure and "*" in self.origins:
            raise ValueError(
                "BATON_INSECURE takes events without a key, and BATON_CORS_ORIGINS=* would let "
                "every web page send them; "
                "name the origins, or set BATON_WRITE_KEYS instead"
            )
        return self

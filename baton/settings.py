"""What every process of Baton can be told from outside: ``BATON_*`` in the environment.

Which cluster, which namespace, how to be let in, where to keep things. A service's own settings live in its own
``settings.py``. Secrets are masked wherever settings are printed.
"""

import os
import sys
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_CLUSTER_COPIES = 3
NAMESPACE_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"


class SecurityProtocol(StrEnum):
    """How clients talk to the brokers; the values are Kafka's."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def has_sasl(self) -> bool:
        """Whether a name and a password are shown."""
        return self in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)


class SaslMechanism(StrEnum):
    """Ways of showing name and password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    HUMAN = "human"
    JSON = "json"


def _user_folder(variable: str, linux: str, mac: str) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / mac / "baton"
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / linux) / "baton"


def default_home() -> Path:
    """Where a user's Baton keeps what runs: the embedded broker's data, run files, logs."""
    return _user_folder("XDG_STATE_HOME", ".local/state", "Application Support")


def default_cache() -> Path:
    """Where a user's Batons keep what can be fetched again."""
    return _user_folder("XDG_CACHE_HOME", ".cache", "Caches")


class Settings(BaseSettings):
    """The settings that all parts share. ``docs/OPERATING.md`` lists them from here."""

    model_config = SettingsConfigDict(env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True)

    bootstrap: str | None = Field(None, description="addresses of a Kafka cluster; without it the embedded broker is started")
    namespace: str = Field("baton", pattern=NAMESPACE_PATTERN, description="prefix of groups, and of topics unless it is `baton`")
    partitions: int = Field(4, ge=1, le=1024, description="partitions of every keyed topic; fixed when the topics are made")
    replication: int | None = Field(
        None, ge=1, le=10, description="copies of each partition; without it 3, or as many as there are brokers"
    )
    home: Path = Field(default_factory=default_home, description="what runs: broker data, run files, logs")
    cache: Path = Field(default_factory=default_cache, description="what can be fetched again: the broker's jars")
    registry_url: str | None = Field(None, description="a Confluent-compatible schema registry; without it the checked-in ids")

    placeholders: str = Field(
        "",
        description="words, addresses and mail domains that are no identity, besides those Baton knows; separated by commas",
    )

    security_protocol: SecurityProtocol = Field(SecurityProtocol.PLAINTEXT, description="how clients talk to the brokers")
    sasl_mechanism: SaslMechanism = Field(SaslMechanism.SCRAM_SHA_512, description="how name and password are shown")
    sasl_username: str | None = Field(None, description="the name")
    sasl_password: SecretStr | None = Field(None, description="the password")
    ssl_ca_file: Path | None = Field(None, description="who is trusted to sign the brokers' certificates; else the system's")
    ssl_cert_file: Path | None = Field(None, description="our own certificate, where the brokers ask for one")
    ssl_key_file: Path | None = Field(None, description="its key")
    ssl_key_password: SecretStr | None = Field(None, description="the key's password")

    broker_port: int = Field(9092, ge=0, le=65535, description="port of the embedded broker; 0 chooses a free one")
    broker_heap_mb: int = Field(768, ge=256, description="memory of the embedded broker")
    maven_repository: str | None = Field(None, description="a mirror to fetch the embedded broker's jars from")

    metrics_host: str = Field("127.0.0.1", description="where a worker's /metrics, /healthz and /readyz listen")
    metrics_port: int = Field(
        9100, ge=0, le=65535, description="their port; `baton up` takes this and the next ones, one a process; 0 any free"
    )
    log_format: LogFormat | None = Field(None, description="`human` or `json`; without it human on a terminal, else json")
    log_file: Path | None = Field(
        None, description="a worker's log goes there instead of to stderr; opened again when it was renamed (logrotate)"
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="the least serious lines to write")

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, value: str | None) -> str | None:
        if value is None:
            return None
        for address in value.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError("expected host:port, several of them separated by commas")
        return ",".join(address.strip() for address in value.split(","))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.security_protocol.has_sasl and not (self.sasl_username and self.sasl_password):
            raise ValueError(f"{self.security_protocol} needs BATON_SASL_USERNAME and BATON_SASL_PASSWORD")
        if bool(self.ssl_cert_file) != bool(self.ssl_key_file):
            raise ValueError("BATON_SSL_CERT_FILE and BATON_SSL_KEY_FILE go together")
        return self

    @property
    def embedded(self) -> bool:
        """Whether the embedded broker is meant."""
        return self.bootstrap is None

    def copies(self, brokers: int) -> int:
        """The replication factor of topics on a cluster of so many brokers."""
        return self.replication or min(_CLUSTER_COPIES, brokers)

    def masked(self) -> dict[str, Any]:
        """Every setting as text, secrets as stars: for printing."""
        return {
            name: "******" if isinstance(value, SecretStr) else str(value)
            for name, value in ((name, getattr(self, name)) for name in type(self).model_fields)
            if value is not None
        }


@cache
def load_settings() -> Settings:
    """The settings of this process, read from the environment once; raises pydantic's ValidationError."""
    return Settings()

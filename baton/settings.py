"""What every process of Baton can be given from outside: ``BATON_*`` in the environment.

Which cluster, which namespace, how to be let in, where to keep things. A service's own settings
live in its own ``settings.py``. Secrets are masked wherever settings are printed.
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
_CLUSTER_PARTITIONS = 4
_EMBEDDED_PARTITIONS = 1
"""One process a service runs there, and one process gains nothing from more: each task has a
producer of its own, and pays for its own transactions."""
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

    model_config = SettingsConfigDict(
        env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    bootstrap: str | None = Field(
        None,
        description="Brokers of a Kafka cluster as host:port, separated by commas; without it `baton "
        "up` starts the embedded broker",
    )
    namespace: str = Field(
        "baton",
        pattern=NAMESPACE_PATTERN,
        description="Prefix of consumer groups and transactional ids, and of topics unless it is `baton`",
    )
    partitions: int | None = Field(
        None,
        ge=1,
        le=1024,
        description=(
            "Number of partitions of every keyed topic; cannot change once the topics exist. "
            "Without it 4 on a cluster, and 1 on the embedded broker"
        ),
    )
    replication: int | None = Field(
        None,
        ge=1,
        le=10,
        description=(
            "Replication factor of topics; without it 3, or the number of brokers if there are "
            "fewer"
        ),
    )
    home: Path = Field(
        default_factory=default_home, description="Directory for broker data, run files and logs"
    )
    cache: Path = Field(
        default_factory=default_cache,
        description="Directory for downloads that can be repeated: the broker's jars, the archive of them",
    )
    registry_url: str | None = Field(
        None,
        description=(
            "URL of a Confluent-compatible schema registry; without it the checked-in schema ids "
            "are used"
        ),
    )

    placeholders: str = Field(
        "",
        description=(
            "Additional values that identify nobody (words, addresses, mail domains), separated by "
            "commas"
        ),
    )

    security_protocol: SecurityProtocol = Field(
        SecurityProtocol.PLAINTEXT, description="Kafka's `security.protocol`"
    )
    sasl_mechanism: SaslMechanism = Field(
        SaslMechanism.SCRAM_SHA_512, description="Kafka's `sasl.mechanism`"
    )
    sasl_username: str | None = Field(None, description="SASL user name")
    sasl_password: SecretStr | None = Field(None, description="SASL password")
    ssl_ca_file: Path | None = Field(
        None,
        description="CA certificates that are trusted for the brokers; without it the system's",
    )
    ssl_cert_file: Path | None = Field(
        None, description="Client certificate, where the brokers require one"
    )
    ssl_key_file: Path | None = Field(None, description="Private key of the client certificate")
    ssl_key_password: SecretStr | None = Field(None, description="Password of the private key")

    broker_port: int = Field(
        9092, ge=0, le=65535, description="Port of the embedded broker; 0 chooses a free one"
    )
    broker_heap_mb: int = Field(768, ge=256, description="Java heap of the embedded broker in MB")
    maven_repository: str | None = Field(
        None, description="Mirror to download the embedded broker's jars from"
    )

    metrics_host: str = Field(
        "127.0.0.1", description="Address on which a process serves /metrics, /healthz and /readyz"
    )
    metrics_port: int = Field(
        9100,
        ge=0,
        le=65535,
        description=(
            "Port of these pages; `baton up` uses this one and those after it, one per process; 0 "
            "chooses a free one"
        ),
    )
    log_format: LogFormat | None = Field(
        None, description="Log format, `human` or `json`; without it human on a terminal, else json"
    )
    log_file: Path | None = Field(
        None,
        description=(
            "Log file of a worker instead of standard error; reopened after it was renamed "
            "(logrotate)"
        ),
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level that is logged"
    )

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
            raise ValueError(
                f"{self.security_protocol} needs BATON_SASL_USERNAME and BATON_SASL_PASSWORD"
            )
        if bool(self.ssl_cert_file) != bool(self.ssl_key_file):
            raise ValueError("BATON_SSL_CERT_FILE and BATON_SSL_KEY_FILE go together")
        return self

    @property
    def embedded(self) -> bool:
        """Whether the embedded broker is meant."""
        return self.bootstrap is None

    @property
    def partition_count(self) -> int:
        """How many partitions a keyed topic has."""
        return self.partitions or (_EMBEDDED_PARTITIONS if self.embedded else _CLUSTER_PARTITIONS)

    def reached_at(self, bootstrap: str) -> Self:
        """These settings with the address at which the embedded broker runs."""
        pinned = {"bootstrap": bootstrap, "partitions": self.partition_count}
        return self.model_copy(update=pinned)

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
    """The settings of this process, read from the environment once; raises pydantic's
    ValidationError."""
    return Settings()

"""What ``baton up`` can be given, beside :mod:`baton.settings`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class UpSettings(BaseSettings):
    """``BATON_*`` of a run on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    gateway_port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="Port of the HTTP gateway; 0 chooses a free one; the gateway reads it too",
    )
    board_port: int = Field(
        8090,
        ge=0,
        le=65535,
        description="Port of the board; 0 chooses a free one; the board reads it too",
    )
    delivery_port: int = Field(
        8095,
        ge=0,
        le=65535,
        description="Port of delivery; 0 chooses a free one; delivery reads it too",
    )
    delivery_concierge_port: int = Field(
        8096,
        ge=0,
        le=65535,
        description="Port of the concierge; 0 chooses a free one; the concierge reads it too",
    )
    background_nice: int = Field(
        5,
        ge=0,
        le=19,
        description=(
            "By how much `baton up` lowers the priority of processes for which neither a lead nor "
            "anybody waits (sla_watcher, insights); 0: not at all"
        ),
    )
    agreement: Path | None = Field(
        None,
        description="Agreement that `baton up` publishes if none is in force; without it the "
        "example",
    )

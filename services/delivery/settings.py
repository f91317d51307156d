"""Settings of delivery (``BATON_DELIVERY_*``): where it listens, its files, its limits."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeliverySettings(BaseSettings):
    """How delivery is run. What it delivers and where to stands in ``targets.yaml``."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_DELIVERY_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    targets: Path | None = Field(
        None, description="The file that names the targets; without it nothing is delivered"
    )
    folder: Path | None = Field(
        None, description="Directory of its files; without it `delivery/<namespace>` in BATON_HOME"
    )
    host: str = Field(
        "127.0.0.1",
        description="Address on which it listens for clicks and CRM changes, and the concierge",
    )
    port: int = Field(
        8095, ge=0, le=65535, description="Port for clicks and CRM changes; 0 chooses a free one"
    )
    concierge_port: int = Field(
        8096, ge=0, le=65535, description="Port of the concierge; 0 chooses a free one"
    )
    proxy: str | None = Field(
        None,
        description=(
            "Egress proxy (http://host:port) for webhooks; it must then refuse private addresses "
            "itself"
        ),
    )
    token_key: SecretStr | None = Field(
        None,
        description="Fernet key that encrypts stored OAuth tokens; required for OAuth targets",
    )
    parallel: int = Field(
        256, ge=1, le=4096, description="Requests in flight at most, over all targets"
    )
    keep_days: int = Field(
        7, ge=1, le=400, description="Days for which what was delivered is kept, to send it again"
    )

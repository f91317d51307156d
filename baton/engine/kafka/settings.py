"""What the engine on Kafka can be told: ``BATON_*`` in the environment, beside :mod:`baton.settings`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EngineSettings(BaseSettings):
    """Settings of every worker. ``docs/OPERATING.md`` lists them from here."""

    model_config = SettingsConfigDict(env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True)

    gather_ms: int = Field(30, ge=0, le=1_000, description="so long a batch gathers in light traffic; latency against work")
    batch_records: int = Field(4_000, ge=1, description="records of one batch, at most")
    buffer_records: int = Field(8_000, ge=1, description="records fetched ahead for each input of a task, at most")
    merge_wait_ms: int = Field(150, ge=0, description="so long a task waits for an input that is known to have more")
    idle_commit_ms: int = Field(200, ge=0, description="so soon an idle task commits positions that moved over no record")
    adopt_keys: int = Field(500, ge=1, description="keys that adopt a new agreement in one batch")

    instance_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]{1,100}$", description="static membership: a name that outlives restarts, one a worker"
    )
    session_timeout_ms: int = Field(10_000, ge=1_000, description="a worker that is silent so long loses its tasks")
    heartbeat_ms: int = Field(3_000, ge=100, description="how often a worker says that it lives")
    keep_state_s: int = Field(600, ge=0, description="so long the state of a task that went elsewhere is kept")

    position_wait_s: float = Field(10.0, ge=0, description="so long state and committed offsets may differ before a task refuses")
    upstream_limit_s: float = Field(300.0, gt=0, description="so long a deadline waits for the proof of the groups upstream")

    dead_letter_run: int = Field(100, ge=1, description="so many dead letters in a row stop the service")
    dead_letter_percent: int = Field(50, ge=1, le=100, description="a greater share among the last records stops it too")
    dead_letter_window: int = Field(500, ge=1, description="how many records that share is taken over")

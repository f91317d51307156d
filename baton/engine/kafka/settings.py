"""The settings of the engine on Kafka: ``BATON_*`` in the environment, beside
:mod:`baton.settings`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EngineSettings(BaseSettings):
    """Settings of every worker. ``docs/OPERATING.md`` lists them from here."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    gather_ms: int = Field(
        10,
        ge=0,
        le=1_000,
        description=(
            "Pause between two transactions of a task, in which records gather; a record that "
            "comes after it does not wait"
        ),
    )
    gather_limit_ms: int = Field(
        0,
        ge=0,
        le=5_000,
        description=(
            "The longest such pause where transactions take long because brokers or processor are "
            "busy: fewer transactions, and a later record; below the pause itself: no longer than "
            "it"
        ),
    )
    batch_records: int = Field(4_000, ge=1, description="Maximum number of records in one batch")
    buffer_records: int = Field(
        8_000, ge=1, description="Maximum number of records fetched ahead for each input of a task"
    )
    merge_wait_ms: int = Field(
        150,
        ge=0,
        description=(
            "How long to wait for records of an input that is known to have more before taking "
            "those of the others"
        ),
    )
    idle_commit_ms: int = Field(
        200,
        ge=0,
        description="How often an idle task commits offsets that advanced only past transaction markers",
    )
    adopt_keys: int = Field(
        500, ge=1, description="Number of keys that adopt a new agreement in one batch"
    )

    instance_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description=(
            "Kafka's `group.instance.id` (static membership): a name that is kept over restarts, "
            "unique to each worker"
        ),
    )
    session_timeout_ms: int = Field(
        10_000, ge=1_000, description="After how long without a heartbeat a worker loses its tasks"
    )
    heartbeat_ms: int = Field(3_000, ge=100, description="Interval between heartbeats")
    keep_state_s: int = Field(
        600, ge=0, description="How long to keep the state of a task that moved to another worker"
    )

    state_dir: Path | None = Field(
        None,
        description=(
            "Directory for the state of tasks, so that it need not fit into memory and a restart "
            "reads only what is new; needs `baton[disk]`. Unset: state is in memory"
        ),
    )
    state_cache_mb: int = Field(
        128,
        ge=8,
        description=(
            "Memory of a worker for what it read last from `BATON_STATE_DIR`; as much again is for "
            "what it has just written"
        ),
    )

    position_wait_s: float = Field(
        10.0,
        ge=0,
        description=(
            "How long state and committed offsets may differ at the start of a task before it "
            "refuses to run"
        ),
    )
    upstream_limit_s: float = Field(
        300.0,
        gt=0,
        description="How long a deadline waits for the proof that everything upstream is processed "
        "before its verdict is published as unproven",
    )

    dead_letter_run: int = Field(
        100, ge=1, description="Number of consecutive dead letters that stops the service"
    )
    dead_letter_percent: int = Field(
        50,
        ge=1,
        le=100,
        description=(
            "Share of dead letters among the last records, in percent, above which the service "
            "stops"
        ),
    )
    dead_letter_window: int = Field(
        500, ge=1, description="Number of records over which that share is computed"
    )

"""Settings of the SLA watcher (``BATON_SLA_WATCHER_*``). It has none of its own: what it does is the agreement's to say."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class SlaWatcherSettings(BaseSettings):
    """Nothing to set."""

    model_config = SettingsConfigDict(env_prefix="BATON_SLA_WATCHER_", frozen=True, extra="ignore")

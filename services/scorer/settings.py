"""Settings of the scorer (``BATON_SCORER_*``). It has none of its own: what it does is the agreement's to say."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class ScorerSettings(BaseSettings):
    """Nothing to set."""

    model_config = SettingsConfigDict(env_prefix="BATON_SCORER_", frozen=True, extra="ignore")

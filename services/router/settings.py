"""Settings of the router (``BATON_ROUTER_*``). It has none of its own: what it does is the agreement's to say."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class RouterSettings(BaseSettings):
    """Nothing to set."""

    model_config = SettingsConfigDict(env_prefix="BATON_ROUTER_", frozen=True, extra="ignore")

"""The cluster a command talks to: the one of BATON_BOOTSTRAP, else this user's embedded broker if
it runs.

With BATON_REGISTRY_URL a command that talks to a cluster speaks that registry's schema ids from its
first record on.
"""

from baton.clients import NO_BROKER, NoBroker
from baton.cluster.layout import honour_registry
from baton.settings import Settings, load_settings


def cluster_settings() -> Settings:
    """The settings with an address in them; raises :class:`NoBroker` saying how to have one, or
    ``RegistryRefused``."""
    settings = load_settings()
    honour_registry(settings)
    if settings.bootstrap is not None:
        return settings
    # Here, so that a worker of a real cluster loads nothing of what runs Baton on one machine.
    from baton.local.broker.broker_record import broker_home, running_broker

    record = running_broker(broker_home(settings.home))
    if record is None:
        raise NoBroker(NO_BROKER)
    return settings.reached_at(record.bootstrap)

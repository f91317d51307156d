"""The cluster a command talks to: the one of BATON_BOOTSTRAP, else this user's embedded broker if it runs.

With BATON_REGISTRY_URL a command that talks to a cluster speaks that registry's schema ids from its first record on.
"""

from pathlib import Path

from confluent_kafka.admin import AdminClient

from baton.broker.record import running_broker
from baton.broker.topics import Layout
from baton.clients import NO_BROKER, NoBroker, confluent_options
from baton.contracts.registry import speak_registry
from baton.settings import Settings, load_settings

_TIMEOUT_S = 15.0


def broker_home(settings: Settings) -> Path:
    """The folder of the embedded broker inside the run folder."""
    return settings.home / "broker"


def cluster_settings() -> Settings:
    """The settings with an address in them; raises :class:`NoBroker` saying how to have one, or ``RegistryRefused``."""
    settings = load_settings()
    honour_registry(settings)
    if settings.bootstrap is not None:
        return settings
    record = running_broker(broker_home(settings))
    if record is None:
        raise NoBroker(NO_BROKER)
    return settings.model_copy(update={"bootstrap": record.bootstrap})


def honour_registry(settings: Settings) -> None:
    """Speak the ids of the schema registry that the settings name, if they name one; raises ``RegistryRefused``."""
    if settings.registry_url is not None:
        speak_registry(settings.registry_url)


def layout_of(settings: Settings) -> Layout:
    """How the catalogue is laid out on the cluster of ``settings``; asks it how many brokers it has."""
    brokers = len(AdminClient(confluent_options(settings)).list_topics(timeout=_TIMEOUT_S).brokers)
    return Layout(namespace=settings.namespace, partitions=settings.partitions, replication=settings.copies(brokers))

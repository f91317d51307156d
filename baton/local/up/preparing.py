"""What a cluster needs before services start: the topics, and an agreement in force."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from baton.agreement.publish import publish_agreement
from baton.clients import confluent_options
from baton.cluster.layout import honour_registry, layout_of
from baton.cluster.topic_layout import ensure_topics
from baton.local.up.settings import UpSettings
from baton.settings import Settings

_EXAMPLE = "agreements/software.yaml"


def example_agreement() -> Path:
    """The agreement that ships with Baton: inside the installed package, or beside it in a
    checkout."""
    packaged = Path(__file__).resolve().parents[2] / "_examples"
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "examples"
    return folder / _EXAMPLE


def prepare_cluster(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the topics that are missing, and put an agreement in force if none ever was. Doing it
    again changes nothing."""
    honour_registry(settings)
    made = ensure_topics(confluent_options(settings), layout_of(settings))
    if made:
        say(f"{len(made)} topics made")
    path = UpSettings().agreement or example_agreement()
    outcome = asyncio.run(publish_agreement(settings, path.read_text(), file=path.name))
    say(
        f"agreement {outcome.version} "
        + (
            f"of {path} is put in force, signed for both sides"
            if outcome.changed
            else "is in force"
        )
    )

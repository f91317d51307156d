"""How a task on the log in memory gets its state: from its changelog, or from what its store has
kept and the changelog after that, checked as on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from baton.engine.batch import Record
from baton.engine.changelog import POSITION_KEY
from baton.engine.core import Core


class StaleStore(Exception):
    """The store is of another log: its position record is not the first one behind its bookmark."""


def read_changelog_into(
    core: Core, changelog: Sequence[Record], restoring: Callable[[], None]
) -> int | None:
    """Restore what the core's store has not; gives the offset of the last position record that was
    read. ``restoring`` is called after every record. Raises :class:`StaleStore`."""
    bookmark, at, own, position_at = core.store.bookmark, 0, None, None
    if bookmark is not None:
        core.restored()
        at, own = bookmark.at, bookmark.position
    for offset, record in enumerate(changelog[at:], start=at):
        assert record.key is not None
        core.restore(record.key, record.value)
        restoring()
        if record.key == POSITION_KEY:
            if own not in (None, record.value):
                raise StaleStore
            own, position_at = None, offset
    if own is not None:
        raise StaleStore
    return position_at

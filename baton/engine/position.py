"""The check between restoring and running: is the restored state the one that belongs to the committed offsets?

State that silently starts empty is the worst there is: every sum is wrong from then on and nothing says so. The position record
and the committed offsets are written in one transaction, so they must agree in every offset and in the batch number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baton.engine.records import Position


def disagreement(
    position: Position | None, inputs: Sequence[str], committed: Mapping[str, int | None], metadata: Mapping[str, str]
) -> str | None:
    """What is wrong, in words; None: state and offsets are of the same batch, or both are of a first start.

    ``committed``: the group's offset of each input (None or absent: none). ``metadata``: what was committed with it.
    An input that a later program added has no offset on either side; it is a first start of that input alone.
    """
    known = {topic: offset for topic, offset in committed.items() if offset is not None}
    if position is None:
        if not known:
            return None
        return f"offsets are committed ({_listed(known)}) but the changelog has no position record: it was lost or not read whole"
    for topic in inputs:
        here, there = position.offsets.get(topic), known.get(topic)
        if here != there:
            return f"the state stands at {topic}@{_said(here)}, the group at {_said(there)} (batch {position.batch})"
        if there is not None and metadata.get(topic, "") != str(position.batch):
            return f"the state is of batch {position.batch}, the offset of {topic} of batch {metadata.get(topic) or 'unknown'}"
    return None


def _said(offset: int | None) -> str:
    return "none" if offset is None else str(offset)


def _listed(offsets: Mapping[str, int]) -> str:
    return ", ".join(f"{topic}@{offset}" for topic, offset in sorted(offsets.items()))

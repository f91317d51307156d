"""The check between restoring and running: does the restored state belong to the committed offsets?

State that silently starts empty is the worst failure: every sum is wrong from then on, and nothing
shows it. The position record and the committed offsets are written in one transaction, so they must
agree in every offset and in the batch number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baton.engine.records import Position


def disagreement(
    position: Position | None,
    inputs: Sequence[str],
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
) -> str | None:
    """The disagreement, in words; None: state and offsets belong to the same batch, or both to a
    first start.

    ``committed``: the group's offset of every input (None or absent: none). ``metadata``: what was
    committed with it. An input that a later program added has no offset on either side; it is a
    first start of that input alone.
    """
    known = {topic: offset for topic, offset in committed.items() if offset is not None}
    if position is None:
        if not known:
            return None
        return (
            f"offsets are committed ({_listed(known)}) but the changelog has no position record: "
            "it was lost or not read whole"
        )
    for topic in inputs:
        here, there = position.offsets.get(topic), known.get(topic)
        if here != there:
            return (
                f"the state is at {topic}@{_shown(here)}, the group at {_shown(there)} (batch "
                f"{position.batch})"
            )
        if there is not None and metadata.get(topic, "") != str(position.batch):
            return (
                f"the state is of batch {position.batch}, the offset of {topic} of batch "
                f"{metadata.get(topic) or 'unknown'}"
            )
    return None


def rolled_back(
    position: Position | None,
    inputs: Sequence[str],
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
) -> int | None:
    """The earlier batch of this same state that the group is at, if the group has lost later
    commits; else None.

    State and offsets of a batch are committed in one transaction. A state that is ahead of the
    offsets of its own earlier batch therefore shows that the brokers have lost commits (seen: a
    coordinator that came back from a kill with a part of its log), and it is safe to resume from
    the state. Offsets that an operator moved carry no batch, and those of another state are not
    behind in every input.
    """
    if position is None:
        return None
    mine = [topic for topic in inputs if topic in position.offsets]
    batches = {metadata.get(topic, "") for topic in mine}
    batch = batches.pop() if len(batches) == 1 else ""
    if not batch.isdecimal() or not 0 < int(batch) < position.batch:
        return None
    behind = all(
        (there := committed.get(topic)) is not None and there <= position.offsets[topic]
        for topic in mine
    )
    return int(batch) if behind else None


def forgotten_inputs(
    position: Position | None,
    inputs: Sequence[str],
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
) -> tuple[str, ...]:
    """The inputs that the task has read and of which the group has no offset, if state and group
    agree in all others; else none.

    Brokers delete the committed offsets of a topic together with the topic.
    """
    if position is None:
        return ()
    forgotten = tuple(
        topic for topic in inputs if topic in position.offsets and committed.get(topic) is None
    )
    others = [topic for topic in inputs if topic not in forgotten]
    return forgotten if disagreement(position, others, committed, metadata) is None else ()


def _shown(offset: int | None) -> str:
    return "none" if offset is None else str(offset)


def _listed(offsets: Mapping[str, int]) -> str:
    return ", ".join(f"{topic}@{offset}" for topic, offset in sorted(offsets.items()))

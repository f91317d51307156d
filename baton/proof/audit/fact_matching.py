"""Facts by their id: found in the log once, computed again once, and the same both times."""

from collections.abc import Callable

from baton.contracts.topic_names import INTAKE_KEYED
from baton.contracts.topics import REFERENCE_TOPICS, TOPICS, Audience, Cleanup, TopicSpec
from baton.proof.audit.findings import Finding, Invariant, Place

FACT_TOPICS: tuple[TopicSpec, ...] = tuple(
    spec
    for spec in TOPICS.values()
    if not spec.outside
    and spec.audience is not Audience.ENGINE
    and spec.name not in REFERENCE_TOPICS
)
COMPACTED = frozenset(spec.name for spec in FACT_TOPICS if spec.cleanup is Cleanup.COMPACT)
FOUND, FOUND_LATER, REBUILT = "found", "found later", "rebuilt"

Row = tuple[str, str, int, int, bytes]
"""``(found, found later or rebuilt, topic, partition, offset, digest)``; a rebuilt fact has offset
-1.

What is found only after the tasks were computed again may be newer than what they were computed up
to."""


def check_fact(
    fact_id: str, rows: list[Row], *, rebuilt: frozenset[str], add: Callable[[Finding], None]
) -> None:
    """``rebuilt``: the topics all of whose writers were computed again; facts of others are only
    checked for uniqueness.

    What the outside sends under one id twice is admitted twice, and known for a duplicate only by
    ``identify``: there counts must agree.
    """
    if len(rows) == 2 and _is_found_and_computed(*rows):
        return
    found = [row for row in rows if row[0] in (FOUND, FOUND_LATER)]
    again = [row for row in rows if row[0] == REBUILT]
    if rows[0][1] == INTAKE_KEYED:
        later = sum(row[0] == FOUND_LATER for row in rows)
        if INTAKE_KEYED in rebuilt and not len(found) - later <= len(again) <= len(found):
            place = _place(found[0]) if found else None
            words = (
                f"event {fact_id} was admitted {len(found)} times, its task computes {len(again)}"
            )
            add(Finding(invariant=Invariant.REBUILT, words=words, place=place))
        return
    for row in found[1:]:
        words = f"fact {fact_id} is there already at {_place(found[0])}"
        add(Finding(invariant=Invariant.UNIQUE, words=words, place=_place(row)))
    if found and not again and found[0][0] == FOUND and found[0][1] in rebuilt:
        words = f"fact {fact_id} follows from nothing that its task took"
        add(Finding(invariant=Invariant.REBUILT, words=words, place=_place(found[0])))
    if again and not found:
        words = f"fact {fact_id} of {again[0][1]}/{again[0][2]} should be there and is not"
        add(Finding(invariant=Invariant.REBUILT, words=words))
    if found and again and (found[0][1:3], found[0][4]) != (again[0][1:3], again[0][4]):
        words = f"fact {fact_id} says something else than its task computes"
        add(Finding(invariant=Invariant.REBUILT, words=words, place=_place(found[0])))
    if len(again) > 1:
        words = f"fact {fact_id} is computed {len(again)} times: two causes have one id"
        add(Finding(invariant=Invariant.UNIQUE, words=words))


def _is_found_and_computed(one: Row, other: Row) -> bool:
    """Nearly all facts: one found, and the same computed again; in either order."""
    found, again = (one, other) if other[0] == REBUILT else (other, one)
    return (
        found[0] == FOUND
        and again[0] == REBUILT
        and found[1:3] == again[1:3]
        and found[4] == again[4]
        and found[1] != INTAKE_KEYED
    )


def check_compacted(
    rows: list[tuple[str, str, int, int, bytes, str]],
    *,
    rebuilt: frozenset[str],
    add: Callable[[Finding], None],
) -> None:
    """All that is known of one key of a compacted topic: ``(.., fact id)``. What is missing may
    have been replaced by what came later under the key, as long as anything is there; what is there
    must be as computed."""
    by_id: dict[str, list[Row]] = {}
    for found, topic, partition, offset, said, fact_id in rows:
        by_id.setdefault(fact_id, []).append((found, topic, partition, offset, said))
    anything = any(row[0] != REBUILT for row in rows)
    for fact_id, facts in by_id.items():
        if anything and all(row[0] == REBUILT for row in facts):
            continue
        check_fact(fact_id, facts, rebuilt=rebuilt, add=add)


def _place(row: Row) -> Place:
    return Place(topic=row[1], partition=row[2], offset=row[3])

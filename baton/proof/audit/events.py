"""What came in and what was accepted: each event once, none invented, nothing lost that somebody
was acknowledged as accepted."""

from collections.abc import Callable, Iterable

from baton.proof.audit.findings import Finding, Invariant, Place

ACKNOWLEDGED, KEYED, DEAD, DROPPED, ACCEPTED = (
    "acknowledged",
    "keyed",
    "dead",
    "dropped",
    "accepted",
)

Row = tuple[str, str, int, int]
"""``(what, topic, partition, offset)``"""


def places(rows: Iterable[Row], what: str) -> list[Place]:
    """Where the rows of one kind lie."""
    return [
        Place(topic=topic, partition=partition, offset=offset)
        for kind, topic, partition, offset in rows
        if kind == what
    ]


def check_event(event_id: str, rows: list[Row], add: Callable[[Finding], None]) -> None:
    """All that is known of one event id. What came in of a person who is erased is dropped, and
    identity says so."""
    keyed, accepted, dead = places(rows, KEYED), places(rows, ACCEPTED), places(rows, DEAD)
    if any(row[0] == ACKNOWLEDGED for row in rows) and not keyed and not dead:
        add(
            Finding(
                invariant=Invariant.ACKNOWLEDGED,
                words=f"event {event_id} was acknowledged and is neither accepted nor a dead "
                "letter",
            )
        )
    if keyed and not accepted and not places(rows, DROPPED):
        add(
            Finding(
                invariant=Invariant.ACCEPTED_ONCE,
                words=f"event {event_id} came in and was never accepted",
                place=keyed[0],
            )
        )
    for again in accepted[1:]:
        add(
            Finding(
                invariant=Invariant.ACCEPTED_ONCE,
                words=f"event {event_id} was accepted before at {accepted[0]}",
                place=again,
            )
        )

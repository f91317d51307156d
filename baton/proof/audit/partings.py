"""What a separation must take along: every refusal of consent that the lead had heard.

Pure: all records of one lead go in, findings come out; no reducer is asked. The order is that of
the lead's own input, ``intake.leads.v1``, so nothing is left to a guess about time. A lead that was
merged or erased is passed over: its refusals went on before. That the lead that is left keeps them
too, and that the one that begins heeds them, is seen at their hand-outs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from baton.contracts.intake import (
    EventKind,
    LeadEvent,
    LeadInput,
    LeadMerge,
    LeadSeparation,
)
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from baton.proof.audit.findings import Add, Dated, Finding, Invariant, Place

REMEMBERED: Final = 5
"""So many words on one purpose and channel are remembered; of what was said more often than that,
nothing is demanded."""


def check_partings(lead_id: str, records: Sequence[Dated], *, until_ms: int, add: Add) -> None:
    """``until_ms``: what is later may be on its way."""
    if any(_ends(record, lead_id) for record in records):
        return
    inputs = sorted(
        (record for record in records if isinstance(record.value, LeadInput)),
        key=lambda record: record.place,
    )
    for number, record in enumerate(inputs):
        separation: LeadSeparation | None = record.value.separation
        if separation is None or separation.begins or record.at_ms >= until_ms:
            continue
        refusals = _refusals([before.value for before in inputs[:number]])
        if refusals:
            _check_taken_along(separation, refusals, records, record.place, add)


def _ends(record: Dated, lead_id: str) -> bool:
    value = record.value
    return (isinstance(value, LeadMerge) and value.loser == lead_id) or (
        isinstance(value, LeadEvent) and value.kind == EventKind.ERASURE
    )


def _refusals(inputs: Sequence[LeadInput]) -> dict[str, str]:
    """Event to purpose and channel, of all refusals that were not retracted."""
    events = [record.event for record in inputs if record.event is not None]
    gone = {event.retracts for event in events}
    said = Counter(
        (event.consent.purpose, event.consent.channel)
        for event in events
        if event.consent is not None
    )
    return {
        event.event_id: f"{event.consent.purpose}/{event.consent.channel}"
        for event in events
        if event.consent is not None
        and not event.consent.granted
        and event.event_id not in gone
        and said[event.consent.purpose, event.consent.channel] <= REMEMBERED
    }


def _check_taken_along(
    separation: LeadSeparation,
    refusals: dict[str, str],
    records: Sequence[Dated],
    place: Place,
    add: Add,
) -> None:
    book_id = derived_id("parted", separation.separation_id, separation.leaver)
    books = [
        record
        for record in records
        if isinstance(record.value, LeadTransfer) and record.value.transfer_id == book_id
    ]
    taken = {event_id for book in books for event_id in _refused_in(book.value)}
    lost = sorted({words for event_id, words in refusals.items() if event_id not in taken})
    if lost:
        add(
            Finding(
                invariant=Invariant.PARTED,
                words=f"{separation.leaver} leaves without a refusal of {', '.join(lost)}",
                place=books[-1].place if books else place,
            )
        )


def _refused_in(book: LeadTransfer) -> Iterator[str]:
    for event in book.events:
        if event.consent is not None and not event.consent.granted:
            yield event.event_id

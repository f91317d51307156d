"""The agreement in force and the absences, folded from what the store keeps of the reference
topics."""

from __future__ import annotations

import contextlib
from typing import Any

from baton.agreement.reference import AgreementBook, AgreementReference
from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS
from services.insights.projection.dialect import StorePlace, reader

_FAR = 1 << 60


def book_in(db: Any) -> AgreementBook:
    """Every agreement, signature and absence, as every task folds them."""
    book = AgreementBook()
    for topic, at_ms, value in db.execute(
        "SELECT topic, log_ms, value FROM reference ORDER BY log_offset"
    ):
        record_type: Any = TOPICS[topic].record
        book.take(codec_for(record_type).decode(value), at_ms)
    return book


def zone_of(place: StorePlace) -> str:
    """The time zone of the newest agreement, whether it is in force already or not; UTC without
    one."""
    with contextlib.closing(reader(place)) as db:
        found: AgreementReference | None = book_in(db).at(_FAR)
    return found.agreement.timezone if found else "UTC"

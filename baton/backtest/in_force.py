"""What was in force when: one agreement for all time, or what the records of a running Baton say,
challengers included, folded as every task folds them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import SINCE_EVER, AgreementBook, AgreementReference, reference_of
from baton.contracts.reference_records import AgreementRecord

AgreementRecords = tuple[tuple[AgreementRecord, int], ...]
"""Records of ``baton.agreements.v1`` with their append times, in order."""


@dataclass(frozen=True, slots=True)
class InForce:
    """``references`` by the moment from which each holds, in order; the first holds ever since."""

    references: Sequence[tuple[int, AgreementReference]]

    def at(self, at_ms: int) -> AgreementReference:
        """What held at that moment."""
        return self.references[self.place(at_ms)][1]

    def place(self, at_ms: int) -> int:
        """Which of ``references`` held then."""
        return max(bisect_right(self.references, at_ms, key=lambda one: one[0]) - 1, 0)

    def agreements(self) -> list[CompiledAgreement]:
        """Every agreement by which a lead may have been scored."""
        found = []
        for _, reference in self.references:
            found.append(reference.agreement)
            if reference.challenger is not None:
                found.append(reference.challenger)
        return found


def always(agreement: CompiledAgreement) -> InForce:
    """One agreement for all time."""
    return InForce(((SINCE_EVER, reference_of(agreement)),))


def as_written(records: AgreementRecords, otherwise: CompiledAgreement) -> InForce:
    """What the records say; ``otherwise`` where they say nothing."""
    book = AgreementBook()
    for record, at_ms in records:
        book.take(record, at_ms)
    moments = {SINCE_EVER, *(term.from_ms for term in book.terms())}
    for challenge in book.challenges():
        moments.update((challenge.from_ms, challenge.until_ms))
    found: list[tuple[int, AgreementReference]] = []
    for moment in sorted(moments):
        reference = book.at(moment)
        if reference is None:
            continue
        if not found or found[-1][1].scoring_edition != reference.scoring_edition:
            found.append((moment, reference))
    return InForce(found) if found else always(otherwise)

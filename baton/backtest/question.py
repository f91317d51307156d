"""What a backtest is asked."""

from dataclasses import dataclass

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.in_force import AgreementRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be tried. ``old``: what is in force now; ``records``: of all that was in force
    before, if there are any. ``since_ms`` None: from when acts of the whole warm-up are known.
    ``sample``: the share of the accounts; ``partial``: go on where history differs;
    ``works_for_ms``: the assumed work of a person on one lead."""

    old: CompiledAgreement
    new: CompiledAgreement
    since_ms: int | None
    until_ms: int
    sample: float = 1.0
    outcome: str = "opportunity"
    partial: bool = False
    works_for_ms: int = 30 * 60_000
    records: AgreementRecords = ()

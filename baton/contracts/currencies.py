"""How many digits the minor unit of a currency has (ISO 4217). Amounts travel in minor units, so
everything that reads or writes one agrees here."""

from __future__ import annotations

from typing import Final

_WITHOUT_MINOR_UNIT: Final = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_WITH_THOUSANDTHS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905


def minor_digits(currency: str) -> int:
    """The digits of its minor unit: two, but for the currencies that have none or three."""
    if currency in _WITHOUT_MINOR_UNIT:
        return 0
    return 3 if currency in _WITH_THOUSANDTHS else 2

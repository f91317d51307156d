"""Amounts and days of deals as CRMs write them, in the form that acts have. Pure; what cannot be
read is None."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from baton.contracts.currencies import minor_digits

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_MILLISECONDS = re.compile(r"-?[0-9]{1,15}\Z")
_MAX_CHARACTERS = 40
_MOST_MINOR = Decimal(1 << 53)


def minor_amount(amount: str | float, currency: str) -> int | None:
    """An amount with a decimal point in minor units of its currency, rounded half up."""
    text = amount.strip() if isinstance(amount, str) else repr(amount)
    if not _CURRENCY.match(currency) or not 0 < len(text) <= _MAX_CHARACTERS:
        return None
    try:
        exact = Decimal(text)
        if not exact.is_finite() or abs(exact) >= _MOST_MINOR:
            return None
        minor = exact.scaleb(minor_digits(currency)).to_integral_value(ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return int(minor)


def day_of(moment: str | float, zone: str) -> str | None:
    """The day of a moment in a zone, as ISO 8601; a day stays as it is."""
    text = moment.strip() if isinstance(moment, str) else repr(int(moment))
    if not 0 < len(text) <= _MAX_CHARACTERS:
        return None
    try:
        if _MILLISECONDS.match(text):
            at = datetime.fromtimestamp(int(text) / 1000, UTC)
        elif "T" not in text and " " not in text:
            return date.fromisoformat(text).isoformat()
        else:
            at = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
        if at.tzinfo is None:
            return None
        return at.astimezone(ZoneInfo(zone)).date().isoformat()
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return None

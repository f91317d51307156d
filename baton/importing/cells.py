"""Single cells as people fill them: several addresses, yes and no in many words, moments in many
ways of writing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import cache

from babel import Locale

from baton.intake.fields import EARLIEST_MS, LATEST_MS
from baton.intake.identifiers import email
from baton.intake.unknown import says_nothing

YES = frozenset(
    """
    yes y true 1 1.0 x on granted opt-in optin opted-in subscribed confirmed active ja j wahr oui vrai si sí sim vero tak da
    zugestimmt angemeldet abonniert aktiv ✓ ✔ ☑
    """.split()  # noqa: SIM905 - a list to be read
) | {"opted in", "double opt-in", "double opt in", "opt in", "marketing contact"}
NO = frozenset(
    """
    no n false 0 0.0 off refused opt-out optout opted-out unsubscribed cleaned nein falsch non faux não nao nie nee nej nei
    abgemeldet abgelehnt widerrufen gesperrt complained ✗ ✘ ☐
    """.split()  # noqa: SIM905 - a list to be read
) | {"opted out", "opt out", "do not contact", "nicht angemeldet"}
# Words that say of themselves who wants mail, whatever the column asks for.
OPTED_IN = frozenset(
    "opt-in optin opted-in subscribed zugestimmt angemeldet abonniert".split()  # noqa: SIM905
) | {"opted in", "double opt-in", "double opt in", "opt in", "marketing contact"}
OPTED_OUT = frozenset(
    """
    refused opt-out optout opted-out unsubscribed cleaned abgemeldet abgelehnt widerrufen gesperrt complained
    """.split()  # noqa: SIM905 - a list to be read
) | {"opted out", "opt out", "do not contact", "nicht angemeldet"}
# In a column of opt-outs: is the person active, or the opt-out?
_EITHER_WAY = frozenset({"active", "aktiv", "confirmed", "granted"})
# Neither a yes nor a no: nobody has asked, or nobody has answered.
NEITHER = frozenset(
    {
        "pending",
        "non-subscribed",
        "nonsubscribed",
        "not subscribed",
        "transactional",
        "archived",
        "no consent",
        "never",
        "non-marketing contact",
    }
)
STAYED_AWAY = frozenset(
    {
        "not attending",
        "not attended",
        "did not attend",
        "absent",
        "no show",
        "no-show",
        "noshow",
        "deleted",
        "cancelled",
        "canceled",
        "nicht teilgenommen",
        "abwesend",
        "abgesagt",
    }
)

MAX_ADDRESSES = 8
_MAX_ADDRESS_CHARACTERS = 4_000
_SEPARATORS = re.compile(r"[\s;,|<>()\[\]\"]+|(?<=[\w.])/(?=[^\s@/]+@)")
_AROUND = re.compile(r"^(?:mailto:)?['‘’]?|['‘’.]+$", re.IGNORECASE)


class DateOrder(StrEnum):
    """How a date of numbers is read."""

    DMY = "dmy"
    MDY = "mdy"


class CellWrong(ValueError):
    """A cell that cannot be read; the text says why, without the value."""


def addresses_in(cell: str) -> tuple[list[str], int]:
    """The addresses in a cell, in its order, and how many things in it are none."""
    found: list[str] = []
    wrong = 0
    for part in _SEPARATORS.split(cell[:_MAX_ADDRESS_CHARACTERS]):
        if "@" not in part:
            continue
        try:
            found.append(email(_AROUND.sub("", part)))
        except ValueError:
            wrong += 1
    if not found and not wrong and not says_nothing(cell):
        wrong = 1
    return list(dict.fromkeys(found))[:MAX_ADDRESSES], wrong


def said(cell: str) -> bool | None:
    """Yes or no; None where nobody has answered. Raises :class:`CellWrong`."""
    word = " ".join(cell.casefold().split())
    if word in YES:
        return True
    if word in NO:
        return False
    if word in NEITHER or says_nothing(cell):
        return None
    raise CellWrong("must be yes or no")


def opted_out(cell: str) -> bool | None:
    """Whether a cell of a column of opt-outs refuses: ``yes`` does, and so does ``unsubscribed``;
    None where nobody has answered. Raises :class:`CellWrong`."""
    word = " ".join(cell.casefold().split())
    if word in OPTED_OUT:
        return True
    if word in OPTED_IN:
        return False
    if word in _EITHER_WAY:
        raise CellWrong("must be yes or no: is the person active, or the opt-out?")
    return said(cell)


def came(cell: str) -> bool:
    """Whether somebody attended: everybody of whom the list does not say otherwise."""
    word = " ".join(cell.casefold().split())
    return word not in STAYED_AWAY and word not in NO


# --- moments

_NUMBERS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[./-])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<c>\d{2,4})(?:,?[ T]+(?P<time>\d.*))?\Z"
)
_NAMED = re.compile(
    r"(?:[^\W\d]{2,10}\.?,? )?(?:(?P<d1>\d{1,2})(?:st|nd|rd|th|\.)?[ -](?P<m1>[^\W\d]{3,10})\.?[ -]|(?P<m2>[^\W\d]{3,10})\.? (?P<d2>\d{1,2})(?:st|nd|rd|th)?,? )"
    r"(?P<y>\d{4})(?:,?(?: at| um)?[ T]+(?P<time>\d.*))?\Z",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?\s*([ap])?\.?(?:m\.?)?\s*(?:uhr)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?\Z",
    re.IGNORECASE,
)
_MAX_CHARACTERS = 60


def moment_ms(cell: str, order: DateOrder | None, zone: tzinfo) -> int:
    """A moment as milliseconds UTC; a day is its midnight, and what names no zone is in ``zone``.
    Raises :class:`CellWrong`."""
    text = " ".join(cell.strip().strip("'\"").split())
    if len(text) > _MAX_CHARACTERS:
        raise CellWrong("is no date")
    found = _iso(text) or _by_numbers(text, order, zone) or _by_names(text, zone)
    if found is None:
        raise CellWrong(
            "is not a date or time that can be read; write it as 2026-03-02 or 2026-03-02T10:00:00Z"
        )
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    milliseconds = int(aware.timestamp() * 1000)
    if not EARLIEST_MS <= milliseconds < LATEST_MS:
        raise CellWrong("must lie between 1990 and 2100")
    return milliseconds


def date_order_in(cells: Iterable[str]) -> DateOrder | None:
    """How a column writes its dates, where one of them has a day after the twelfth; None where it
    cannot be seen."""
    seen = set()
    for cell in cells:
        match = _NUMBERS.match(" ".join(cell.strip().split())[:_MAX_CHARACTERS])
        if match and len(match["a"]) <= 2:
            first, second = int(match["a"]), int(match["b"])
            seen |= (
                {DateOrder.DMY}
                if first > 12 >= second
                else {DateOrder.MDY}
                if second > 12 >= first
                else set()
            )
    return seen.pop() if len(seen) == 1 else None


def _iso(text: str) -> datetime | None:
    plain = re.sub(r" (?:utc|gmt)$", "+00:00", text, flags=re.IGNORECASE)
    try:
        return datetime.fromisoformat(plain) if re.match(r"\d{4}-\d{2}-\d{2}", plain) else None
    except ValueError:
        return None


def _by_numbers(text: str, order: DateOrder | None, zone: tzinfo) -> datetime | None:
    match = _NUMBERS.match(text)
    if match is None:
        return None
    a, b, c = int(match["a"]), int(match["b"]), int(match["c"])
    if len(match["a"]) == 4:
        year, month, day = a, b, c
    elif len(match["a"]) > 2 or len(match["c"]) != 4:
        return None  # a year of two digits could be anything
    else:
        year = c
        day, month = _day_and_month(a, b, match["mark"], order)
    return _with_time(year, month, day, match["time"], zone)


def _day_and_month(a: int, b: int, mark: str, order: DateOrder | None) -> tuple[int, int]:
    if mark == "." or a > 12 or (order is DateOrder.DMY and b <= 12) or a == b:
        return a, b
    if b > 12 or order is DateOrder.MDY:
        return b, a
    raise CellWrong(
        "could be two days; say how the dates are written with --dates dmy or --dates mdy"
    )


def _by_names(text: str, zone: tzinfo) -> datetime | None:
    match = _NAMED.match(text)
    month = _months().get((match["m1"] or match["m2"]).casefold()[:10]) if match else None
    if match is None or month is None:
        return None
    return _with_time(int(match["y"]), month, int(match["d1"] or match["d2"]), match["time"], zone)


def _with_time(year: int, month: int, day: int, time: str | None, zone: tzinfo) -> datetime | None:
    hour = minute = second = 0
    where: tzinfo = zone
    if time:
        match = _TIME.match(time.strip())
        if match is None:
            return None
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if match[4]:
            hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
        if match[5]:
            offset = match[5].upper()
            named = "+00:00" if offset in ("Z", "UTC", "GMT") else offset
            where = datetime.fromisoformat(f"2000-01-01T00:00:00{named}").tzinfo or UTC
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=where)
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """Names of months, whole and short, in the languages that lists are written in."""
    found: dict[str, int] = {}
    for language in ("en", "de", "fr", "es", "it", "nl"):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in Locale(language).months[context][width].items():
                    found.setdefault(name.casefold().rstrip(".")[:10], number)
    return found | {"sept": 9, "mrz": 3, "maerz": 3}

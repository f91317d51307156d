"""Words that people and systems write where they know nothing: ``N/A``, ``-``, ``[not provided]``,
``#REF!``. Data and one question.

They say nothing, so they never replace what is known. ``none`` and ``null`` are such words only
where nobody can mean them: a field of your own may well be ``none``, and Null is a family name.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORDS = frozenset(
    """
    n/a|n.a.|n. a.|n.a|#n/a|n/v|unknown|(unknown)|[unknown]|not known|unspecified|not specified|not provided|[not provided]|(not provided)
    not available|not applicable|not set|(not set)|[not set]|no data|no value|(no value)|no answer|not given|tbd|t.b.d.|tba|tbc|to be determined
    undefined|[object object]|(blank)|(empty)|please select|please choose|select one|- select -|--select--|select...|-- select --
    unbekannt|k.a.|k. a.|k.a|keine angabe|keine angaben|nicht bekannt|nicht angegeben|nicht verfügbar|nicht vorhanden|bitte wählen|bitte auswählen
    -- bitte wählen --|inconnu|non renseigné|non communiqué|n.c.|desconocido|no disponible|sconosciuto|non disponibile|onbekend|n.v.t.
    okänd|ukjent|ukendt|nieznany|brak
    #ref!|#value!|#name?|#div/0!|#null!|#num!|#wert!|#bezug!|#nv
    """.replace("\n", "|").split("|")
) - {""}
WORDS = frozenset(word.strip() for word in WORDS) - {""}
# In the fields that everybody has, these say nothing too. In a field of somebody's own they may.
STANDARD_WORDS = frozenset(
    {
        "none",
        "null",
        "nan",
        "nil",
        "keine",
        "kein",
        "nichts",
        "aucun",
        "ninguno",
        "nessuno",
        "false",
    }
)
STANDARD_FIELDS = frozenset(
    """
    annual_revenue country department domain email_kind employees industry language postal region
    revenue revenue_meur role seniority state title website
    """.split()  # noqa: SIM905 - a list to be read
)
# What a CRM puts there before anybody has typed.
_EMPTY_ADDRESS = re.compile(r"(?:https?:)?/*(?:www\.?)?/*\Z")
_MARKS = re.compile(r"[\W_]+\Z")


@lru_cache(maxsize=16_384)
def says_nothing(text: str, field: str = "") -> bool:
    """Whether a value only says that there is none. ``field``: of the profile; empty for a text
    about the person."""
    plain = text.strip()
    if len(plain) > 40:
        return False
    word = plain.casefold()
    if not word or word in WORDS or _MARKS.match(word):
        return True
    if field in ("website", "domain") and _EMPTY_ADDRESS.match(word):
        return True
    if field in STANDARD_FIELDS:
        # Namibia is NA.
        return word in STANDARD_WORDS or (
            word == "na" and field not in ("country", "region", "state", "language")
        )
    return not field and plain in ("null", "NULL", "none", "nan", "NaN", "NA", "na")

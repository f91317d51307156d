"""Countries by the names that people use, and their subdivisions, as ISO 3166 codes. Pure; tables
of pycountry and CLDR (Babel).

A name that means two countries (``Kongo``) is read as none. What is not known gives None; nothing
is guessed by likeness.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

import pycountry
from babel import Locale

LANGUAGES = tuple(
    """
    en de fr es it pt nl pl sv da nb fi cs sk hu ro tr el ru uk bg hr ja ko zh ar he
    """.split()  # noqa: SIM905 - a list to be read
)
# What people write and no table has.
NICKNAMES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "gb uk": "GB", "u k": "GB", "grossbritannien": "GB", "schottland": "GB", "angleterre": "GB", "inglaterra": "GB", "inghilterra": "GB",
    "usa": "US", "u s": "US", "us of a": "US", "america": "US", "united states america": "US", "amerika": "US", "états unis d amérique": "US",
    "eeuu": "US", "ee uu": "US", "vereinigte staaten von amerika": "US",
    "holland": "NL", "nederlande": "NL", "turkey": "TR", "turkei": "TR", "russian federation": "RU", "uae": "AE", "u a e": "AE", "emirates": "AE", "vae": "AE",
    "dubai": "AE", "abu dhabi": "AE", "ksa": "SA", "czech republic": "CZ", "tschechische republik": "CZ", "ivory coast": "CI", "burma": "MM",
    "macedonia": "MK", "mazedonien": "MK", "swaziland": "SZ", "cape verde": "CV", "vatican": "VA", "bosnia": "BA", "bosnien": "BA",
    "republic of ireland": "IE", "eire": "IE", "éire": "IE", "prc": "CN", "mainland china": "CN", "vr china": "CN", "pr china": "CN", "congo drc": "CD", "republic of china": "TW", "brd": "DE",
    "bundesrepublik deutschland": "DE", "federal republic of germany": "DE", "roc": "TW", "taiwan roc": "TW", "korea": "KR",
    "republic of korea": "KR", "hongkong": "HK", "hong kong sar": "HK", "macau": "MO", "viet nam": "VN", "east timor": "TL", "kosovo": "XK", "espana": "ES",
    "schweiz ch": "CH", "suisse": "CH", "persia": "IR", "palestine": "PS", "drc": "CD", "dr congo": "CD", "trinidad": "TT",
    "saint martin": "MF", "white russia": "BY", "weissrussland": "BY", "belorussia": "BY",
}  # fmt: skip
# Codes of three letters that sport and vehicles use and ISO does not, where ISO gives them to nobody.
_OTHER_CODES = {
    "ger": "DE", "sui": "CH", "ned": "NL", "den": "DK", "por": "PT", "gre": "GR", "cro": "HR", "slo": "SI", "bul": "BG", "rsa": "ZA", "ksa": "SA",
    "uae": "AE", "lat": "LV", "phi": "PH", "vie": "VN", "tpe": "TW", "eng": "GB", "sco": "GB",
}  # fmt: skip
# Codes of two letters that the European Union, banks and CLDR use and ISO 3166-1 gives to nobody.
_CODES_IN_USE = {"el": "GR", "xk": "XK"}
# Usual names of subdivisions that differ from those of ISO 3166-2.
SUBDIVISION_NAMES = {
    "DE": {
        "bavaria": "BY", "hesse": "HE", "lower saxony": "NI", "north rhine westphalia": "NW", "nrw": "NW", "rhineland palatinate": "RP",
        "saxony": "SN", "saxony anhalt": "ST", "thuringia": "TH", "mecklenburg western pomerania": "MV", "baden wuerttemberg": "BW",
    },
    "AT": {"vienna": "9", "lower austria": "3", "upper austria": "4", "styria": "6", "tyrol": "7", "carinthia": "2"},
    "CH": {"geneva": "GE", "genf": "GE", "zurich": "ZH", "zuerich": "ZH", "bern": "BE", "lucerne": "LU", "basel": "BS", "ticino": "TI", "tessin": "TI",
           "waadt": "VD", "wallis": "VS", "freiburg": "FR", "neuenburg": "NE", "st gallen": "SG", "saint gallen": "SG", "grisons": "GR", "graubunden": "GR"},
    "IT": {"lombardy": "25", "tuscany": "52", "piedmont": "21", "sicily": "82", "sardinia": "88", "apulia": "75", "lazio": "62", "south tyrol": "BZ"},
    "ES": {"catalonia": "CT", "cataluna": "CT", "andalusia": "AN", "basque country": "PV", "madrid": "MD"},
    "FR": {"brittany": "BRE", "normandy": "NOR", "corsica": "20R", "ile de france": "IDF", "paca": "PAC"},
    "US": {"washington dc": "DC", "washington d c": "DC", "d c": "DC", "calif": "CA", "mass": "MA", "penn": "PA", "tex": "TX", "fla": "FL"},
    "MX": {"cdmx": "CMX", "mexico city": "CMX", "distrito federal": "CMX", "mexico df": "CMX"},
    "KR": {"jeonbuk": "45", "jeonbuk state": "45", "north jeolla": "45", "전북특별자치도": "45", "전라북도": "45"},
    "CA": {"québec": "QC", "quebec": "QC", "bc": "BC"},
    "NL": {"north holland": "NH", "south holland": "ZH", "friesland": "FR"},
    "GB": {"london": "LND", "greater london": "LND", "city of london": "LND"},
    "BE": {"flanders": "VLG", "wallonia": "WAL", "brussels": "BRU"},
}  # fmt: skip
# Codes that ISO 3166-2 has given up and lists still have, and the subdivision that stands there now.
FORMER_SUBDIVISIONS = {
    "FR": {
        "A": "GES", "B": "NAQ", "C": "ARA", "D": "BFC", "E": "BRE", "F": "CVL", "G": "GES", "H": "20R", "I": "BFC", "J": "IDF", "K": "OCC", "L": "NAQ",
        "M": "GES", "N": "OCC", "O": "HDF", "P": "NOR", "Q": "NOR", "R": "PDL", "S": "HDF", "T": "NAQ", "U": "PAC", "V": "ARA", "COR": "20R",
    },
    "CZ": {
        "PR": "10", "ST": "20", "JC": "31", "PL": "32", "KA": "41", "US": "42", "LI": "51", "KR": "52", "PA": "53", "VY": "63", "JM": "64", "OL": "71",
        "ZL": "72", "MO": "80",
    },
    "PL": {
        "DS": "02", "KP": "04", "LU": "06", "LB": "08", "LD": "10", "MA": "12", "MZ": "14", "OP": "16", "PK": "18", "PD": "20", "PM": "22", "SL": "24",
        "SK": "26", "WN": "28", "WP": "30", "ZP": "32",
    },
    "MX": {"DIF": "CMX"},
}  # fmt: skip
# ISO's English names carry the kind in some countries: "Gelderland", but "Dublin" as "Co. Dublin"
# in lists.
_KINDS = re.compile(
    r"^(?:freistaat|land|kanton|canton(?: of)?|state of|province of|provincia(?: di| de)?|county|co) | (?:state|province|county|canton|region)$"
)
_PARTS = re.compile(r"\s+[-–]\s+|[,/()\[\]:|]")
_ABBREVIATION = re.compile(r"\b\w(?: \w\b)+")
_WITHOUT_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_SUBDIVISION = re.compile(r"([A-Za-z]{2})-[A-Za-z0-9]{1,3}\Z")
_WHOLE = {"rep": "republic", "fed": "federation", "st": "saint"}
_SHORT = re.compile(r"\b(?:rep|fed|st)\b")
_MAX_CHARACTERS = 100


@lru_cache(maxsize=8192)
def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 of a country by code or by a name in one of the large languages; None where
    it is not known."""
    if len(text) > _MAX_CHARACTERS:
        return None
    plain = text.strip()
    found = _iso().get(plain.casefold()) or _by_name(plain)
    if found or not plain:
        return found
    if match := _SUBDIVISION.match(plain):
        return _iso().get(match[1].casefold()) if _current(plain.upper()) else None
    return _from_parts(plain)


def _from_parts(text: str) -> str | None:
    """A country said twice (``Germany (DE)``, ``Schweiz/Suisse``) or turned round (``Ireland,
    Republic of``, ``Korea (South)``)."""
    parts = [part for part in _PARTS.split(text) if part.strip()]
    if len(parts) != 2:
        return None
    found = [_iso().get(part.strip().casefold()) or _by_name(part) for part in parts]
    if found[0] is not None and found[0] == found[1]:
        return found[0]
    turned = _by_name(f"{parts[1]} {parts[0]}")
    return turned if None in found else None


@lru_cache(maxsize=8192)
def subdivision_code(text: str, country: str) -> str | None:
    """ISO 3166-2 code of a subdivision of ``country`` (alpha-2) by code or usual name; None where
    it is not known."""
    plain = text.strip()
    if len(plain) > _MAX_CHARACTERS:
        return None
    upper = plain.upper()
    for code in (upper, f"{country}-{upper}"):
        if code.startswith(f"{country}-") and (found := _current(code)) is not None:
            return found
    names = _subdivisions(country)
    key = _key(plain)
    return names.get(key) or names.get(_KINDS.sub("", key).strip())


def _by_name(text: str) -> str | None:
    key = _key(text)
    if key not in _names():
        key = _SHORT.sub(lambda found: _WHOLE[found[0]], key.removeprefix("the "))
    return _names().get(key)


def _key(text: str) -> str:
    """A name without case, accents, dots, commas and double spaces."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    words = " ".join(re.sub(r"[^\w]+", " ", letters.replace("&", " and ")).split())
    return _ABBREVIATION.sub(lambda found: found[0].replace(" ", ""), words)


def _spellings(name: str) -> tuple[str, ...]:
    """A name, and as it is written where there are no umlauts."""
    plain = name.casefold()
    written = plain.translate(_WITHOUT_UMLAUTS)
    return (name,) if written == plain else (name, written)


@cache
def _iso() -> dict[str, str]:
    codes: dict[str, str] = _OTHER_CODES | _CODES_IN_USE
    for country in pycountry.countries:
        codes[country.alpha_2.casefold()] = codes[country.alpha_3.casefold()] = country.alpha_2
    return codes


@cache
def _names() -> dict[str, str]:
    official = (
        (str(name), str(country.alpha_2))
        for country in pycountry.countries
        for name in _official(country)
    )
    known = set(_iso().values()) | {"XK"}
    cldr = (
        (name, code)
        for language in LANGUAGES
        for code, name in Locale(language).territories.items()
        if code in known
    )
    return _unambiguous([*official, *cldr]) | {_key(name): code for name, code in NICKNAMES.items()}


def _official(country: object) -> Iterable[str]:
    for name in ("name", "common_name", "official_name"):
        if hasattr(country, name):
            yield getattr(country, name)


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    twice: set[str] = set()
    for key, code in (
        (_key(spelling), code) for name, code in pairs for spelling in _spellings(name)
    ):
        if found.setdefault(key, code) != code:
            twice.add(key)
    return {key: code for key, code in found.items() if key and key not in twice}


def _current(code: str) -> str | None:
    """The code, or the one that has replaced it; None: nobody has had it."""
    if code in _subdivision_names():
        return code
    country, _, part = code.partition("-")
    now = FORMER_SUBDIVISIONS.get(country, {}).get(part)
    return None if now is None else f"{country}-{now}"


@cache
def _subdivision_names() -> dict[str, str]:
    return {str(subdivision.code): str(subdivision.name) for subdivision in pycountry.subdivisions}


@cache
def _subdivisions(country: str) -> dict[str, str]:
    pairs = [
        (part, code)
        for code, name in _subdivision_names().items()
        if code.startswith(f"{country}-")
        for part in (name, *re.split(r"[/\[\]()]", name))
        if part.strip()
    ]
    usual = {
        _key(name): f"{country}-{code}" for name, code in SUBDIVISION_NAMES.get(country, {}).items()
    }
    return _unambiguous(pairs) | usual

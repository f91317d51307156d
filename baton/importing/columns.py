"""Which column of a list fills which field: as wished, as a known export has it, as such columns
are usually called. Pure.

An owner, a user, a column named Id say nothing about who is meant until somebody says whose they
are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from baton.contracts.identity import IDENTIFIER_KINDS
from baton.importing.exports import Export, general, header_key, recognised

IGNORED = "-"
IDENTIFIERS = (*IDENTIFIER_KINDS, "other_emails")
PERSON = (
    "phone",
    "first_name",
    "last_name",
    "company",
    "stated_problem",
    "current_supplier",
    "note",
)
PROFILE = (
    "title",
    "role",
    "seniority",
    "department",
    "country",
    "region",
    "postal",
    "industry",
    "employees",
    "annual_revenue",
    "domain",
    "website",
    "language",
)
ENGAGEMENT = ("act", "content_id", "content_title", "content_stage", "campaign")
PLAIN = ("id", "occurred_at", "name", "attended")
SEVERAL = ("email", "other_emails", "phone")
"""Fields that several columns may fill, explicitly too: people have two addresses and two
telephones."""

_KNOWN = frozenset({*PERSON, *PROFILE, *ENGAGEMENT, *PLAIN, "email"}) - {"id"}
_FIELD = re.compile(r"(?:profile\.)?([a-z][a-z0-9_]{0,47})\Z")
_MISSPELT = re.compile(r"[a-z0-9_]{5,}")
_CRM = re.compile(r"crm:([a-z][a-z0-9_-]{0,31})\Z")
CONSENT = re.compile(
    r"(consent|optout|consent_at|optout_at):([a-z0-9][a-z0-9_]{0,63})(?:/([a-z0-9][a-z0-9_]{0,63}))?\Z"
)
_IDS_OF = (
    # Salesforce: leads and contacts; an account or a campaign is no person.
    (re.compile(r"(?:00Q|003)[A-Za-z0-9]{12}(?:[A-Za-z0-5]{3})?\Z"), "crm:salesforce"),
    (re.compile(r"zcrm_\d{10,}\Z"), "crm:zoho"),
)
_ID_COLUMNS = frozenset(
    {
        "id",
        "lead id",
        "contact id",
        "record id",
        "18 digit id",
        "case safe id",
        "salesforce id",
        "sfdc id",
    }
)


class MapWrong(ValueError):
    """A ``--map`` that cannot be followed; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """For each column the field it fills, None for those that are left out.

    ``left_out`` are the names that nobody knows, ``ignored`` those that are left out on purpose;
    ``export`` says whose list it is.
    """

    fields: tuple[str | None, ...]
    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    export: str | None = None


def is_header(cells: Sequence[str], wished: Mapping[str, str]) -> bool:
    """Whether a row is a header: it has the columns that were wished for, or one that says who is
    meant beside the others."""
    names = [tidy(cell) for cell in cells]
    if wished:
        return all(column in names for column in wished)
    fields = [field for name in names if (field := _guessed(name, recognised(names), ()))]
    return any(_is_identity(field) for field in fields) and not any("@" in name for name in names)


def column_map(
    header: Sequence[str],
    wishes: Mapping[str, str],
    *,
    guess: bool = True,
    samples: Sequence[Sequence[str]] = (),
) -> ColumnMap:
    """Which column fills which field. ``wishes``: column to field, see :func:`read_wishes`.
    ``samples``: rows, where the name of a column says too little. Raises :class:`MapWrong`."""
    names = [tidy(name) for name in header]
    _refuse_unknown_columns(wishes, names)
    export = recognised(names) if guess else None
    guessed = [
        _guessed(name, export, [row[place] for row in samples if place < len(row)])
        if guess and name and name not in wishes
        else None
        for place, name in enumerate(names)
    ]
    fields = _with_wishes(names, guessed, wishes)
    if not wishes and any("@" in name for name in names):
        raise MapWrong(
            "the first line has an address and no names of columns; put a line with the columns' "
            "names before it"
        )
    if not any(field and _is_identity(field) for field in fields):
        raise MapWrong(
            "no column says who is meant; map one, as in --map 'E-mail=email' or --map 'Contact "
            "ID=crm:salesforce'; "
            f"the columns are {', '.join(names[:30])}"
        )
    return ColumnMap(
        fields=tuple(None if field == IGNORED else field for field in fields),
        left_out=tuple(
            name for name, field in zip(names, fields, strict=True) if field is None and name
        ),
        ignored=tuple(name for name, field in zip(names, fields, strict=True) if field == IGNORED),
        export=export.title if export else None,
    )


def _with_wishes(
    names: Sequence[str], guessed: Sequence[str | None], wishes: Mapping[str, str]
) -> list[str | None]:
    """What was wished goes before what was guessed; a field that only one column may fill is the
    wished one's."""
    explicit = [wishes[name] for name in names if name in wishes]
    _refuse_doubles(explicit)
    single = {field for field in explicit if field not in (IGNORED, *SEVERAL)}
    return [
        wishes.get(name, None if field in single else field)
        for name, field in zip(names, guessed, strict=True)
    ]


def read_wishes(texts: Sequence[str]) -> dict[str, str]:
    """``column=field`` for each text; raises :class:`MapWrong`."""
    return dict(_wish(text) for text in texts)


def tidy(name: str) -> str:
    """A column's name on one line."""
    return " ".join(name.replace("\ufeff", "").split())


def _is_identity(field: str) -> bool:
    return field in IDENTIFIERS or field.startswith("crm:")


def _refuse_unknown_columns(wishes: Mapping[str, str], names: Sequence[str]) -> None:
    missing = [column for column in wishes if column not in names]
    if missing:
        raise MapWrong(
            f"--map: the file has no column {missing[0]!r}; it has {', '.join(names[:30])}"
        )


def _refuse_doubles(explicit: Sequence[str]) -> None:
    # The answers and dates of one consent are weighed together, however many columns have them.
    single = [
        field for field in explicit if field not in (IGNORED, *SEVERAL) and not CONSENT.match(field)
    ]
    twice = next((field for field in single if single.count(field) > 1), None)
    if twice:
        raise MapWrong(
            f"two columns are meant to be {twice}; leave one out with --map column={IGNORED}"
        )


def _guessed(name: str, export: Export | None, cells: Sequence[str]) -> str | None:
    key = header_key(name)
    if export and key in export.columns:
        return export.columns[key]
    if key in _ID_COLUMNS:
        return _whose_id(cells)
    word = key.replace(" ", "_")
    return general().get(key) or (word if word in _KNOWN else None)


def _whose_id(cells: Sequence[str]) -> str | None:
    """The system whose ids a column has, by their form; None where they could be anybody's."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return next(
        (field for form, field in _IDS_OF if filled and all(form.match(cell) for cell in filled)),
        None,
    )


def _wish(text: str) -> tuple[str, str]:
    column, separator, field = text.rpartition("=")
    field = field.strip()
    if not separator or not column.strip():
        raise MapWrong(f"--map {text!r}: write column=field")
    if not is_field(field):
        raise MapWrong(
            f"--map {text!r}: {field!r} is no field; there are "
            f"{', '.join((*IDENTIFIERS, *PERSON, *PLAIN, *ENGAGEMENT))}, crm:SYSTEM, "
            "consent:PURPOSE/CHANNEL, optout:PURPOSE/CHANNEL, consent_at:PURPOSE/CHANNEL, "
            "optout_at:PURPOSE/CHANNEL, any name of a "
            f"profile field, and {IGNORED} for none"
        )
    if close := likely_meant(field):
        raise MapWrong(
            f"--map {text!r}: there is no field {field!r}; did you mean {close}? A profile field "
            f"of that name is profile.{field}"
        )
    return tidy(column), field


def likely_meant(field: str) -> str | None:
    """The field that ``field`` misspells; None where it is one, or like none. A name after
    ``profile.`` is always meant as it is written."""
    known = {*_KNOWN, *IDENTIFIERS, "id"}
    if field in known or not _MISSPELT.fullmatch(field):
        return None
    near = [name for name in sorted(known) if abs(len(name) - len(field)) <= 1]
    return next(iter(get_close_matches(field, near, n=1, cutoff=0.8)), None)


def is_field(field: str) -> bool:
    """Whether a column can be mapped to ``field``."""
    return field == IGNORED or any(form.match(field) for form in (_FIELD, _CRM, CONSENT))

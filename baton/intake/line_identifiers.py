"""Who an event line is about: identifiers of each scheme in their one form, strongest first.

A placeholder counts as given and names nobody. It does not say which lead is meant.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from baton.contracts.identity import IDENTIFIER_KINDS, Identifier, IdentifierScheme
from baton.evolve import maker
from baton.intake.fields import wrong
from baton.intake.identifiers import CANONICAL
from baton.intake.placeholders import is_placeholder

MAX_IDENTIFIERS = 16
_MAX_PER_SCHEME = 8
_MAX_IDENTIFIER_CHARACTERS = 320


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _canonical(scheme: IdentifierScheme) -> WrapValidator:
    one_form = CANONICAL[scheme]

    def read(value: Any, several: ValidatorFunctionWrapHandler) -> list[str]:
        # One short text is what comes nearly always, and needs no list to be checked.
        if type(value) is str and value.isascii() and 0 < len(value) <= _MAX_IDENTIFIER_CHARACTERS:
            values = [value]
        else:
            values = several(value)
        try:
            return list(dict.fromkeys(map(one_form, values)))
        except ValueError as error:
            raise wrong(str(error)) from None

    return WrapValidator(read)


_ONE = {"type": "string", "minLength": 1, "maxLength": _MAX_IDENTIFIER_CHARACTERS}
Several = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=_MAX_IDENTIFIER_CHARACTERS)]],
    BeforeValidator(_as_list),
    Field(min_length=1, max_length=_MAX_PER_SCHEME),
    WithJsonSchema(
        {
            "oneOf": [
                _ONE,
                {"type": "array", "minItems": 1, "maxItems": _MAX_PER_SCHEME, "items": _ONE},
            ]
        }
    ),
]


class Identifiers(BaseModel):
    """Who is meant, strongest first. Each is one value or a list. ``crm`` values name their system:
    ``salesforce:00Q...``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lead: Annotated[Several, _canonical(IdentifierScheme.LEAD)] | None = None
    crm: Annotated[Several, _canonical(IdentifierScheme.CRM)] | None = None
    email: Annotated[Several, _canonical(IdentifierScheme.EMAIL)] | None = None
    user: Annotated[Several, _canonical(IdentifierScheme.USER)] | None = None
    anonymous: Annotated[Several, _canonical(IdentifierScheme.ANONYMOUS)] | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Identifiers:
        if not 1 <= self.given <= MAX_IDENTIFIERS:
            raise wrong(f"needs 1 to {MAX_IDENTIFIERS} of: " + ", ".join(_SCHEMES))
        if all(
            is_placeholder(scheme, value)
            for scheme, values in self._by_scheme()
            for value in values
        ):
            raise wrong(
                "name nobody: a placeholder, or an id that a spreadsheet has rewritten, is none"
            )
        return self

    @property
    def given(self) -> int:
        """How many came, placeholders too."""
        return sum(map(len, filter(None, _values_of(self))))

    @property
    def count(self) -> int:
        """How many there are that name somebody, each counted once."""
        return len(self.strongest_first())

    def strongest_first(self) -> tuple[Identifier, ...]:
        """All that name somebody in the order of precedence; within a scheme in the order of the
        text, so that order does not matter."""
        found: list[Identifier] = []
        for scheme, values in self._by_scheme():
            found += [
                _identifier(scheme, value)
                for value in sorted(values)
                if not is_placeholder(scheme, value)
            ]
        return tuple(found)

    def placeholders(self) -> tuple[str, ...]:
        """The schemes of which a value names nobody, once each."""
        return tuple(
            scheme
            for scheme, values in self._by_scheme()
            if any(is_placeholder(scheme, value) for value in values)
        )

    def _by_scheme(self) -> list[tuple[str, list[str]]]:
        named = zip(_SCHEMES, _values_of(self), strict=True)
        return [(scheme, values) for scheme, values in named if values]


_SCHEMES = tuple(IDENTIFIER_KINDS)
_values_of = attrgetter(*_SCHEMES)
_identifier = maker(Identifier)

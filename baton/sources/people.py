"""The book of people: who of the agreement has which ids elsewhere (a user of the CRM, of Slack, of
the telephone system; addresses; a calendar of absences). Read from a file, checked as a whole.

    version: 1
    people:
      ana:
        email: [ana@firm.example]
        ids: ["hubspot:4711", "salesforce:0055g00000AbCdE", "slack:U012AB3CD"]
        calendar: https://calendars.firm.example/ana.ics

It decides nothing: what is not in the book is nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from baton.agreement.source.yaml import read_yaml
from baton.intake.identifiers import SALESFORCE, email, salesforce_id

_ID = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}:[!-~]{1,128}$")]


class PeopleWrong(ValueError):
    """The book cannot be used; the text has a line for each problem."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    email: list[str] = Field(default_factory=list)
    ids: list[_ID] = Field(default_factory=list)
    calendar: str | None = None


class PeopleBook(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    people: dict[str, _Entry] = Field(min_length=1)

    def by_id(self) -> dict[str, str]:
        """The person of each id and address, as ``person()`` looks them up."""
        return {alias: name for name, alias in _aliases(self)}

    def calendars(self) -> dict[str, str]:
        """Where the absences of people are published: a file or an address, by person."""
        return {name: entry.calendar for name, entry in self.people.items() if entry.calendar}

    def strangers(self, agreed: Collection[str]) -> list[str]:
        """People of the book who do not stand in the agreement."""
        return sorted(set(self.people) - set(agreed))


def read_people(path: Path) -> PeopleBook:
    """The book of a file; raises :class:`PeopleWrong`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PeopleWrong(f"{path} cannot be read: {error}") from None
    document = read_yaml(text)
    if document.problems:
        raise PeopleWrong("\n".join(problem.described(str(path)) for problem in document.problems))
    try:
        book = PeopleBook.model_validate(document.data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        words = (f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in problems)
        raise PeopleWrong("\n".join(f"{path}: {line}" for line in words)) from None
    _check(book, path)
    return book


def people_beside(file: Path, name: str | None) -> Mapping[str, str]:
    """The ids of the book that a file of sources names; nobody where it names none."""
    return read_people(file.parent / name).by_id() if name else {}


def _check(book: PeopleBook, path: Path) -> None:
    owner: dict[str, str] = {}
    problems = []
    try:
        for name, alias in _aliases(book):
            if owner.setdefault(alias, name) != name:
                problems.append(f"{path}: people.{name}: an id of {owner[alias]} comes again")
    except ValueError as error:
        problems.append(f"{path}: an address or id {error}")
    if problems:
        raise PeopleWrong("\n".join(problems))


def _aliases(book: PeopleBook) -> Iterator[tuple[str, str]]:
    for name, entry in book.people.items():
        for address in entry.email:
            yield name, email(address).casefold()
        for own in entry.ids:
            system, _, value = own.partition(":")
            if system == SALESFORCE:
                yield name, f"{system}:{salesforce_id(value)}".casefold()
            else:
                yield name, own.casefold()

"""From a file to a checked agreement, or to everything that is wrong with it."""

from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from baton.agreement.books import LONGEST_BYTES, Book, books_of
from baton.agreement.canonical import model_of
from baton.agreement.checks import check_meaning
from baton.agreement.checks.books import check_book
from baton.agreement.document import Document
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.books import BookModel
from baton.agreement.problems import Problem, Severity
from baton.agreement.source.book_files import read_book
from baton.agreement.source.partial_validation import problems_of_the_rest
from baton.agreement.source.validation_errors import shape_problems
from baton.agreement.source.yaml import read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What reading came to. ``model`` is None where the shape is wrong; it may be there and still
    have errors of meaning. ``complete``: every check was made, so nothing waits for a mending."""

    document: Document
    model: Agreement | None
    problems: tuple[Problem, ...]
    complete: bool = False

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps it from being published."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What to look at."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)


class AgreementRefused(ValueError):
    """The agreement has errors; the text says all of them, a line each, with file, line, reason
    and way out."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.described(file) for problem in problems))
        self.file = file
        self.problems = problems


def examine(text: str | bytes, folder: FilePath | None = None) -> Examined:
    """What is wrong with ``text``, or the bytes of a file, and with its books, which are files of
    ``folder``: all of it where the shapes are sound, else as much as can be checked without the
    parts that are not. Never raises for what they say."""
    document = read_yaml(text)
    if document.problems and not isinstance(document.data, dict):
        return Examined(document=document, model=None, problems=document.problems)
    if not isinstance(document.data, dict):
        what = "is empty" if document.data is None else "has no sections"
        empty = Problem(
            message=f"{what}: an agreement begins with agreement: 1; try baton agreement new"
        )
        return Examined(document=document, model=None, problems=(empty,))
    try:
        model = model_of(document.data)
    except ValidationError as error:
        shape = (*shape_problems(error, document), *problems_of_the_rest(document, model_of))
        return Examined(
            document=document, model=None, problems=_in_order((*document.problems, *shape))
        )
    model, of_books, whole = _with_books(model, document, folder or FilePath())
    meaning = (*check_meaning(model, document), *of_books)
    return Examined(
        document=document,
        model=model,
        problems=_in_order((*document.problems, *meaning)),
        complete=whole,
    )


def _with_books(
    model: Agreement, document: Document, folder: FilePath
) -> tuple[Agreement, tuple[Problem, ...], bool]:
    """The agreement with its books attached, what is wrong with them, and whether the shape of all
    of them is sound."""
    fields = [name for name, kind in model.definitions.profile.items() if kind.value == "text"]
    named = (("accounts", model.books.accounts), ("territories", model.books.territories))
    problems: list[Problem] = []
    found: dict[str, Book] = {}
    for name, written in named:
        if written is None:
            continue
        read = read_book(name, written, _content(name, written, folder), fields)
        problems += [*read.problems, *check_book(model, read)]
        if read.book is None:
            continue
        found[name] = read.book
        if written.hash not in (None, read.book.hash):
            place = document.place(("books", name, "hash"))
            words = f"{read.file} has the hash {read.book.hash}, not {written.hash}"
            problems.append(Problem(message=words, line=place.line if place else 0))
    hashes = {name: book.hash for name, book in found.items()}
    whole = all(name in found for name, written in named if written is not None)
    return model.with_books(books_of(found.values()), hashes), tuple(problems), whole


def _content(name: str, book: BookModel, folder: FilePath) -> bytes | str:
    """The file of a book, or why it cannot be read."""
    if book.file is None:
        return f"the book of {name} has no file: write {name}: {name}.csv"
    try:
        with (folder / book.file).open("rb") as file:
            return file.read(LONGEST_BYTES + 1)
    except OSError as error:
        return f"the book of {name} cannot be read: {error.strerror}"


def read_agreement(path: FilePath | str) -> Agreement:
    """The agreement of a file without errors (warnings pass). Raises :class:`AgreementRefused` with
    all that is wrong."""
    return agreement_of(FilePath(path).read_bytes(), str(path))


def agreement_of(text: str | bytes, file: str = "agreement.yaml") -> Agreement:
    """As :func:`read_agreement`, from a text that is called ``file`` in errors; its books are
    beside that."""
    examined = examine(text, FilePath(file).parent)
    if examined.errors or examined.model is None:
        raise AgreementRefused(file, examined.errors)
    return examined.model


def _in_order(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(
        sorted(
            problems,
            key=lambda problem: (
                problem.severity is Severity.WARNING,
                problem.file or "",
                problem.line,
                problem.column,
                problem.message,
            ),
        )
    )

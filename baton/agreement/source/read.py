"""From a file to a checked agreement, or to everything that is wrong with it."""

from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from baton.agreement.canonical import model_of
from baton.agreement.checks import check_meaning
from baton.agreement.document import Document
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Problem, Severity
from baton.agreement.source.partial_validation import problems_of_the_rest
from baton.agreement.source.validation_errors import shape_problems
from baton.agreement.source.yaml import read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What reading came to. ``model`` is None where the shape is wrong; it may be there and still
    have errors of meaning."""

    document: Document
    model: Agreement | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps it from being published."""
        return tuple(each for each in self.problems if each.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What to look at."""
        return tuple(each for each in self.problems if each.severity is Severity.WARNING)


class AgreementRefused(ValueError):
    """The agreement has errors; the text tells all of them, a line each, with file, line, reason
    and way out."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(each.told(file) for each in problems))
        self.file = file
        self.problems = problems


def examine(text: str) -> Examined:
    """Everything wrong with ``text`` at once. Never raises for what the text says."""
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
    meaning = tuple(check_meaning(model, document))
    return Examined(
        document=document, model=model, problems=_in_order((*document.problems, *meaning))
    )


def read_agreement(path: FilePath | str) -> Agreement:
    """The agreement of a file without errors (warnings pass). Raises :class:`AgreementRefused` with
    all that is wrong."""
    file = FilePath(path)
    return agreement_of(file.read_text(encoding="utf-8", errors="replace"), str(path))


def agreement_of(text: str, file: str = "agreement.yaml") -> Agreement:
    """As :func:`read_agreement`, from a text that is called ``file`` in errors."""
    examined = examine(text)
    if examined.errors or examined.model is None:
        raise AgreementRefused(file, examined.errors)
    return examined.model


def _in_order(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(
        sorted(
            problems,
            key=lambda each: (
                each.severity is Severity.WARNING,
                each.line,
                each.column,
                each.message,
            ),
        )
    )

"""What the rows of books mean: accounts that are domains and stand once, owners and pools there
are, territories that are reached. Each finding names the line of the file."""

from collections.abc import Callable, Iterator

from baton.agreement.books import Book
from baton.agreement.checks.account_names import fault_of_account
from baton.agreement.checks.book_coverage import Coverage
from baton.agreement.compiled.books import (
    ACCOUNT,
    ANY_REST,
    KINDS,
    NEEDS,
    OWNER,
    PLAIN,
    shape_of,
)
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Problem, did_you_mean
from baton.agreement.source.book_files import MOST_PROBLEMS, ReadBook

_Row = dict[str, str]
_Check = Callable[[_Row, int], Iterator[str]]


def check_book(model: Agreement, read: ReadBook) -> Iterator[Problem]:
    """Everything that is wrong with the rows of one book; of very many the first are named."""
    if read.book is None:
        return
    columns, more = read.book.columns, 0
    check = _accounts(model) if read.name == "accounts" else _territories(model, read.book)
    found = 0
    for line, cells in zip(read.lines, read.book.rows, strict=True):
        row = dict(zip(columns, cells, strict=True))
        for message in check(row, line):
            found += 1
            if found <= MOST_PROBLEMS:
                yield Problem(message=message, line=line, file=read.file)
            else:
                more += 1
    if more:
        yield Problem(message=f"and {more} more rows of this book are wrong", file=read.file)


def _accounts(model: Agreement) -> _Check:
    seen: dict[str, int] = {}

    def check(row: _Row, line: int) -> Iterator[str]:
        domain = row[ACCOUNT]
        if fault := fault_of_account(domain):
            yield fault
        elif seen.setdefault(domain, line) != line:
            yield f'account "{domain}" stands in line {seen[domain]} already'
        elif domain in model.routing.accounts:
            yield f'account "{domain}" stands in the agreement itself too (routing.accounts)'
        owner = row.get(OWNER, "")
        pools = [kind for kind in KINDS if row.get(kind)]
        if bool(owner) == bool(pools):
            yield f'account "{domain}" needs an owner or pools, one of the two'
        if owner and owner not in model.people:
            yield f'person "{owner}" is not defined{did_you_mean(owner, model.people)}'
        yield from _pools(model, row)

    return check


def _territories(model: Agreement, book: Book) -> _Check:
    fields = tuple(column for column in book.columns if column not in PLAIN)
    before = Coverage()
    skills = {skill for person in model.people.values() for skill in person.skills}

    def check(row: _Row, line: int) -> Iterator[str]:
        kinds = tuple(kind for kind in KINDS if row.get(kind))
        cells = [row[name] for name in fields]
        shape, key = shape_of(fields, cells)
        if not kinds:
            yield 'names no pool: fill in "sdr" or "sales"'
        if not shape:
            yield "asks nothing, so it would take every lead: that is the default of the routing"
        elif not all(key):
            yield '"*" alone asks nothing: leave the cell empty, or write how the word begins'
        elif inner := next((cell for cell in cells if ANY_REST in cell[:-1]), None):
            yield f'"{inner}" fits no lead: "*" stands only at the end of a cell (Head of*)'
        else:
            yield from before.takers_of(shape, key, kinds)
            before.add(shape, key, kinds, line)
        yield from _pools(model, row)
        for skill in filter(None, (word.strip() for word in row.get(NEEDS, "").split(";"))):
            if skill not in skills:
                yield f'needs "{skill}", but nobody has that skill{did_you_mean(skill, skills)}'

    return check


def _pools(model: Agreement, row: _Row) -> Iterator[str]:
    for kind in KINDS:
        name = row.get(kind)
        if not name:
            continue
        if name not in model.pools:
            yield f'pool "{name}" is not defined{did_you_mean(name, model.pools)}'
        elif model.pools[name].kind.value != kind:
            yield f'pool "{name}" is of kind {model.pools[name].kind.value}, not {kind}'

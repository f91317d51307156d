"""The canonical form of an agreement, its version, and reading it back.

The version is the hash of the canonical form: JSON of what the file says, keys sorted, defaults
left out, amounts in one spelling. Comments, the order of keys and the layout of the YAML do not
change it; any change of meaning does.
"""

import json
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from baton.agreement.books import NO_BOOKS, Books, books_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiler.agreement import compile_agreement
from baton.agreement.model.agreement import Agreement
from baton.agreement.source.yaml import WrittenNumber

VERSION_LENGTH = 16


def canonical_text(model: Agreement) -> str:
    """The canonical JSON."""
    plain = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    plain["agreement"] = model.agreement
    return json.dumps(
        plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def version_of(text: str) -> str:
    """The version that canonical ``text`` has: 16 hexadecimal digits of its BLAKE2b hash."""
    return blake2b(text.encode(), digest_size=VERSION_LENGTH // 2).hexdigest()


@lru_cache(maxsize=64)
def hashes_in(text: str) -> tuple[str, ...]:
    """The hashes of the books that canonical ``text`` names."""
    books = json.loads(text).get("books", {})
    return tuple(book["hash"] for book in books.values() if "hash" in book)


def model_of(plain: Any) -> Agreement:
    """The model of plain data as YAML or JSON give it. Raises pydantic's ``ValidationError``."""
    return Agreement.model_validate_json(json.dumps(_with_written_points(plain), allow_nan=False))


def _with_written_points(plain: Any) -> Any:
    """``plain`` with the points that examples expect as they were written: JSON's numbers do not
    distinguish 8 from 8.000000."""
    examples = plain.get("examples") if isinstance(plain, dict) else None
    if not isinstance(examples, list):
        return plain
    return {**plain, "examples": [_example(example) for example in examples]}


def _example(example: Any) -> Any:
    expect = example.get("expect") if isinstance(example, dict) else None
    if not isinstance(expect, dict):
        return example
    written = {
        name: value.text for name, value in expect.items() if isinstance(value, WrittenNumber)
    }
    return {**example, "expect": {**expect, **written}} if written else example


def load_canonical(text: str, books: Books = NO_BOOKS) -> CompiledAgreement:
    """The compiled agreement of canonical ``text`` with its ``books``; the same object for the same
    text. Raises KeyError where a book is missing."""
    return _loaded(text, books)


@lru_cache(maxsize=64)
def _loaded(text: str, books: Books) -> CompiledAgreement:
    model = Agreement.model_validate_json(text)
    if hashes := model.books.hashes():
        model = model.with_books(books_of(books[name] for name in hashes.values()), hashes)
    return compile_agreement(model, version_of(text))


def compiled_of(model: Agreement) -> CompiledAgreement:
    """The compiled agreement of a model, as every task will compile it from the canonical text."""
    return load_canonical(canonical_text(model), model.attached)

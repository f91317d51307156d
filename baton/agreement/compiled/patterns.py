"""Regular expressions of conditions: RE2, so that none can hang, on the first 1,000 characters."""

from collections.abc import Callable
from typing import Any

import re2

MAX_MATCHED = 1_000
_MAX_PROGRAM_BYTES = 1 << 20


def compile_pattern(pattern: str) -> Any:
    """The regular expression, found anywhere in a text, case ignored. Raises ``ValueError`` with
    RE2's reason."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MAX_PROGRAM_BYTES
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        detail = (
            error.args[0].decode(errors="replace")
            if error.args and isinstance(error.args[0], bytes)
            else str(error)
        )
        raise ValueError(
            f'"{pattern}" is not a regular expression that can be used here: {detail}'
        ) from error


def matcher_of(pattern: str) -> Callable[[str], bool]:
    """Whether the pattern is found in a text."""
    search = compile_pattern(pattern).search

    def check(value: str) -> bool:
        return search(value[:MAX_MATCHED].encode()) is not None

    return check

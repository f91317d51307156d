"""The text of an agreement's file: UTF-8, with or without a byte order mark. Anything else is
refused with its place, and nothing is guessed: a name that is read wrong would be signed as it is.
"""

import codecs
from typing import Final

from baton.agreement.problems import Problem

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_REMEDY: Final = "save it as UTF-8"


def decoded(raw: bytes) -> str | Problem:
    """The text, or what is wrong with its encoding."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return Problem(message=f"is written in {name}: {_REMEDY}")
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        return Problem(message=f"has a zero byte, as UTF-16 has: {_REMEDY}", line=line)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, byte = raw[: error.start], raw[error.start]
        in_line = error.start - before.rfind(b"\n")
        return Problem(
            message=f"byte {in_line} of the line, 0x{byte:02x}, is not UTF-8: {_REMEDY}",
            line=before.count(b"\n") + 1,
        )

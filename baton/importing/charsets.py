"""In which encoding a list is written, from its first bytes. A guess, and said so: only UTF-8 and a
byte order mark are certain."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

UTF_8 = "utf-8-sig"
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN, _MAC = "cp1252", "mac_roman"
_LATIN = ["cp1250", "cp1252", "cp1254", "cp1257", "mac_roman"]
_OWN_ALPHABET = ["cp1251", "cp1253", "koi8_r", "cp932", "gb18030", "big5", "cp949"]
# A word with a letter that is not ASCII, three letters or longer.
_ACCENTED = re.compile(r"(?=[!-~]*[^\x00-\x7f])[^\s,;|\t\"]{3,}")
_CENTRAL = frozenset(
    {
        "Czech",
        "Slovak",
        "Polish",
        "Hungarian",
        "Croatian",
        "Slovene",
        "Romanian",
        "Turkish",
        "Lithuanian",
    }
)
# Read in the wrong encoding: a sign inside a word or a control character; of a Mac's letters also
# a capital inside a word (JŸrgen) and a sign that begins or ends one (€nne, Gro§).
_IMPLAUSIBLE = re.compile(
    r"[^\W\d_][^\w\s!-~’‘´·–—-][^\W\d_]|[\x80-\x9f\ufffd]"
    r"|[^\W\d_][ŠŽŸ][a-zß-ÿ]|(?<![\w…])[€†‡‰](?=[a-zß-ÿ])|(?<=[a-zß-ÿ])§(?!\w)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """An encoding by Python's name; ``certain`` is False for a guess."""

    name: str
    certain: bool


def charset_of(sample: bytes) -> Charset:
    """The encoding of a file that begins with ``sample``."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Charset(name=name, certain=True)
    if wide := _wide(sample):
        return Charset(name=wide, certain=True)
    if is_utf_8(sample) or _has_utf_8(sample):
        return Charset(name=UTF_8, certain=True)
    return Charset(name=_guessed(sample), certain=False)


def is_utf_8(sample: bytes, *, whole: bool = False) -> bool:
    """Whether a sample is UTF-8; one that is not ``whole`` may be cut anywhere."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of plain text is zero."""
    head = sample[:200]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 4 and head[::2].count(0) > len(head) // 3 else None


def _has_utf_8(sample: bytes) -> bool:
    """Whether some line has letters in UTF-8: then a line that is not is a damaged one."""
    return any(not line.isascii() and is_utf_8(line, whole=True) for line in sample.splitlines())


def _guessed(sample: bytes) -> str:
    lines = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:65_536]
    if any(mark in lines for mark, _ in _MARKS):
        return UTF_8  # several files were put together; the lines that are damaged are reported
    western = lines.decode(_WESTERN, "replace")
    if _is_other_alphabet(western):
        other = from_bytes(lines, cp_isolation=_OWN_ALPHABET).best()
        return other.encoding if other is not None else UTF_8
    best = from_bytes(lines, cp_isolation=_LATIN).best()
    if best is not None and best.language in _CENTRAL and str(best) != western:
        return best.encoding
    for name in (_WESTERN, _MAC):
        if not _IMPLAUSIBLE.search(lines.decode(name, "replace")):
            return name
    return UTF_8


def _is_other_alphabet(western: str) -> bool:
    """Whether words are nothing but accents: then they are of an alphabet that has none."""
    words = _ACCENTED.findall(western)
    foreign = sum(
        1 for word in words if sum(not letter.isascii() for letter in word) > len(word) // 2
    )
    return foreign * 2 > len(words)

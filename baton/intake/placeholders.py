"""What is written where an identity is missing: words, templates nobody filled in, ids that a
spreadsheet has broken. Data and rules.

A placeholder is never an identity: two strangers with the user id ``undefined`` are two strangers.
Operators add words of their own with ``BATON_PLACEHOLDERS``, read once a process. Nothing here
repairs an id: ``4711.0`` may have been ``4711`` and may not.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from baton.contracts.identity import IdentifierScheme, identifier_kind
from baton.settings import load_settings

# Compared without case, and without the quotes and brackets around them.
WORDS = frozenset(
    """
    -1 anon anonymous anonymous_user anonymousid anonymous-user blank default deleted deleted_user
    distinct_id distinctid dummy empty example false guest id infinity -infinity invalid missing
    n.a. n.a na nan n/a nil no_user nobody none not_authenticated not_set notset null object
    redacted removed sample test testing test_user testuser test-user todo true unassigned
    undefined unidentified unknown unknown_user user user_id userid visitor void
    """.split()  # noqa: SIM905 - a list to be read
)
# An address with such a local part is nobody's mailbox.
NO_MAILBOX = frozenset(
    """
    anonymous bounce bounces do-not-reply do_not_reply donotreply mailer-daemon mailerdaemon n/a na
    nan no-email no-reply no.email no.reply no_email no_reply nobody noemail nomail none noreply
    null placeholder undefined unknown unsubscribe unsubscribed
    """.split()  # noqa: SIM905 - a list to be read
)
_NONE_AT_ALL = frozenset(
    {"test", "a", "aa", "aaa", "abc", "asd", "asdf", "email", "mail", "qwerty", "x", "xx", "xxx"}
)

_AROUND = " \t\"'`<>()[]{}"
# Nobody filled it in: {{contact.id}}, ${user.id}, %USER_ID%, *|EMAIL|*, <%= id %>, [object Object].
_TEMPLATE = re.compile(
    r"\{\{.*\}\}|\$\{.*\}|%%?[A-Za-z_.\[\] ]{2,}%%?|\*\|.*\|\*|<%.*%>|\[object \w+\]|\[\w[\w .]*\]|<\w[\w .]*>",
    re.DOTALL,
)
_ZEROS = re.compile(r"[0{}()-]+|0x0+")
_ALL_ONES = re.compile(r"\{?f{8}-f{4}-f{4}-f{4}-f{12}\}?")
# A hexadecimal id such as 0047583311587e590003 is none of these: a spreadsheet writes a point, or
# the sign of the exponent.
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?e[+-]\d+|[+-]?\d+[.,]\d+e\d+")
_DECIMAL = re.compile(r"[+-]?\d+[.,]0{0,2}")
_SHEET_ERROR = re.compile(r"#(?:n/a|ref!|value!|name\?|div/0!|null!|num!|spill!|calc!)")
_MAX_CHARACTERS = 64


@cache
def _own_words() -> frozenset[str]:
    return frozenset(
        word.strip().casefold() for word in load_settings().placeholders.split(",") if word.strip()
    )


@lru_cache(maxsize=65_536)
def is_placeholder(scheme: str, value: str) -> bool:
    """Whether a canonical identifier stands for nobody."""
    if scheme == IdentifierScheme.EMAIL.value:
        return _is_nobodys_address(value)
    if identifier_kind(scheme).names_its_system:
        return is_no_id(value.partition(":")[2])
    return scheme != IdentifierScheme.LEAD.value and is_no_id(value)


def is_no_id(text: str) -> bool:
    """Whether an id is a placeholder, or a number that a spreadsheet has rewritten."""
    if len(text) > _MAX_CHARACTERS:
        return False
    if _TEMPLATE.fullmatch(text.strip()):
        return True
    word = text.casefold().strip(_AROUND)
    return (
        word in WORDS
        or word in _own_words()
        or any(
            rule.fullmatch(word)
            for rule in (_ZEROS, _ALL_ONES, _SCIENTIFIC, _DECIMAL, _SHEET_ERROR)
        )
        or not any(letter.isalnum() for letter in word)
        or _is_empty_salesforce_id(word)
    )


def _is_empty_salesforce_id(word: str) -> bool:
    return len(word) == 18 and word == "000000000000000aaa"


def _is_nobodys_address(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    name = domain.partition(".")[0]
    plain = local.partition("+")[0].strip("'\"")
    return (
        plain in NO_MAILBOX
        or address in _own_words()
        or domain in _own_words()
        or ((plain in _NONE_AT_ALL or plain in WORDS) and (name == plain or name in NO_MAILBOX))
    )

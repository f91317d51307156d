"""Characters that nobody sees around an address: trimmed as blanks are, and refused inside it."""

from __future__ import annotations

import pytest

from baton.importing.cells import addresses_in
from baton.intake.identifiers import email

UNSEEN = {
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "no-break space": "\u00a0",
    "soft hyphen": "\u00ad",
    "left-to-right embedding": "\u202a",
    "pop directional formatting": "\u202c",
    "blank between two": "\u200b \u200b",
}


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("address", ["ann@acme.example", "jürgen@acme.example"])
def test_what_nobody_sees_around_an_address_is_no_part_of_it(unseen: str, address: str) -> None:
    for text in (address + unseen, unseen + address, f" {unseen}{address}{unseen} "):
        assert email(text) == address
        assert addresses_in(text) == ([address], 0)


@pytest.mark.parametrize("unseen", ["\u200b", "\u202a", "\ufeff"])
def test_what_nobody_sees_inside_an_address_makes_it_none(unseen: str) -> None:
    for text in (f"an{unseen}n@acme.example", f"ann@ac{unseen}me.example"):
        with pytest.raises(ValueError, match="is not an e-mail address"):
            email(text)

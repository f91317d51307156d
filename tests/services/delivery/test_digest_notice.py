"""The notice of a digest says of which period it is; the first one is of a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baton.contracts.digests import SlaDigest
from services.delivery.digest_notice import digest_lines, digest_notes

DIGEST = SlaDigest(
    digest_id="d",
    digest="ae/mgr-ines",
    to="mgr-ines",
    pool="ae",
    from_ms=0,
    until_ms=0,
    count=1,
    at_ms=0,
    cause_id="c",
    agreement="v",
)


@pytest.mark.parametrize(
    ("until_ms", "said"),
    [
        (0, "1970-01-01 00:00 UTC"),
        (3_600_000, "1970-01-01 00:00 UTC to 1970-01-01 01:00 UTC"),
    ],
)
def test_a_digest_says_of_which_period_it_is_and_the_first_one_of_which_moment(
    until_ms: int, said: str
) -> None:
    lines = digest_lines(digest_notes(replace(DIGEST, until_ms=until_ms)), {}, "UTC")
    assert lines[0] == said

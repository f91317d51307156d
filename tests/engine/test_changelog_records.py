"""The layout of changelog records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.engine.changelog import (
    POSITION_KEY,
    ChangelogRecord,
    entry_key,
    explain,
    head_key,
    pack_head,
    split_entry_key,
    timer_of,
    unpack_head,
    version_of,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), NAMES, NAMES)
def test_an_entry_key_can_be_taken_apart_whatever_is_in_it(kind: str, key: str, item: str) -> None:
    assert split_entry_key(entry_key(kind, key, item)) == (kind, key, item)


@given(
    st.one_of(st.none(), st.integers(-1, 1 << 62)),
    st.integers(0, 1 << 62),
    NAMES,
    st.binary(max_size=9),
)
def test_a_head_can_be_taken_apart(
    wake_at: int | None, revision: int, version: str, value: bytes
) -> None:
    raw = pack_head(wake_at, revision, version.encode(), value)
    found_at, found_revision, found_version, start = unpack_head(raw)
    assert (found_at, found_revision, found_version, raw[start:]) == (
        wake_at,
        revision,
        version,
        value,
    )
    assert (timer_of(raw), version_of(raw)) == (wake_at, version)


def test_every_record_can_be_explained() -> None:
    head = pack_head(5, 7, b"v1", b"avro")
    assert [
        explain(POSITION_KEY, b"avro"),
        explain(head_key("k"), head),
        explain(head_key("k"), None),
        explain(entry_key("held", "k", "i"), b"avro"),
    ] == [
        ChangelogRecord(part="position", value=b"avro"),
        ChangelogRecord(part="head", key="k", wake_at=5, revision=7, version="v1", value=b"avro"),
        ChangelogRecord(part="head", key="k"),
        ChangelogRecord(part="entry", kind="held", key="k", item="i", value=b"avro"),
    ]


def test_a_head_of_a_later_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        unpack_head(b"\x02" + pack_head(None, 0, b"", b"")[1:])

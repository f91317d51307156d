"""Schemas of toy records, which no file has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from baton.contracts import codec
from baton.contracts.schemas import SchemaShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyLetter:
    """Something that one process writes and another reads."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyStamp:
    """Something else that a process may have loaded."""

    value: int


def test_a_provisional_id_is_the_same_whatever_was_loaded_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ids(records: Sequence[type]) -> dict[str, int]:
        made = SchemaShelf(tmp_path)
        monkeypatch.setattr(codec, "shelf", lambda: made)
        for record in records:
            codec.provisional(record)
        return {file.record: file.id for file in made}

    assert ids([ToyLetter, ToyStamp]) == ids([ToyStamp, ToyLetter])
    assert len(set(ids([ToyLetter, ToyStamp]).values())) == 2

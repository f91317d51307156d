"""Recorded lines of the outside and what became of each, whole: the record, or the code and every
reason.

``intake/lines.jsonl`` has one an entry: ``line``, and ``record`` or ``refused``. The lines were
drawn from all fields and kinds, right and wrong ones mixed. A changed meaning shows as a diff of
the file. After a change that is meant: ``python -m tests.histories.test_intake_histories`` and look
at it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from baton.intake.keyed_records import key_of, to_intake
from baton.intake.line_reading import LineRefused, read_line

FILE = Path(__file__).with_name("intake") / "lines.jsonl"
RECEIVED_MS = 1_772_445_600_000


def outcome(line: Any) -> dict[str, Any]:
    """What becomes of a line, as far as it says something."""
    try:
        record = to_intake(read_line(json.dumps(line).encode()), received_at_ms=RECEIVED_MS)
    except LineRefused as refused:
        return {"refused": [refused.code, *map(str, refused.problems)]}
    return {"record": {"key": key_of(record), **_plain(asdict(record))}}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _plain(item)
                for name, item in value.items()
                if item not in (None, (), {}, "", False)
            }
        case tuple():
            return [_plain(item) for item in value]
    return value


def recorded() -> list[dict[str, Any]]:
    """The file."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("entry", recorded(), ids=str)
def test_a_line_becomes_what_it_always_became(entry: dict[str, Any]) -> None:
    line = entry.pop("line")
    assert outcome(line) == entry


def test_the_lines_recorded_are_of_every_kind_and_about_as_many_taken_as_refused() -> None:
    entries = recorded()
    kinds = {row["record"]["kind"] for row in entries if "record" in row}
    reasons = {
        reason.partition(": ")[2] for record in entries for reason in record.get("refused", ())[1:]
    }
    assert len(kinds) == 8
    assert len(reasons) > 30
    assert 0.4 < sum("record" in record for record in entries) / len(entries) < 0.6


def write() -> None:
    """Record anew what becomes of the lines."""
    entries = [{"line": row["line"], **outcome(row["line"])} for row in recorded()]
    FILE.write_text("".join(json.dumps(record) + "\n" for record in entries), encoding="utf-8")


if __name__ == "__main__":
    write()

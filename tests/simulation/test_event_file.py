"""The file of a simulation is read line by line, in the order of arrival, and refused in the words
of the lines."""

import json
import os
from pathlib import Path
from threading import Thread

import pytest

from baton.simulation.event_file import EventFile
from baton.simulation.input_lines import LinesRefused, read_lines

NOON_MS = 1_772_449_200_000


def _line(number: int, at_ms: int) -> bytes:
    return json.dumps({"id": f"e{number}", "occurred_at": at_ms}).encode()


LATE = [_line(number, NOON_MS + (number * 7 % 5) * 1_000) for number in range(20)]


@pytest.mark.parametrize(
    "text",
    [
        b"\n".join(LATE),
        b"\r\n".join(LATE) + b"\r\n",
        b"\xef\xbb\xbf" + b"\n".join(LATE),
        b"\n  \n" + b"\n\n".join(LATE),
        b"\xef\xbb\xbf\n" + b"\n".join(LATE),
        b"[" + b",\n".join(LATE) + b"]",
        b"",
        b"[]",
    ],
    ids=["lines", "crlf", "bom", "blank lines", "bom alone", "array", "empty", "empty array"],
)
def test_a_file_has_the_lines_that_its_bytes_have(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(text)
    held = read_lines(text, path.name)
    events = EventFile(path)
    assert list(events) == held
    assert (len(events), events.left_out) == (len(held), 0)
    assert events.first_ms == (held[0].at_ms if held else None)


def test_what_comes_after_the_end_is_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join(LATE))
    events = EventFile(path, NOON_MS + 2_000)
    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
    assert (len(events), events.left_out, events.latest_ms) == (12, 8, NOON_MS + 2_000)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = Thread(target=path.write_bytes, args=(b"\n".join(LATE),))
    writer.start()
    events = EventFile(path)
    writer.join()
    assert len(list(events)) == len(LATE)


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join([LATE[0], b"{}", LATE[1], b"nonsense"]))
    with pytest.raises(
        LinesRefused, match=r"e\.jsonl:2: has no occurred_at[^\n]*\ne\.jsonl:4: is not"
    ):
        EventFile(path)

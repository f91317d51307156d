"""The lines that a simulation is fed with, read from a file: JSON lines or one JSON array. Each
knows its place.

Only the moment matters here: whether a line is otherwise right is for admit to say, as it would
live. A file with lines that have no moment is refused whole, and each of them is named with what is
wrong with it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.intake.fields import instant_ms

BOM = b"\xef\xbb\xbf"
_COMMA = "; it ends with a comma: leave it out, or put all lines between [ and ]"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
SPACE = b" \t\r\n"
_MOST_SHOWN = 20


class LinesRefused(ValueError):
    """Lines that cannot be simulated; the text names each, up to a limit, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event line, when it reaches the log (ms), and where it stood."""

    at_ms: int
    line: bytes
    place: str = ""


def read_lines(text: bytes, name: str) -> list[Arrival]:
    """The lines of a file in the order of their arrival; lines of the same moment keep theirs.
    Raises :class:`LinesRefused`."""
    if text.startswith(_UTF16):
        raise LinesRefused(f"{name}: is UTF-16, and has to be UTF-8: save it again as UTF-8")
    body = text.removeprefix(BOM)
    found = _of_array(body, name) if body.lstrip(SPACE)[:1] == b"[" else _of_lines(body, name)
    arrivals: list[Arrival] = []
    wrong: list[str] = []
    for place, raw in found:
        try:
            arrivals.append(Arrival(at_ms=moment_of(raw), line=raw, place=place))
        except ValueError as error:
            wrong.append(f"{place}: {error}")
    if wrong:
        more = f"\n... and {len(wrong) - _MOST_SHOWN:,} more" if len(wrong) > _MOST_SHOWN else ""
        raise LinesRefused("\n".join(wrong[:_MOST_SHOWN]) + more)
    return sorted(arrivals, key=lambda arrival: arrival.at_ms)


def arrivals_of(lines: Sequence[tuple[bytes, Mapping[str, Any]]]) -> list[Arrival]:
    """Lines (raw, and as parsed) in the order of their arrival; lines of the same moment keep
    theirs."""
    arrivals = [Arrival(at_ms=instant_ms(moment_in(parsed)), line=raw) for raw, parsed in lines]
    return sorted(arrivals, key=lambda arrival: arrival.at_ms)


def moment_in(line: Mapping[str, Any]) -> Any:
    """When a line says that it reached the log: ``arrived_at``, else ``occurred_at``."""
    return line.get("arrived_at") or line["occurred_at"]


def _of_lines(body: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    for number, raw in enumerate(body.split(b"\n"), start=1):
        if raw.strip(SPACE):
            yield f"{name}:{number}", raw.strip(SPACE)


def _of_array(body: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    try:
        elements = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LinesRefused(f"{name}: is not a JSON array: {_reason(error)}") from None
    for number, element in enumerate(elements, start=1):
        yield (
            f"{name}, element {number}",
            json.dumps(element, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        )


def moment_of(raw: bytes) -> int:
    """When a line reaches the log (ms); raises ValueError with what is wrong with it."""
    if b"\0" in raw:
        raise ValueError(
            "is not JSON: it has NUL characters, as a file that was not closed ends with: remove "
            "them"
        )
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"is not JSON: {_reason(error)}{_COMMA if raw.endswith(b',') else ''}"
        ) from None
    if not isinstance(line, dict):
        raise ValueError(f"is not a JSON object but {_KINDS.get(type(line), 'a number')}")
    if not line.get("arrived_at") and line.get("occurred_at") is None:
        raise ValueError("has no occurred_at, such as 2026-11-22T09:00:00Z")
    field = "arrived_at" if line.get("arrived_at") else "occurred_at"
    try:
        return instant_ms(line[field])
    except ValueError as error:
        raise ValueError(f"{field} {error}") from None


_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            where = (
                f"line {error.lineno}, column {error.colno}"
                if error.lineno > 1
                else f"column {error.colno}"
            )
            return f"{error.msg} ({where})"
        case UnicodeDecodeError():
            return f"not UTF-8 at byte {error.start + 1}"
        case RecursionError():
            return "nested too deeply"
    return str(error)

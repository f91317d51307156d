"""Reads YAML 1.2 into plain data, with the line of every key and value.

Stricter than YAML, so that nothing can be misread: ``NO`` is Norway, ``1:30`` and ``2026-12-24``
are text, ``010`` is text and never eight, a key may stand once only, and tags, merge keys, more
than one document, documents that are huge, too deep or grow by aliases are errors. The text is
never trusted: nothing in it makes an object or runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from baton.agreement.document import Document, Place
from baton.agreement.problems import Path, Problem
from baton.agreement.source.encoding import decoded
from baton.agreement.source.quick_yaml import NotQuick, quick_events

MAX_BYTES = 256 * 1024
MAX_NODES = 50_000
MAX_DEPTH = 40

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


def read_yaml(source: str | bytes) -> Document:
    """Read one document, a text or the bytes of a file. Never raises for what it says: problems are
    returned, all of them where reading can go on."""
    raw = source if isinstance(source, bytes) else source.encode(errors="replace")
    if len(raw) > MAX_BYTES:
        return _unread(Problem(message=f"the file is larger than {MAX_BYTES // 1024} KB"))
    text = decoded(source) if isinstance(source, bytes) else source
    if isinstance(text, Problem):
        return _unread(text)
    return read_quickly(text) or read_strictly(text)


def read_quickly(text: str) -> Document | None:
    """The document, where libyaml is certain to read it alike and nothing is wrong with it."""
    reader = _Reader()
    try:
        for event in quick_events(text):
            reader.take(event)
    except (_Stop, NotQuick):
        return None
    return None if reader.problems else reader.document()


def read_strictly(text: str) -> Document:
    """The document, or what is wrong with it, by the parser of YAML 1.2."""
    reader = _Reader()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(event)
    except _Stop:
        pass
    except MarkedYAMLError as error:
        reader.problems.append(_syntax_problem(error, text))
    except (YAMLError, ValueError) as error:  # an unreadable character has no mark
        reader.problems.append(Problem(message=f"is not YAML: {str(error).splitlines()[0]}"))
    return reader.document()


def _unread(problem: Problem) -> Document:
    return Document(data=None, places={}, problems=(problem,))


class _Stop(Exception):  # not an error: reading has gone as far as it is safe
    pass


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    key: str | None = None
    skipped: bool = False
    nodes: int = 0


@dataclass(slots=True)
class _Reader:
    root: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    _nodes: int = 0
    _documents: int = 0

    def document(self) -> Document:
        return Document(data=self.root, places=self.places, problems=tuple(self.problems))

    def take(self, event: Any) -> None:
        """The next event, of either parser: they name them alike."""
        match type(event).__name__:
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    self._problem(
                        event, "a second document begins here; an agreement is one: remove the ---"
                    )
                    raise _Stop
            case "MappingStartEvent":
                self._begin(event, {})
            case "SequenceStartEvent":
                self._begin(event, [])
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end()
            case "ScalarEvent":
                self._scalar(event)
            case "AliasEvent":
                self._alias(event)

    def _begin(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        self._check_tag(event)
        if self._awaits_key():
            self._problem(event, "a key is a word, not a list or a mapping")
            raise _Stop
        path = self._next_path()
        self._mark(path, event)
        if len(self._open) >= MAX_DEPTH:
            self._problem(event, f"nested more than {MAX_DEPTH} deep")
            raise _Stop
        self._count(1, event)
        self._open.append(_Open(value, path, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.nodes + 1)
        if self._open:
            self._open[-1].nodes += done.nodes + 1
        self._place_value(done.value)

    def _scalar(self, event: Any) -> None:
        self._count(1, event)
        if self._awaits_key():
            self._key(event)
            return
        self._check_tag(event)
        self._mark(self._next_path(), event)
        plain = event.style is None or event.style == ""
        value = plain_value(event.value) if plain else event.value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        if self._open:
            self._open[-1].nodes += 1
        self._place_value(value)

    def _alias(self, event: Any) -> None:
        if self._awaits_key():
            self._problem(event, "a key is a word, not an alias")
            raise _Stop
        if event.anchor not in self._anchors:
            self._problem(
                event,
                f"*{event.anchor} stands for nothing: no &{event.anchor} is complete before it",
            )
            raise _Stop
        value, nodes = self._anchors[event.anchor]
        self._count(nodes, event)
        if self._open:
            self._open[-1].nodes += nodes
        path = self._next_path()
        self._mark(path, event)
        self._place_value(value)

    def _key(self, event: Any) -> None:
        top = self._open[-1]
        assert isinstance(top.value, dict)
        key = event.value
        if key == "<<":
            self._problem(event, "<< merges keys, which is hard to read aloud: write them out")
            raise _Stop
        top.key = key
        top.skipped = key in top.value
        path = (*top.path, key)
        if top.skipped:
            first = self.places[path].line
            self._problem(
                event, f'"{key}" stands here a second time; the first is in line {first}', path
            )
        else:
            self.places[path] = _place_of(event)

    def _awaits_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].value, dict)
            and self._open[-1].key is None
        )

    def _next_path(self) -> Path:
        if not self._open:
            return ()
        top = self._open[-1]
        return (*top.path, len(top.value) if isinstance(top.value, list) else top.key or "")

    def _mark(self, path: Path, event: Any) -> None:
        if not (self._open and isinstance(self._open[-1].value, dict)):
            self.places[path] = _place_of(event)

    def _place_value(self, value: Any) -> None:
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if top.key is not None and not top.skipped:
            top.value[top.key] = value
        top.key = None

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._problem(
                event,
                f"the agreement comes to more than {MAX_NODES} values (aliases are counted each "
                "time)",
            )
            raise _Stop

    def _check_tag(self, event: Any) -> None:
        tag = event.tag
        if tag is not None and str(tag) not in ("!", "None"):
            self._problem(
                event, "tags such as !!str are not used here: write the value plainly, or in quotes"
            )

    def _problem(self, event: Any, message: str, path: Path = ()) -> None:
        place = _place_of(event)
        self.problems.append(
            Problem(message=message, path=path, line=place.line, column=place.column)
        )


def plain_value(text: str) -> Any:
    """A scalar without quotes: a number, true, false, nothing, or else text. ``yes``, ``NO``,
    ``1:30``, ``0o17`` are text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return WrittenNumber(text) if text.endswith("0") else float(text)
    return text


class WrittenNumber(float):
    """A number whose fraction ends in zeros, and how it was written: ``8.000000`` says how exact it
    is meant."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> "WrittenNumber":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _place_of(event: Any) -> Place:
    return Place(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def _syntax_problem(error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    reason = error.problem or error.context or "cannot be read"
    lines = text.splitlines()
    if mark and mark.line < len(lines) and "\t" in lines[mark.line]:
        reason = "a tab stands here; YAML is indented with spaces"
    return Problem(
        message=f"is not YAML: {reason}", line=line, column=mark.column + 1 if mark else 0
    )

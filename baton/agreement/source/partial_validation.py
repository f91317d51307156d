"""What is left of an agreement when the parts with a wrong shape are taken out, so that everything
else can be checked too.

A misspelt key must not hide that a pool three sections further down does not exist. What is found
in the rest is reported only where it cannot come from what was taken out.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from baton.agreement.checks import check_meaning
from baton.agreement.document import Document
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Path, Problem, Severity
from baton.agreement.source.validation_errors import meant_key, path_in

_ROUNDS = 8
_SUMS = frozenset({"fit", "engagement", "definitions"})


def problems_of_the_rest(
    document: Document, validate: Callable[[Any], Agreement]
) -> Iterator[Problem]:
    """Errors of meaning in what is left of ``document``; none where too little is left. Warnings
    too where nothing had to be left out."""
    rest = _Rest(json.loads(json.dumps(document.data)))
    model = rest.pruned_until_valid(validate)
    if model is None:
        return
    moved = Document(data=rest.data, places=_places(rest, document))
    for problem in check_meaning(model, moved):
        if (problem.severity is Severity.ERROR or rest.is_whole) and not rest.may_have_caused(
            problem
        ):
            yield problem


def _places(rest: "_Rest", document: Document) -> dict[Path, Any]:
    """The places of what is left, by its paths of now."""
    places = {}
    for path, original in rest.paths():
        if original in document.places:
            places[path] = document.places[original]
    return places


@dataclass(slots=True)
class _Rest:
    data: Any
    names: set[str] = field(default_factory=set)
    sections: set[str] = field(default_factory=set)
    _numbers: dict[int, list[int]] = field(default_factory=dict)
    _renamed: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether keys were renamed at most."""
        return not self.sections

    def pruned_until_valid(self, validate: Callable[[Any], Agreement]) -> Agreement | None:
        for _ in range(_ROUNDS):
            try:
                return validate(self.data)
            except ValidationError as error:
                found = {
                    (path_in(problem["loc"], self.data)[0], problem["type"])
                    for problem in error.errors(include_url=False)
                }
            unknown = {path for path, kind in found if kind == "extra_forbidden"}
            renamed = {path for path in unknown if self._rename(path)}
            if renamed:
                continue
            paths = {path for path, _ in found}
            if any(len(path) < 2 for path in paths):
                return None
            for path in sorted(
                paths, key=lambda steps: [str(step).zfill(6) for step in steps], reverse=True
            ):
                self._prune(path)
        return None

    def _rename(self, path: Path) -> bool:
        """Give a misspelt key the name that was meant: better than to take it out."""
        holder = self._holder(path)
        meant = meant_key(path, self.data) if path else ""
        if not meant or not isinstance(holder, dict) or meant in holder:
            return False
        self._renamed[id(holder), meant] = str(path[-1])
        holder[meant] = holder.pop(str(path[-1]))
        return True

    def _prune(self, path: Path) -> None:
        holder, last = self._holder(path), path[-1]
        if not _has(holder, last):
            return
        if isinstance(last, str):
            self.names.add(last)
        name = holder[last].get("name") if isinstance(holder[last], dict) else None
        if isinstance(name, str):
            self.names.add(name)
        self.sections.add(str(path[0]))
        if isinstance(holder, list):
            numbers: Any = self._numbers.setdefault(id(holder), list(range(len(holder))))
            del numbers[last]
        del holder[last]

    def _holder(self, path: Path) -> Any:
        """What ``path`` lies in, or None where there is no such thing (any more)."""
        holder: Any = self.data
        for step in path[:-1]:
            if not _has(holder, step):
                return None
            holder = holder[step]
        return holder

    def paths(self) -> Iterator[tuple[Path, Path]]:
        """Every path of now with the path it had in the file."""
        waiting: list[tuple[Path, Path, Any]] = [((), (), self.data)]
        while waiting:
            path, original, value = waiting.pop()
            yield path, original
            if isinstance(value, dict):
                waiting += [
                    (
                        (*path, key),
                        (*original, self._renamed.get((id(value), str(key)), str(key))),
                        inner,
                    )
                    for key, inner in value.items()
                ]
            elif isinstance(value, list):
                numbers = self._numbers.get(id(value), list(range(len(value))))
                waiting += [
                    ((*path, now), (*original, then), number)
                    for (now, number), then in zip(enumerate(value), numbers, strict=True)
                ]

    def may_have_caused(self, problem: Problem) -> bool:
        """Whether ``problem`` may be there only because something was taken out."""
        if any(re.search(rf'["._]{re.escape(name)}\b', problem.message) for name in self.names):
            return True
        return "reach" in problem.message and not _SUMS.isdisjoint(self.sections)


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(step, int) and step < len(holder)
    return isinstance(holder, dict) and step in holder

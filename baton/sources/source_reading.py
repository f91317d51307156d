"""Reads ``sources.yaml``: everything wrong with it at once, each with its line, the reason and the
way out."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from baton.agreement.source.yaml import read_yaml
from baton.sources.consistency import problems_of
from baton.sources.source_model import SourcesModel
from baton.sources.validation_words import problem_of


class SourcesWrong(ValueError):
    """The file cannot be used; the text has one line for each problem."""


def read_sources(path: Path) -> SourcesModel:
    """The sources of a file; raises :class:`SourcesWrong`."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SourcesWrong(f"{path} cannot be read: {error}") from None
    document = read_yaml(text)
    problems = [*document.problems]
    if not problems:
        try:
            model = SourcesModel.model_validate(document.data)
            problems += problems_of(model, document)
            if not problems:
                return _paths_differ(model, path)
        except ValidationError as error:
            problems += [problem_of(found, document) for found in error.errors(include_url=False)]
    raise SourcesWrong("\n".join(problem.described(str(path)) for problem in problems))


def source_files(place: Path) -> list[Path]:
    """The file, or all ``*.yaml`` of the folder."""
    return sorted(place.glob("*.yaml")) if place.is_dir() else [place]


def path_of(name: str, path: str | None) -> str:
    """Where a source sends to."""
    return path or f"/hooks/{name}"


def _paths_differ(model: SourcesModel, file: Path) -> SourcesModel:
    paths = [path_of(name, source.path) for name, source in model.sources.items()]
    for path in paths:
        if paths.count(path) > 1:
            raise SourcesWrong(
                f"{file}: two sources have the path {path}; give one of them another"
            )
    return model

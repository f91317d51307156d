"""Whether each configured source can work: its description, its secrets, the clock that judges its
signatures, and when something of it was last seen. Pure; who asks brings what it takes a network to
know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from baton.sources.model import SourcesModel, secrets_of
from baton.sources.people import PeopleWrong, people_beside
from baton.sources.reading import SourcesWrong, read_sources, source_files

MAX_SKEW_S = 60.0
"""A clock that is wrong by more is soon wrong by what a signature is good for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinding:
    """What was found of a source. ``wrong``: it takes nothing as it is."""

    text: str
    wrong: bool = False
    doubtful: bool = False


def public_urls(place: Path) -> set[str]:
    """The addresses by which senders reach the gateway, of the files that can be read."""
    found = set()
    for file in source_files(place):
        try:
            url = read_sources(file).public_url
        except SourcesWrong:
            continue
        found |= {url} if url else set()
    return found


def diagnose(
    place: Path, environment: Mapping[str, str], last_seen_ms: Mapping[str, int] | None
) -> Iterator[SourceFinding]:
    """The findings of a file of sources, or a folder of them. ``last_seen_ms``: the latest event of
    each source; None where the log cannot be read."""
    for file in source_files(place):
        try:
            model = read_sources(file)
            people = people_beside(file, model.people)
        except (SourcesWrong, PeopleWrong) as error:
            yield SourceFinding(text=str(error), wrong=True)
            continue
        yield from _of_model(model, environment, last_seen_ms)
        if model.people:
            text = f"{file.parent / model.people}: {len(set(people.values()))} people of the book"
            yield SourceFinding(text=text)


def _of_model(
    model: SourcesModel,
    environment: Mapping[str, str],
    last_seen_ms: Mapping[str, int] | None,
) -> Iterator[SourceFinding]:
    for name, source in model.sources.items():
        missing = [variable for variable in secrets_of(source) if not environment.get(variable)]
        if missing:
            text = f"{name}: set {' and '.join(missing)}; a gateway without it does not start"
            yield SourceFinding(text=text, wrong=True)
        else:
            yield _last_seen(name, last_seen_ms)


def _last_seen(name: str, last_seen_ms: Mapping[str, int] | None) -> SourceFinding:
    if last_seen_ms is None:
        return SourceFinding(text=f"{name}: secret set; the log was not read", doubtful=True)
    seen = last_seen_ms.get(name)
    if seen is None:
        text = f"{name}: secret set; nothing of it lately (a day, at most 200,000 records)"
        return SourceFinding(text=text, doubtful=True)
    moment = datetime.fromtimestamp(seen / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return SourceFinding(text=f"{name}: secret set; last event at {moment}")


def clock_finding(skew_s: float, against: str) -> SourceFinding:
    """What a difference between this machine's clock and another's means for signatures."""
    if abs(skew_s) > MAX_SKEW_S:
        way = "ahead of" if skew_s > 0 else "behind"
        text = (
            f"this machine's clock is {abs(skew_s):.0f} s {way} that of {against}; signed requests "
            "are refused as old or early: synchronise it (NTP)"
        )
        return SourceFinding(text=text, wrong=True)
    return SourceFinding(text=f"the clock agrees with that of {against} within {MAX_SKEW_S:.0f} s")

"""Whether each configured source can work: its description, its secrets, the clock that judges its
signatures, its last event and its latest dead letter. Pure; who asks brings what it takes a network
to know. It repeats no content of an event: reasons of dead letters name fields and not values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from baton.sources.people import PeopleWrong, people_beside
from baton.sources.source_model import SourcesModel, secrets_of
from baton.sources.source_reading import SourcesWrong, read_sources, source_files

MAX_SKEW_S = 60.0
"""A clock that is wrong by more is soon wrong by what a signature is good for."""

MAX_EVENTS = 200_000
MAX_DEAD_LETTERS = 20_000
"""How many of the latest records of the log are looked at for the sources."""

FAILING_MS = 60_000
"""A dead letter that is newer than the last event by more means that nothing is taken since then.
Those of one request are appended in any order."""

_MAX_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinding:
    """What was found of a source. ``wrong``: it takes nothing as it is."""

    text: str
    wrong: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestDeadLetter:
    """The latest record of a source that was not taken: its place in the log, and why."""

    at_ms: int
    place: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActivity:
    """What the log has of the sources lately, by name."""

    last_event_ms: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, LatestDeadLetter] = field(default_factory=dict)


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
    place: Path, environment: Mapping[str, str], activity: SourceActivity | None
) -> Iterator[SourceFinding]:
    """The findings of a file of sources, or a folder of them. ``activity`` is None where the log
    cannot be read."""
    for file in source_files(place):
        try:
            model = read_sources(file)
            people = people_beside(file, model.people)
        except (SourcesWrong, PeopleWrong) as error:
            yield SourceFinding(text=str(error), wrong=True)
            continue
        yield from _of_model(model, environment, activity)
        if model.people:
            text = f"{file.parent / model.people}: {len(set(people.values()))} people of the book"
            yield SourceFinding(text=text)


def _of_model(
    model: SourcesModel,
    environment: Mapping[str, str],
    activity: SourceActivity | None,
) -> Iterator[SourceFinding]:
    for name, source in model.sources.items():
        missing = [variable for variable in secrets_of(source) if not environment.get(variable)]
        if missing:
            text = f"{name}: set {' and '.join(missing)}; a gateway without it does not start"
            yield SourceFinding(text=text, wrong=True)
        else:
            yield _activity_of(name, activity)


def _activity_of(name: str, activity: SourceActivity | None) -> SourceFinding:
    if activity is None:
        return SourceFinding(text=f"{name}: secret set; the log was not read", doubtful=True)
    seen, letter = activity.last_event_ms.get(name), activity.dead_letters.get(name)
    text = (
        f"{name}: secret set; no event of it lately (a day, at most {MAX_EVENTS:,} records)"
        if seen is None
        else f"{name}: secret set; last event at {_written(seen)}"
    )
    if letter is not None:
        text = f"{text}; {_described(letter)}"
    failing = letter is not None and seen is not None and letter.at_ms > seen + FAILING_MS
    return SourceFinding(text=text, doubtful=seen is None or failing)


def _described(letter: LatestDeadLetter) -> str:
    reason = letter.reason[:_MAX_REASON_CHARACTERS]
    return (
        f"latest dead letter at {_written(letter.at_ms)}, {letter.code}: {reason} "
        f"(baton dlq show {letter.place})"
    )


def _written(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


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

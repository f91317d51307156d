"""A simulated company for the tests of screens: leads, acts and an absence under the first
agreement, with the whole log kept."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS
from baton.screens.live import ReducerStates
from baton.simulation.input_lines import Arrival
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation

FIRST = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "first.yaml"
START_MS = 1_772_449_200_000  # 2026-03-02T11:00Z, a Monday
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PROFILE = {"country": "DE", "employees": 300, "role": "VP"}
_SALES = "      ae-greta: {capacity: 400}\n      ae-hugo: {capacity: 400}"
SMALL = {_SALES: "      ae-greta: {capacity: 2, weight: 2}\n      ae-hugo: {capacity: 1}"}
"""The sales pool has room for three."""


def demo(number: int, at_ms: int, **more: Any) -> Arrival:
    """Somebody asks for a demonstration."""
    return line(
        at_ms,
        id=f"demo-{number}",
        kind="engagement",
        identifiers={"email": f"p{number}@firm{number}.example"},
        engagement={"act": "demo_request"},
        profile=PROFILE,
        person={"phone": "+49 30 1234567"},
        **more,
    )


def line(at_ms: int, **body: Any) -> Arrival:
    """An event line that arrives then."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    whole = {"source": "web", "occurred_at": at, **body}
    return Arrival(at_ms=at_ms, line=json.dumps(whole).encode())


class Company:
    """A simulation that has run, and its states. ``text``: changes of the agreement's text."""

    def __init__(self, changes: Mapping[str, str] | None = None) -> None:
        self.reference = reference_with(changes or {})
        self.simulation = Simulation(
            text=canonical_text(self.reference.agreement.raw),
            version=self.reference.version,
            start_ms=START_MS,
            keep=True,
        )

    @property
    def now_ms(self) -> int:
        """The log's time."""
        return self.simulation.host.log.now

    def run(self, arrivals: Sequence[Arrival], until_ms: int | None = None) -> Company:
        """Let these come in, and time go on."""
        for _ in self.simulation.run(arrivals, until_ms):
            pass
        return self

    def values(self, topic: str) -> list[Any]:
        """Every record of a topic, decoded."""
        spec = TOPICS[topic].record
        assert spec is not None
        log = self.simulation.host.log
        return [
            codec_for(spec).decode(stored.value)
            for number in range(log.partitions_of(topic))
            for stored in log.records(topic, number)
            if stored.value is not None
        ]

    def records(self, topics: Iterable[str]) -> list[Any]:
        """The records of these topics in the order of the log, as a cluster's reader gives them."""
        wanted = set(topics)
        history = self.simulation.host.log.history
        return [as_record(stored) for stored in history if stored.topic in wanted]

    def states(self, reducer: str, keys: Sequence[str] | None = None) -> ReducerStates:
        """As a cluster's changelogs give them."""
        del keys
        found = ReducerStates(reducer)
        found.restore(self.changelog(reducer))
        return found

    def changelog(self, reducer: str) -> list[tuple[bytes, bytes | None]]:
        """The records of a reducer's changelog."""
        topic = ReducerStates(reducer).topic
        log = self.simulation.host.log
        return [
            (stored.key, stored.value)
            for number in range(log.partitions)
            for stored in log.records(topic, number)
            if stored.key is not None
        ]


def reference_with(changes: Mapping[str, str]) -> AgreementReference:
    """The first agreement with words replaced."""
    text = FIRST.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agreement.yaml"
        path.write_text(text, encoding="utf-8")
        return reference_of(compiled_of(read_agreement(path)))

"""A simulation that remembers values computes what one without memory does: the same bytes, and
every remembered value is equal to what its bytes say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.local.up.preparing import example_agreement
from baton.simulation import simulation as module
from baton.simulation.input_lines import Arrival
from baton.simulation.memo_codec import REMEMBERED, MemoCodec, memo_codecs

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
ACTS = ("page_view", "download", "webinar", "demo_request", "email_click")


def arrivals() -> list[Arrival]:
    """Forty leads of several companies, with profiles, and acts by people."""
    found = []
    for number in range(160):
        at = START + timedelta(minutes=7 * number)
        body: dict[str, Any] = {
            "id": f"e{number}",
            "source": "web",
            "kind": "engagement",
            "occurred_at": at.isoformat(),
            "identifiers": {"email": f"p{number % 40}@firm{number % 9}.example"},
            "engagement": {"act": ACTS[number % 5 if number % 40 else 3]},
            "profile": {"country": "DE", "employees": 50 * (number % 40), "role": "VP"},
        }
        found.append(Arrival(at_ms=int(at.timestamp() * 1000), line=json.dumps(body).encode()))
    return found


def bytes_of(codecs: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The whole log of a run."""
    agreement = compiled_of(read_agreement(example_agreement()))
    monkeypatch.setattr(module, "memo_codecs", lambda **_: codecs)
    events = arrivals()
    simulation = module.Simulation(
        text=canonical_text(agreement.raw), version=agreement.version, start_ms=events[0].at_ms
    )
    for _ in simulation.run(events, events[-1].at_ms + 7 * 86_400_000):
        pass
    return [(r.topic, r.key, r.value, r.timestamp) for r in simulation.host.log.history]


class Checked(MemoCodec):
    """Fails where a remembered value and its bytes disagree."""

    def __init__(self, record_type: type) -> None:
        super().__init__(record_type)
        self.plain = codec_for(record_type)
        self.checked = 0

    def decode(self, data: bytes, at: int = 0) -> Any:
        found = super().decode(data, at)
        assert found == self.plain.decode(data, at)
        self.checked += 1
        return found


def test_what_is_remembered_is_what_the_bytes_say_and_the_log_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[type, Checked] = {}
    plain = bytes_of(codec_for, monkeypatch)
    remembered = bytes_of(lambda kind: made.setdefault(kind, Checked(kind)), monkeypatch)
    assert remembered == plain
    assert len(plain) > 2_000
    assert sum(codec.checked for codec in made.values()) > 2_000


def test_a_codec_remembers_a_bounded_number_of_values() -> None:
    from baton.contracts.reference_records import PeopleRecord

    codec = memo_codecs()(PeopleRecord)
    for number in range(REMEMBERED + 50):
        codec.encode(PeopleRecord(record_id=str(number), person="x", from_ms=0, until_ms=1))
    assert len(codec._known) == REMEMBERED

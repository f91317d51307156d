"""What is sent through the whole chain: event lines of a crowd, and a list of people. The same
seed, the same lines; only the moments are of now."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.sample import EXAMPLES

_ACTS: Sequence[tuple[str, int]] = (
    ("page_view", 48),
    ("email_click", 20),
    ("download", 14),
    ("pricing_view", 9),
    ("webinar", 5),
    ("form", 3),
    ("demo_request", 1),
)
_ROLES = ("Head of IT", "Manager", "CTO", "Specialist", "Student", "VP Operations")
_COUNTRIES = ("DE", "GB", "NO", "US", "FR", "CH")
_INDUSTRIES = ("manufacturing", "logistics", "retail", "media")
_HOURS = 'hours: {mon-sun: "00:00-24:00"}'
_A_PROFILE_IN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """``events`` events of ``people`` people in ``companies`` companies; one event in ten is a
    profile."""

    events: int
    people: int
    companies: int

    def lines(self, prefix: str, bodies_of: int, now: datetime | None = None) -> Iterator[bytes]:
        """Bodies of so many event lines each, one a line, in the order of their moments, which end
        at ``now``."""
        draw = random.Random(prefix)
        now = now or datetime.now(UTC)
        body: list[str] = []
        for number in range(self.events):
            # within the last hour, so that nothing is too old for a fast track
            at = now - timedelta(seconds=3_600 * (1 - number / self.events))
            body.append(json.dumps(self._line(f"{prefix}-{number}", at, draw)))
            if len(body) == bodies_of:
                yield "\n".join(body).encode()
                body.clear()
        if body:
            yield "\n".join(body).encode()

    def _line(self, own_id: str, at: datetime, draw: random.Random) -> dict[str, object]:
        person = draw.randrange(self.people)
        company = person % self.companies
        line: dict[str, object] = {
            "id": own_id,
            "source": "bench",
            "occurred_at": at.isoformat(timespec="milliseconds"),
            "identifiers": {"email": f"p{person}@firm{company}.example"},
        }
        if draw.randrange(_A_PROFILE_IN) == 0:
            return {**line, "kind": "profile", "profile": _profile(person, company)}
        (act,) = draw.choices([act for act, _ in _ACTS], [weight for _, weight in _ACTS])
        engagement = {"act": act, "campaign": f"campaign-{draw.randrange(7)}"}
        return {**line, "kind": "engagement", "engagement": engagement}


def _profile(person: int, company: int) -> dict[str, str]:
    return {
        "country": _COUNTRIES[company % len(_COUNTRIES)],
        "employees": str(20 + company * 7 % 2_000),
        "industry": _INDUSTRIES[company % len(_INDUSTRIES)],
        "role": _ROLES[person % len(_ROLES)],
    }


def write_list(file: Path, rows: int) -> None:
    """A CSV of people as a CRM exports them."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["Email", "First Name", "Last Name", "Phone Number", "Company Name"])
        for number in range(rows):
            company = number % max(1, rows // 4)
            writer.writerow(
                [
                    f"q{number}@house{company}.example",
                    f"First{number}",
                    f"Last{number}",
                    f"+4930{1_000_000 + number}",
                    f"House {company}",
                ]
            )


def agreement() -> str:
    """``software.yaml`` with every calendar open around the clock and room for all: what is
    measured must not depend on the hour, nor on how many leads went before."""
    lines = (EXAMPLES / "software.yaml").read_text(encoding="utf-8").splitlines()
    return "\n".join(_open(line) for line in lines) + "\n"


def _open(line: str) -> str:
    text = line.lstrip()
    if text.startswith("hours: {"):
        return line[: len(line) - len(text)] + _HOURS
    if text.startswith(("holidays: [", "closed: [2")):
        return ""
    return _roomy(line)


def _roomy(line: str) -> str:
    for name in ("capacity", "offers"):
        before, found, after = line.partition(f"{name}: ")
        if found and after[:1].isdigit():
            digits = len(after) - len(after.lstrip("0123456789"))
            line = f"{before}{found}100000{after[digits:]}"
    return line

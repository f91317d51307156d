"""A board in this process for the tests of its pages: a store, a clock that stands still, and a
publisher that keeps what it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from baton.contracts.meetings import MeetingDecision
from baton.contracts.reference_records import PeopleRecord
from services.insights.board.access import Access, new_link
from services.insights.board.publishing import NotSent
from services.insights.board.site import Parts, Site
from services.insights.projection.dialect import StorePlace
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.settings import BoardSettings

HOST = "http://127.0.0.1:8090"


@dataclass
class Kept:
    """Keeps what is sent; refuses while ``broken``."""

    lines: list[Mapping[str, Any]] = field(default_factory=list)
    absences: list[PeopleRecord] = field(default_factory=list)
    decisions: list[MeetingDecision] = field(default_factory=list)
    broken: bool = False

    def send_decision(self, record: MeetingDecision) -> None:
        self.decisions.append(record)

    def send_line(self, line: Mapping[str, Any], key: str) -> None:
        if self.broken:
            raise NotSent("no answer in time")
        self.lines.append(line)

    def send_absence(self, record: PeopleRecord) -> None:
        self.absences.append(record)


@dataclass
class OneStore:
    """The stores of a board that has just this one."""

    folder: Path
    place: StorePlace | None
    rebuild_wanted: bool = False

    def current(self) -> StorePlace | None:
        return self.place


@dataclass
class Board:
    """One board and its parts."""

    files: OneStore
    parts: Parts
    kept: Kept
    standing: Standing

    @property
    def app(self) -> Any:
        return Site(self.parts).app()

    def visitor(
        self, person: str | None = None, *, client: tuple[str, int] = ("127.0.0.1", 50_000)
    ) -> TestClient:
        """A browser that came in by a link."""
        found = TestClient(self.app, base_url=HOST, client=client, follow_redirects=False)
        answer = found.get("/enter", params={"token": new_link(self.files.folder, person)})
        assert answer.status_code == 303
        return found


def board_with(store: StorePlace | None, folder: Path, now_ms: int, **settings: Any) -> Board:
    """A board of its own folder on a store that others use too."""
    folder.mkdir(parents=True, exist_ok=True)
    files = OneStore(folder, store)
    own = BoardSettings(**settings)
    kept = Kept()
    board = Board(
        files=files,
        parts=None,
        kept=kept,
        standing=Standing(state=ProjectorState.LIVE, asked_ms=now_ms),
    )  # type: ignore[arg-type]
    board.parts = Parts(
        settings=own,
        files=files,  # type: ignore[arg-type]  # nothing else of it is asked for
        access=Access(own, folder),
        publisher=kept,
        standing=lambda: board.standing,
        now_ms=lambda: now_ms,
    )
    return board

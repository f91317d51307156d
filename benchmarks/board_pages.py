"""How long the board's pages take over many leads: the demonstration's year, copied until it has so
many, and every page asked for in this process.

    python -m benchmarks.board_pages --leads 100000

Copies are made of rows, with ids of their own; dates are those of the year. Only the pages are
measured, not the reading of topics.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
from starlette.testclient import TestClient

from baton.local.demo.past import simulate_past
from baton.local.up.preparing import example_agreement
from services.insights.board.access import Access, new_link
from services.insights.board.pages import PAGES
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.site import Parts, Site
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import reader
from services.insights.projection.files import BoardFiles
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.seeding import seed
from services.insights.settings import BoardSettings

UNTIL_MS = int(datetime(2026, 11, 30, 8, 40, tzinfo=UTC).timestamp() * 1000)
_ONCE = {"reference", "goal", "decision", "campaign_cost", "dead_letter", "person"}
_OWN = {
    *("lead_id", "event_id", "fact_id", "qualification_id", "handoff_id", "clock_id"),
    *("violation_id", "action_id", "recycle_id", "cause_id", "opportunity_id", "journey"),
    *("conversion_id", "survivor", "loser", "amendment_id", "account_id"),
}
_ROUNDS = 12


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = BoardFiles(Path(folder))
        _make(files, asked.leads)
        _measure(files)


def _make(files: BoardFiles, leads: int) -> None:
    agreement = example_agreement().with_name("demo.yaml").read_text()
    past = simulate_past(agreement, until_ms=UNTIL_MS, leads=60, seed=1)
    seed(files, "baton", past.history, past.noted, until_ms=UNTIL_MS)
    db = apsw.Connection(str(files.current()))
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-400000"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    (there,) = db.execute("SELECT count(*) FROM lead WHERE survivor IS NULL").fetchall()[0]
    copies = leads // there
    db.execute("CREATE TEMP TABLE number (n INTEGER PRIMARY KEY)")
    db.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(1, copies)])
    for name, table in TABLES.items():
        if name not in _ONCE:
            values = ", ".join(
                f"t.{column} || '-' || n" if column in _OWN else f"t.{column}"
                for column in table.names
            )
            db.execute(f"INSERT INTO {name} SELECT {values} FROM {name} t, number ORDER BY n")
    db.execute("ANALYZE")
    db.execute("PRAGMA journal_mode=wal").fetchall()
    db.close()


def _measure(files: BoardFiles) -> None:
    place = files.current()
    assert place is not None
    db = reader(place)
    counts = {
        name: db.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        for name in ("lead", "touch", "act", "clock", "fact", "credit")
    }
    print(f"{counts}, {place.stat().st_size / 1e6:.0f} MB")
    (lead,) = db.execute("SELECT lead_id FROM act LIMIT 1").fetchall()[0]
    visitor = _visitor(files)
    for name, path in (*((page.title, page.path) for page in PAGES), ("Lead", f"/leads/{lead}")):
        times = []
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            assert visitor.get(path).status_code == 200
            times.append(time.perf_counter() - began)
        times.sort()
        median, high = times[_ROUNDS // 2], times[-1]
        print(f"{name:12} median {median * 1000:6.0f} ms, highest of {_ROUNDS} {high * 1000:6.0f}")


def _visitor(files: BoardFiles) -> Any:
    own = BoardSettings()
    standing = Standing(state=ProjectorState.LIVE, asked_ms=UNTIL_MS)
    parts = Parts(
        settings=own,
        files=files,
        access=Access(own, files.folder),
        publisher=KafkaPublisher({}, "baton"),
        standing=lambda: standing,
        now_ms=lambda: UNTIL_MS,
    )
    found = TestClient(Site(parts).app(), base_url="http://127.0.0.1:8090")
    found.get("/enter", params={"token": new_link(files.folder, "mgr-ines")})
    return found


if __name__ == "__main__":
    main()

"""How long the board's pages take over many leads: the demonstration's year, copied until it has so
many, and every page asked for in this process.

    python -m benchmarks.board_pages --leads 1000000 --folder /tmp/pages

Copies are made of rows, with ids of their own and moments up to six days earlier, in the order of
their keys; indexes are made afterwards. The counts are those of the sample, moved by the same days
and multiplied. The records of leads (table ``fact``) are copied once: only the page of one lead
reads them, by its id. Nothing is kept for later viewers, so each figure is that of a first view.
Only the pages are measured, not the reading of topics. The CPU time stands beside:
on a machine with other work the elapsed time says little. A store that is in the
folder already is used as it is.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
from starlette.testclient import TestClient

from baton.local.demo.past import simulate_past
from baton.local.up.preparing import example_agreement
from services.insights.board.access import Access, new_link
from services.insights.board.kept import KeptReports
from services.insights.board.pages import PAGES
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.site import Parts, Site
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.facts.tables import TABLES
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import SQLITE, reader, writer
from services.insights.projection.kept_counts import recount, write_sums
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.projection.reference_state import zone_of
from services.insights.projection.store_sql import ddl
from services.insights.seeding import seed
from services.insights.settings import BoardSettings

UNTIL_MS = int(datetime(2026, 11, 30, 8, 40, tzinfo=UTC).timestamp() * 1000)
_ONCE = {"reference", "goal", "decision", "campaign_cost", "dead_letter", "person", "fact"}
_OWN = {
    *("lead_id", "event_id", "fact_id", "qualification_id", "handoff_id", "clock_id"),
    *("violation_id", "action_id", "recycle_id", "cause_id", "opportunity_id", "journey"),
    *("conversion_id", "survivor", "loser", "amendment_id", "account_id", "digest_id"),
    *("root", "deal", "ended_by"),
}
_DAY_MS = 86_400_000
_DAYS = 6
_JITTER_MS = 50_000
_SAMPLE = 60
_YEAR = {"from": "2025-12-01"}
_FILTERED = {"segment": "mid_market"}


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000, help="rows of the table lead")
    parser.add_argument("--sample", type=int, default=_SAMPLE, help="leads that are simulated")
    parser.add_argument("--folder", type=Path, help="keep the store here, or use the one there")
    parser.add_argument("--rounds", type=int, default=20, help="requests of a view")
    asked = parser.parse_args()
    with _folder(asked.folder) as folder:
        files = BoardFiles(folder)
        if files.current() is None:
            _make(files, asked.leads, asked.sample)
        _measure(files, asked.rounds)


@contextlib.contextmanager
def _folder(asked: Path | None) -> Iterator[Path]:
    if asked is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _make(files: BoardFiles, leads: int, sample: int) -> None:
    agreement = example_agreement().with_name("demo.yaml").read_text()
    past = simulate_past(agreement, until_ms=UNTIL_MS, leads=sample, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        small = BoardFiles(Path(folder))
        seed(small, "baton", past.history, past.noted, until_ms=UNTIL_MS)
        source = small.current()
        assert source is not None
        files.prepare()
        target = files.following()
        db = apsw.Connection(str(target))
        for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-400000"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        statements = list(ddl(SQLITE))
        indexes = [text for text in statements if text.startswith("CREATE INDEX")]
        for statement in statements:
            if statement not in indexes:
                db.execute(statement)
        db.execute("ATTACH ? AS sample", (str(source),))
        _copy_rows(db, leads)
        db.execute("DETACH sample")
        _copy_counts(db, source)
        for number, statement in enumerate(indexes, 1):
            _progress(f"index {number} of {len(indexes)}")
            db.execute(statement)
        db.execute("ANALYZE")
        db.execute("PRAGMA journal_mode=wal").fetchall()
        db.close()
        files.use(target)


def _progress(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _copy_rows(db: Any, leads: int) -> None:
    """Every row once for each copy. The sample's ids come first, then those with a copy's number:
    in the order of the key, so that a table only grows at its end."""
    (there,) = db.execute("SELECT count(*) FROM sample.lead").fetchall()[0]
    db.execute("CREATE TEMP TABLE copy (ending TEXT PRIMARY KEY, shift INTEGER) WITHOUT ROWID")
    db.executemany(
        "INSERT INTO copy VALUES (?, ?)",
        [
            (f"-{n:07}" if n else "", n % (_DAYS + 1) * _DAY_MS + n * 7_919 % _JITTER_MS)
            for n in range(max(1, leads // there))
        ],
    )
    for name in ("meta", "position", *_ONCE):
        db.execute(f"INSERT INTO {name} SELECT * FROM sample.{name}")
    for name, table in TABLES.items():
        if name not in _ONCE and not table.sums:
            first = table.key[0]
            values = ", ".join(_copied(column) for column in table.names)
            db.execute(
                f"INSERT INTO {name} SELECT {values} FROM (SELECT DISTINCT {first} one "
                f"FROM sample.{name} ORDER BY 1) CROSS JOIN copy "
                f"CROSS JOIN sample.{name} t ON t.{first} = one"
            )
            (rows,) = db.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
            _progress(f"{name}: {rows:,} rows")


def _copy_counts(db: Any, source: Path) -> None:
    """What the sample's counts come to when its moments are moved by so many days, as often as
    there are copies that are. The sample is left moved."""
    sample, zone = writer(source), zone_of(source)
    for days in range(_DAYS + 1):
        _progress(f"counts of copies {days} days earlier")
        copies = db.execute("SELECT count(*) FROM copy WHERE shift / ? = ?", (_DAY_MS, days))
        (number,) = copies.fetchall()[0]
        if days:
            _move(sample)
        recount(sample, zone)
        sums = {}
        for table in ROLLUPS:
            width = len(table.key)
            highest = {table.names.index(name) - width for name in table.highest}
            for row in sample.execute(f"SELECT * FROM {table.name}"):
                sums[table.name, row[:width]] = [
                    value if place in highest else value * number
                    for place, value in enumerate(row[width:])
                ]
        write_sums(db, sums)
    sample.close()


def _move(sample: Any) -> None:
    """Everything a day earlier."""
    for name, table in TABLES.items():
        moments = [column for column in table.names if _is_moment(column)]
        if moments and not table.sums:
            values = ", ".join(f"{column} = {column} - {_DAY_MS}" for column in moments)
            sample.execute(f"UPDATE {name} SET {values}")


def _is_moment(column: str) -> bool:
    return column.endswith("_ms") and not column.startswith("spent_")


def _copied(column: str) -> str:
    if column in _OWN:
        return f"t.{column} || ending"
    if _is_moment(column):
        return f"t.{column} - shift"
    return f"t.{column}"


def _measure(files: BoardFiles, rounds: int) -> None:
    place = files.current()
    assert place is not None
    db = reader(place)
    counts = {
        name: db.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        for name in ("lead", "touch", "act", "stage_move", "clock", "credit")
    }
    print(f"{counts}, {place.stat().st_size / 1e6:.0f} MB")
    (lead,) = db.execute("SELECT lead_id FROM act LIMIT 1").fetchall()[0]
    visitor = _visitor(files)
    views: list[tuple[str, str, dict[str, str]]] = [("Lead", f"/leads/{lead}", {})]
    views += [(page.title, page.path, {}) for page in PAGES]
    views += [
        (f"{page.title}, a year", page.path, _YEAR) for page in PAGES if "from" in page.filters
    ]
    views += [
        (f"{page.title}, a segment", page.path, _FILTERED)
        for page in PAGES
        if "segment" in page.filters
    ]
    for title, path, query in views:
        times, cpu = [], []
        for _ in range(rounds):
            began, worked = time.perf_counter(), time.process_time()
            assert visitor.get(path, params=query).status_code == 200
            times.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
        times.sort()
        cpu.sort()
        middle, high = times[rounds // 2], times[round(rounds * 0.95) - 1]
        busy = f"CPU p50 {cpu[rounds // 2]:6.0f} p95 {cpu[round(rounds * 0.95) - 1]:6.0f} ms"
        print(f"{title:22} p50 {middle:6.0f} p95 {high:6.0f} ms  {busy}", flush=True)


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
    site = Site(parts, kept=KeptReports(quick_s=float("inf")))
    found = TestClient(site.app(), base_url="http://127.0.0.1:8090")
    found.get("/enter", params={"token": new_link(files.folder, "mgr-ines")})
    return found


if __name__ == "__main__":
    main()

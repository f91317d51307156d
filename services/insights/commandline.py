"""What the command line does with the board: links, rebuilds, copies, exports. Found by
:mod:`baton.flow`."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from baton.clients import confluent_producer_options
from baton.settings import Settings
from services.insights import exporting
from services.insights.board.access import new_link
from services.insights.board.board_server import board_stores
from services.insights.board.publishing import KafkaPublisher
from services.insights.costs import records_of
from services.insights.departures import note_departure
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.packs.figures import Pack, differences, make_pack
from services.insights.packs.mailing import NotMailed
from services.insights.packs.pack_store import packs_of
from services.insights.packs.weekly import context_at, frozen, mailer_of
from services.insights.packs.writing import FORMS, shown
from services.insights.projection.board_stores import BoardStores
from services.insights.projection.dialect import StorePlace, copy_of, reader
from services.insights.seeding import seed
from services.insights.settings import BoardSettings
from services.insights.trials.kept_trials import Trial, Trials, TrialTable


class NoBoard(RuntimeError):
    """There is no board here yet; the text says how to have one."""


def files_of(settings: Settings) -> BoardStores:
    """The stores of a namespace's board."""
    return board_stores(settings, BoardSettings())


def entrance(settings: Settings, person: str | None, address: str | None) -> str:
    """A one-time link into the board at ``address`` (None: where the settings say)."""
    own = BoardSettings()
    return f"{address or f'http://{own.host}:{own.port}'}/enter?token={new_link(files_of(settings).folder, person)}"


def want_rebuild(settings: Settings) -> None:
    """Ask for a rebuild."""
    files_of(settings).want_rebuild()


def backup(settings: Settings, path: Path) -> None:
    """Write a copy that only its owner can read; raises NoBoard, and FileExistsError where there is
    something already."""
    current = _current(settings)
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    note_departure(files_of(settings).folder, "backup", path.name)
    former = os.umask(0o077)
    try:
        copy_of(current, path)
    finally:
        os.umask(former)


def seed_board(
    settings: Settings, history: Iterable[Any], noted: Iterable[tuple[str, Any]], until_ms: int
) -> None:
    """Make a new board with a simulated past; for demonstrations."""
    seed(files_of(settings), settings.namespace, history, noted, until_ms=until_ms)


def board_sums(settings: Settings, since_ms: int) -> dict[str, Any]:
    """What the board has counted since a moment, as the summary of a demonstration counts the
    log. Raises NoBoard."""
    with contextlib.closing(reader(_current(settings))) as db:

        def counted(statement: str) -> Any:
            return db.execute(statement, {"since": since_ms}).fetchall()

        return {
            "qualified": counted(
                "SELECT count(*) FROM qualification WHERE qualified_at_ms >= :since"
            )[0][0],
            "dead": counted("SELECT count(*) FROM dead_letter WHERE log_ms >= :since")[0][0],
            "routed": dict(
                counted(
                    "SELECT pool, count(*) FROM handoff WHERE routed_at_ms >= :since GROUP BY 1"
                )
            ),
            "recycled": dict(
                counted("SELECT reason, count(*) FROM recycled WHERE log_ms >= :since GROUP BY 1")
            ),
            "violated": dict(
                counted(
                    "SELECT clock, count(*) FROM violation WHERE kind = 'breach' "
                    "AND log_ms >= :since GROUP BY 1"
                )
            ),
        }


def report_costs(settings: Settings, path: Path) -> int:
    """Publish the costs of campaigns in a CSV file; gives how many. Raises WrongCosts, NotSent."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = records_of(file)
    publisher = KafkaPublisher(confluent_producer_options(settings), settings.namespace)
    for record in records:
        publisher.send_cost(record)
    return len(records)


def weekly_pack(settings: Settings, week: str | None) -> Pack:
    """The frozen pack of a week (None: the last), made now if it was not before. Raises NoBoard,
    WrongWeek."""
    packs = packs_of(files_of(settings))
    return frozen(_current(settings), packs, int(time.time() * 1000), week)


def restated(settings: Settings, pack: Pack) -> list[str]:
    """What the same week would say by what is known now, in words, a line for each difference."""
    with contextlib.closing(reader(_current(settings))) as db:
        now = make_pack(context_at(db, int(time.time() * 1000)), pack.week)
    return [
        f"{(before or after).section}, {(before or after).name}: "  # type: ignore[union-attr]
        f"{shown(before) if before else 'not there'}, now {shown(after) if after else 'not there'}"
        for before, after in differences(pack, now)
    ]


def keep_trial(settings: Settings, plain: Mapping[str, Any]) -> str:
    """Put a trial of an agreement on the board; gives the path of its page."""
    tables = [TrialTable(**table) for table in plain["tables"]]
    trial = Trial(**{**plain, "tables": tables})
    files = files_of(settings)
    files.prepare()
    Trials(files.folder).keep(trial)
    return f"/trials/{trial.name}"


def written(pack: Pack, form: str) -> str:
    """The pack as ``txt``, ``html`` or ``csv``."""
    return FORMS[form](pack)


def mail_pack(settings: Settings, pack: Pack, *, again: bool) -> list[str]:
    """Mail it to those who have not got it (``again``: to all). Raises NotMailed."""
    mailer = mailer_of(BoardSettings(), packs_of(files_of(settings)))
    if mailer is None or not mailer.recipients:
        raise NotMailed("set BATON_BOARD_SMTP_URL and BATON_BOARD_MAIL_TO")
    return mailer.mail(pack, again=again)


def export_csv(settings: Settings, name: str, since_ms: int | None, out: object) -> int:
    """Write a table to a text stream; gives the number of rows. Raises NoBoard, NotExportable."""
    table, current = exporting.table_named(name), _current(settings)
    note_departure(files_of(settings).folder, "export", name, since_ms)
    return exporting.write_csv(exporting.rows_of(current, table, since_ms), table, out)  # type: ignore[arg-type]


def export_parquet(settings: Settings, name: str, since_ms: int | None, path: Path) -> int:
    """Write a table to a file; gives the number of rows. Raises NoBoard, NotExportable,
    ModuleNotFoundError without pyarrow."""
    table, current = exporting.table_named(name), _current(settings)
    note_departure(files_of(settings).folder, "export", name, since_ms)
    return exporting.write_parquet(exporting.rows_of(current, table, since_ms), table, path)


def exportable() -> list[Table]:
    """The tables that may leave."""
    return [TABLES[name] for name in exporting.EXPORTABLE]


def _current(settings: Settings) -> StorePlace:
    current = files_of(settings).current()
    if current is None:
        raise NoBoard("there is no board here yet; start one with: baton up")
    return current

"""The weekly pack: frozen once, recomputable, without names, and mailed once to each."""

from __future__ import annotations

import csv
import io
import os
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from pathlib import Path

import pytest

from baton.contracts.public_record import PublicRecord
from services.insights.packs.figures import (
    OF_THE_MOMENT,
    Figure,
    Pack,
    WrongWeek,
    differences,
    last_week,
    make_pack,
)
from services.insights.packs.mailing import Mailer, NotMailed
from services.insights.packs.pack_store import PackFiles, Packs, packs_of
from services.insights.packs.weekly import WeeklyPacks, context_at, frozen
from services.insights.packs.writing import as_csv, as_html, as_text, csv_file
from services.insights.projection.board_stores import BoardSchemas
from services.insights.projection.dialect import StorePlace, reader, writer
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.reports.clocks import side_by_side, weeks_before
from services.insights.settings import BoardSettings
from tests.services.insights.boards import OneStore, board_with
from tests.services.insights.stores import fill

Company = tuple[tuple[PublicRecord, ...], int]
_NUMBERS = count(1)
LIVE = Standing(state=ProjectorState.LIVE)
HOSTILE = "=cmd|'/c calc'!A1 <script>alert(1)</script> \u202egnp"


@pytest.fixture(params=["files", pytest.param("postgres", marks=pytest.mark.postgres)])
def packs(request: pytest.FixtureRequest, tmp_path: Path) -> Packs:
    if request.param == "files":
        return PackFiles(tmp_path)
    namespace = f"packs-{os.getpid()}-{next(_NUMBERS)}"
    return packs_of(BoardSchemas(request.getfixturevalue("postgres"), namespace, tmp_path))


@pytest.fixture
def pack(store_file: Path, company: Company) -> Pack:
    context = context_at(reader(store_file), company[1])
    return make_pack(context, "2026-W30")


def test_a_packs_figures_are_those_of_the_page_of_that_week(
    store: StorePlace, company: Company
) -> None:
    context = context_at(reader(store), company[1])
    start, end = weeks_before(context, 1)[0]
    week = context.day_of(start).isocalendar()
    made = make_pack(context, f"{week.year}-W{week.week:02d}")
    by_name = {(figure.section, figure.name): figure for figure in made.figures}
    for side, found in side_by_side(context, start, end).items():
        figure = by_name["Promises kept", side.replace("_", " ")]
        assert figure.note == f"{found.met} of {found.due}"
        assert figure.value == (
            None if found.share.rate is None else round(found.share.rate * 1_000_000)
        )
    assert {figure.section for figure in made.figures} >= {"Goals", "Handed over", "Speed to lead"}


def test_the_same_week_by_the_same_facts_is_the_same_pack_and_late_facts_are_named(
    store_file: Path, company: Company, pack: Pack
) -> None:
    context = context_at(reader(store_file), company[1])
    assert make_pack(context, pack.week) == pack
    first = replace(pack.figures[0], value=-1)
    frozen_before = replace(pack, figures=(first, *pack.figures[1:]))
    assert differences(frozen_before, pack) == [(first, pack.figures[0])]


def test_a_pack_is_frozen_once_whatever_is_known_later(
    store_file: Path, company: Company, packs: Packs
) -> None:
    assert (packs.weeks(), packs.get("2026-W29")) == ([], None)
    first = frozen(store_file, packs, company[1], "2026-W29")
    later = frozen(store_file, packs, company[1] + 86_400_000, "2026-W29")
    assert later == first
    assert packs.freeze(replace(first, known_at_ms=5)) == first
    assert packs.weeks() == ["2026-W29"]
    assert packs.get("2026-W29") == first


def test_a_packs_file_is_read_by_its_owner_alone(
    store_file: Path, company: Company, tmp_path: Path
) -> None:
    frozen(store_file, PackFiles(tmp_path), company[1], "2026-W29")
    (path,) = (tmp_path / "packs").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.postgres
def test_of_boards_on_one_database_the_one_that_takes_over_sends_nothing_again(
    postgres: str, pack: Pack, tmp_path: Path
) -> None:
    namespace = f"failover-{os.getpid()}"
    first, second, other = (
        packs_of(BoardSchemas(postgres, name, tmp_path / folder))
        for name, folder in ((namespace, "a"), (namespace, "b"), (f"{namespace}-2", "b"))
    )
    later = replace(pack, known_at_ms=pack.known_at_ms + 5)
    assert first.freeze(pack) == second.freeze(later) == pack
    assert first.note_mail(pack.week, "ann@acme.example")
    assert not second.note_mail(pack.week, "Ann@acme.example")
    assert other.weeks() == [], "another namespace has packs of its own"
    assert other.note_mail(pack.week, "ann@acme.example")
    second.retract_mail(pack.week, "ann@acme.example")
    assert first.note_mail(pack.week, "ann@acme.example")


@pytest.mark.postgres
def test_what_a_board_kept_in_its_folder_before_counts_in_the_database(
    postgres: str, pack: Pack, tmp_path: Path
) -> None:
    before = PackFiles(tmp_path)
    before.freeze(pack)
    before.note_mail(pack.week, "ann@acme.example")
    packs = packs_of(BoardSchemas(postgres, f"before-{os.getpid()}", tmp_path))
    assert (packs.weeks(), packs.get(pack.week)) == ([pack.week], pack)
    assert packs.freeze(replace(pack, known_at_ms=5)) == pack
    assert not packs.note_mail(pack.week, "ann@acme.example")


@pytest.mark.parametrize("week", ["2026-30", "2026-W54", "2199-W01", "../../etc/passwd"])
def test_a_week_that_is_none_or_not_over_is_refused(
    store_file: Path, company: Company, tmp_path: Path, week: str
) -> None:
    with pytest.raises(WrongWeek):
        make_pack(context_at(reader(store_file), company[1]), week)
    assert PackFiles(tmp_path).get("../../etc/passwd") is None


def test_no_name_or_address_of_a_lead_is_in_a_pack(
    company: Company, store_file: Path, tmp_path: Path
) -> None:
    db = reader(store_file)
    names = {
        text
        for row in db.execute("SELECT first_name, last_name, email FROM person")
        for text in row
        if text
    }
    assert names
    context = context_at(db, company[1])
    weeks = [f"2026-W{number}" for number in range(24, 31)]
    for week in weeks:
        made = make_pack(context, week)
        leads = [figure for figure in made.figures if figure.section == "Won and lost"]
        text = " ".join(figure.name + figure.note for figure in leads)
        assert not [name for name in names if name in text]


def test_what_somebody_else_wrote_is_only_text_in_every_form(pack: Pack) -> None:
    bad = Figure(section="Decisions", name=HOSTILE, value=None, unit="", note=HOSTILE)
    hostile = replace(pack, figures=(bad,))
    assert "<script>" not in as_html(hostile)
    assert "\u202e" not in as_text(hostile) + as_html(hostile)
    (_, row) = csv.reader(io.StringIO(as_csv(hostile)))
    assert row[3].startswith("'=")


# ------------------------------------------------------------------ mail


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part
                self.server.got.append(body)  # type: ignore[attr-defined]
                if self.server.drops:  # type: ignore[attr-defined]
                    return
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.got: list[bytes] = []
        self.drops = False


@pytest.fixture
def mail_server() -> Iterator[_MailServer]:
    with _MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def mailer(address: str, packs: Packs) -> Mailer:
    people = ["ann@acme.example", "bo@acme.example"]
    return Mailer(url=address, sender="baton@acme.example", recipients=people, packs=packs)


def test_each_recipient_gets_the_pack_once_as_text_html_and_csv(
    mail_server: _MailServer, pack: Pack, packs: Packs
) -> None:
    address = f"smtp://127.0.0.1:{mail_server.server_address[1]}"
    assert mailer(address, packs).mail(pack) == ["ann@acme.example", "bo@acme.example"]
    assert mailer(address, packs).mail(pack) == []
    assert len(mail_server.got) == 2
    message = message_from_bytes(mail_server.got[0], policy=default)
    assert (message["to"], message["subject"]) == ("ann@acme.example", "Baton, week 2026-W30")
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/csv"]
    attached = next(part for part in message.walk() if part.get_content_type() == "text/csv")
    assert attached.get_payload(decode=True) == csv_file(pack)
    assert mailer(address, packs).mail(pack, again=True) == [
        "ann@acme.example",
        "bo@acme.example",
    ]


def test_a_spreadsheet_knows_the_encoding_of_the_file_and_a_program_reads_no_mark(
    pack: Pack,
) -> None:
    named = replace(pack, figures=(replace(pack.figures[0], name="Käufer „Zürich“"),))
    assert csv_file(named).startswith(b"\xef\xbb\xbfweek,")
    assert csv_file(named).decode("utf-8-sig") == as_csv(named)
    assert as_csv(named).startswith("week,")


def test_what_may_have_been_sent_is_not_sent_again_by_itself(
    mail_server: _MailServer, pack: Pack, packs: Packs
) -> None:
    address = f"smtp://127.0.0.1:{mail_server.server_address[1]}"
    mail_server.drops = True  # the mail is there, its answer is not
    with pytest.raises(NotMailed, match="not known") as raised:
        mailer(address, packs).mail(pack)
    assert "acme.example" not in str(raised.value)
    assert len(mail_server.got) == 2, "one recipient's failure keeps it from no other"
    mail_server.drops = False
    assert mailer(address, packs).mail(pack) == []
    assert len(mailer(address, packs).mail(pack, again=True)) == 2


def test_a_server_that_cannot_be_reached_is_tried_again(
    mail_server: _MailServer, pack: Pack, packs: Packs
) -> None:
    with pytest.raises(NotMailed, match="was not sent"):
        mailer("smtp://127.0.0.1:1", packs).mail(pack)
    address = f"smtp://127.0.0.1:{mail_server.server_address[1]}"
    assert mailer(address, packs).mail(pack) == ["ann@acme.example", "bo@acme.example"]


def test_a_pack_that_could_not_be_mailed_goes_out_when_the_server_is_back(
    mail_server: _MailServer, store_file: Path, company: Company, tmp_path: Path
) -> None:
    def board(port: int) -> WeeklyPacks:
        settings = {
            "smtp_url": f"smtp://127.0.0.1:{port}",
            "mail_from": "baton@acme.example",
            "mail_to": "ann@acme.example, bo@acme.example",
        }
        own = BoardSettings(**settings)  # type: ignore[arg-type]
        return WeeklyPacks(own, OneStore(tmp_path, store_file), lambda: LIVE, lambda: company[1])  # type: ignore[arg-type]

    assert board(1).look() is not None
    for _ in range(2):
        board(mail_server.server_address[1]).look()
    assert len(mail_server.got) == 2


@pytest.mark.parametrize(
    ("today", "week"),
    [
        ("2026-01-05", "2026-W01"),  # 29 December to 4 January
        ("2027-01-03", "2026-W52"),
        ("2027-01-04", "2026-W53"),
        ("2027-01-11", "2027-W01"),
    ],
)
def test_the_last_week_is_that_of_iso_8601_also_at_the_turn_of_a_year(
    store_file: Path, company: Company, today: str, week: str
) -> None:
    now_ms = int(datetime.fromisoformat(f"{today}T08:00+00:00").timestamp() * 1000)
    context = context_at(reader(store_file), now_ms)
    assert last_week(context) == week
    assert make_pack(context, week).week == week


# ------------------------------------------------------------------ by itself, and on the board


@pytest.mark.parametrize(("hour", "made"), [(5, False), (6, True), (30, True)])
def test_the_pack_of_the_last_week_is_made_on_monday_morning(
    store_file: Path, company: Company, tmp_path: Path, hour: int, made: bool
) -> None:
    context = context_at(reader(store_file), company[1])
    monday = context.today - timedelta(days=context.today.weekday())
    now_ms = context.start_of(monday) + hour * 3_600_000
    files = OneStore(tmp_path, store_file)
    weekly = WeeklyPacks(BoardSettings(), files, lambda: LIVE, lambda: now_ms)  # type: ignore[arg-type]
    found = weekly.look()
    assert (found is not None) is made
    assert weekly.look() is None


def test_no_pack_is_made_by_itself_of_a_week_before_the_first_record(
    place: StorePlace, company: Company, tmp_path: Path
) -> None:
    fill(place, company[0])
    first_ms = min(record.at_ms for record in company[0])
    context = context_at(reader(place), first_ms)
    monday = context.today + timedelta(days=7 - context.today.weekday())
    for now_ms, made in ((first_ms, False), (context.start_of(monday) + 12 * 3_600_000, True)):
        files = OneStore(tmp_path, place)
        weekly = WeeklyPacks(BoardSettings(), files, lambda: LIVE, lambda at=now_ms: at)  # type: ignore[arg-type,misc]
        assert (weekly.look() is not None) is made


def test_a_pack_of_an_earlier_week_has_nothing_of_the_moment_it_is_made(
    store_file: Path, company: Company
) -> None:
    context = context_at(reader(store_file), company[1])
    last = make_pack(context, last_week(context))
    sections = {figure.section for figure in last.figures}
    assert sections >= {"Goals", "Open on Monday"}
    later = context_at(reader(store_file), company[1] + 14 * 86_400_000)
    again = make_pack(later, last.week)
    assert {figure.section for figure in again.figures} == sections - OF_THE_MOMENT
    assert differences(last, again) == []


def test_a_week_that_the_board_has_not_whole_says_since_when_it_is_complete(
    place: StorePlace,
) -> None:
    fill(place, [])
    db = writer(place)
    db.execute(
        "INSERT INTO position VALUES ('leads.acts.v1', 0, 9, 5, 1795003200000, 1795003200000, 4)"
    )
    db.close()
    for week, is_said in (("2026-W46", True), ("2026-W47", True), ("2026-W48", False)):
        context = context_at(reader(place), 1_795_392_000_000 + 7 * 86_400_000)
        text = as_text(make_pack(context, week))
        assert (", complete only since Wed 18 Nov, 12:00\n" in text) is is_said


def test_a_board_that_only_shows_makes_no_pack(
    store_file: Path, company: Company, tmp_path: Path
) -> None:
    standby = Standing(state=ProjectorState.STANDBY)
    files = OneStore(tmp_path, store_file)
    weekly = WeeklyPacks(BoardSettings(), files, lambda: standby, lambda: company[1])  # type: ignore[arg-type]
    assert weekly.look() is None


def test_frozen_packs_stand_on_monday_and_open_in_every_form(
    store_file: Path, company: Company, tmp_path: Path
) -> None:
    board = board_with(store_file, tmp_path / "board", company[1])
    made = frozen(store_file, PackFiles(board.files.folder), company[1], "2026-W28")
    visitor = board.visitor()
    assert 'href="/packs/2026-W28"' in visitor.get("/monday").text
    assert "Promises kept" in visitor.get("/packs/2026-W28").text
    files = {"txt": as_text(made).encode(), "html": as_html(made).encode(), "csv": csv_file(made)}
    for form, content in files.items():
        answer = visitor.get(f"/packs/2026-W28/{form}")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["cache-control"] == "no-store"
    assert visitor.get("/packs/2026-W27").status_code == 404
    assert visitor.get("/packs/2026-W28/exe").status_code == 404


def test_a_pack_needs_a_link_like_every_page(
    store_file: Path, company: Company, tmp_path: Path
) -> None:
    board = board_with(store_file, tmp_path / "board", company[1])
    frozen(store_file, PackFiles(board.files.folder), company[1], "2026-W28")
    stranger = board.visitor()
    stranger.cookies.clear()
    assert stranger.get("/packs/2026-W28").status_code == 403


def test_an_empty_board_has_a_pack_with_nothing_in_it(place: StorePlace) -> None:
    context = context_at(reader(fill(place, [])), 1_795_392_000_000)
    text = as_text(make_pack(context, "2026-W40"))
    assert "accepted: 0\n" in text
    assert "sales: \u2014" not in text
    assert "  sales:   (0 of 0)\n" in text

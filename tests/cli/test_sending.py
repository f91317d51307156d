"""``baton send`` and ``baton import``: what is read, sent, refused and reported; against the
gateway's own application."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from baton.cli import ways_in
from baton.cli.import_ import app as import_app
from baton.cli.send import app as send_app
from baton.contracts.intake import IntakeRecord
from baton.contracts.schemas import schema_root
from baton.importing.columns import ColumnMap, MapWrong, column_map, read_wishes
from baton.importing.rows import understood
from baton.importing.senders import HttpSender
from baton.importing.sending import Numbered, SendingStopped, Tally, lines_of, send_all
from baton.importing.terms import ImportTerms, RowWrong
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings

KEY = "desk-0123456789abcdef"
NOW = 1_772_445_600_000


class Desk:
    """A gateway behind an httpx transport: what the brokers got, and what goes wrong on the way."""

    def __init__(self) -> None:
        self.records: list[IntakeRecord] = []
        self.answers: list[httpx.Response | Exception] = []
        own = GatewaySettings(
            write_keys=f"desk:engagement+acts+commands:{KEY}, web:engagement:web-0123456789abcdef"
        )
        self._app = Gateway(self._publish, key_ring(own), own).app()
        self.client_class = httpx.Client

    async def _publish(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        del traceparent
        self.records += records

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app)) as client:
            found = await client.request(
                request.method, str(request.url), content=request.content, headers=request.headers
            )
            return httpx.Response(
                found.status_code,
                content=found.content,
                headers={"content-type": "application/json"},
            )

    def client(self, **options: Any) -> httpx.Client:
        return self.client_class(transport=httpx.MockTransport(self), **options)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk()
    monkeypatch.setattr(ways_in.httpx, "Client", found.client)
    monkeypatch.setenv("BATON_GATEWAY_URL", "http://gateway")
    monkeypatch.setenv("BATON_WRITE_KEY", KEY)
    return found


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "source": "test",
        "kind": "engagement",
        "occurred_at": NOW,
        "identifiers": {"email": f"p{number}@acme.example"},
        "engagement": {"act": "form"},
    } | more


def run(app: Any, *words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


# --- send


def test_every_line_is_sent_once_and_its_acknowledgement_is_in_the_ledger(
    desk: Desk, tmp_path: Path
) -> None:
    path, ledger = tmp_path / "events.jsonl", tmp_path / "ledger"
    path.write_text("\n".join(json.dumps(line(number)) for number in range(1_200)) + "\n\n")
    code, out, err = run(send_app, str(path), "--ledger", str(ledger))
    assert (code, out) == (0, "")
    assert err.strip().endswith("1200 read: 1200 accepted, 0 rejected")
    assert len(desk.records) == 1_200
    assert ledger.read_text().splitlines() == [record.event_id for record in desk.records]


def test_lines_that_cannot_be_taken_are_reported_by_number_and_field_and_the_rest_goes_on(
    desk: Desk,
) -> None:
    lines = [
        json.dumps(line(1)).encode(),
        b"{",
        json.dumps(line(3, identifiers={"email": "ann at acme"})).encode(),
        b'{"x":"' + b"y" * 3_000_000 + b'"}',
        json.dumps(line(5)).encode(),
    ]
    code, out, err = run(send_app, "-", "--json", stdin=b"\n".join(lines))
    assert code == 1
    assert json.loads(out) == {
        "read": 5,
        "accepted": 2,
        "rejected": 3,
        "unacknowledged": 0,
        "errors": [
            {"line": 2, "field": "", "reason": "is not JSON in UTF-8 (at line 2 column 0)"},
            {"line": 3, "field": "identifiers.email", "reason": "is not an e-mail address"},
            {"line": 4, "field": "", "reason": "has more than 32768 bytes"},
        ],
    }
    assert "standard input:3: identifiers.email: is not an e-mail address" in err
    assert "ann" not in out + err
    assert len(desk.records) == 2


def test_what_the_gateway_refuses_is_reported_by_the_files_line_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_WRITE_KEY", "web-0123456789abcdef")
    act = {"kind": "act", "engagement": None, "act": {"kind": "call", "by": "ben"}}
    lines = [line(1), line(2, **act), line(3)]
    code, out, _ = run(send_app, "-", "--json", stdin="\n\n".join(map(json.dumps, lines)).encode())
    assert (code, json.loads(out)["errors"]) == (
        1,
        [{"line": 3, "field": "kind", "reason": "needs a key with scope acts"}],
    )
    code, out, _ = run(send_app, "-", "--json", stdin=json.dumps(lines[1]).encode())
    assert (code, json.loads(out)["rejected"], json.loads(out)["unacknowledged"]) == (1, 1, 0)


def test_a_wrong_key_stops_it_and_says_what_to_do(desk: Desk) -> None:
    code, out, _ = run(
        send_app, "-", "--key", "wrong", "--json", stdin=json.dumps(line(1)).encode()
    )
    assert (code, json.loads(out)["unacknowledged"]) == (1, 1)
    assert (
        json.loads(out)["stopped"]
        == "The write key is not known. Give one with --key or BATON_WRITE_KEY."
    )
    assert desk.records == []


class Watch:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def sender(desk: Desk, watch: Watch, patience_s: float = 60) -> HttpSender:
    return HttpSender(
        desk.client(base_url="http://gateway", auth=(KEY, "")),
        patience_s=patience_s,
        sleep=watch.sleep,
        clock=watch,
    )


def numbered(*lines: dict[str, Any]) -> list[Numbered]:
    return [
        Numbered(number=place, raw=json.dumps(line).encode())
        for place, line in enumerate(lines, start=1)
    ]


def test_a_busy_or_absent_gateway_is_waited_for_as_long_as_it_asks(desk: Desk) -> None:
    watch, tally = Watch(), Tally()
    desk.answers = [
        httpx.ConnectError("refused"),
        httpx.Response(503, headers={"retry-after": "2"}),
        httpx.Response(429, headers={"retry-after": "7"}),
    ]
    send_all(numbered(line(1)), sender(desk, watch), tally)
    assert (tally.accepted, watch.slept) == (1, [0.2, 2.0, 7.0])


def test_patience_ends_and_what_was_not_acknowledged_is_counted(desk: Desk) -> None:
    watch, tally = Watch(), Tally()
    desk.answers = [httpx.ConnectError("refused")] * 50
    with pytest.raises(SendingStopped, match="is Baton up"):
        send_all(numbered(line(1), line(2)), sender(desk, watch, patience_s=5), tally)
    assert (tally.read, tally.accepted, tally.unacknowledged) == (2, 0, 2)
    assert watch.now <= 5


def test_a_batch_that_is_too_long_for_the_gateway_is_halved(desk: Desk) -> None:
    tally = Tally()
    desk.answers = [httpx.Response(413, json={"detail": "too long"})]
    send_all(numbered(line(1), line(2), line(3)), sender(desk, Watch()), tally)
    assert (tally.accepted, len(desk.records)) == (3, 3)


def test_the_examples_are_all_taken(desk: Desk) -> None:
    path = schema_root() / "examples" / "events.jsonl"
    assert run(send_app, str(path))[0] == 0
    assert len(desk.records) == len(path.read_text().splitlines())


def test_a_line_is_read_within_bounds() -> None:
    class Counted(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            found = super().readline(size)
            self.longest = max(self.longest, len(found))
            return found

    file = Counted(b"x" * 5_000_000 + b"\n{}\n")
    assert [line.number for line in lines_of(file)] == [1, 2]
    assert file.longest <= 65_536


# --- import


PEOPLE = """E-mail;First name;Phone;Land;Size;OK to mail;Secret
ann@acme.example;Ann;030 1234567;Germany;250;yes;s1
not an address;Bob;;;;;s2
;Nobody;;;;;s3
carl@beta.example;Carl;;Atlantis;12;perhaps;s4
dora@gamma.example;Dora;;;;no;s5
eve@delta.example;Eve;;;;;s6;too many
"""
MAP = (
    "--map",
    "Size=employees",
    "--map",
    "Land=country",
    "--map",
    "OK to mail=consent:marketing/email",
)


def test_a_list_comes_in_row_by_row_and_bad_rows_are_reported_by_line_and_field(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    code, out, err = run(import_app, str(path), *MAP, "--json")
    reported = json.loads(out)
    assert code == 1
    assert (reported["accepted"], reported["rejected"], reported["unacknowledged"]) == (4, 4, 0)
    assert [(row["line"], row["field"], row["reason"]) for row in reported["errors"]] == [
        (3, "identifiers.email", "is not an e-mail address"),
        (4, "identifiers", "are empty: nobody is meant"),
        (5, "consent:marketing/email", "must be yes or no"),
        (7, "", "has 8 columns, the header 7"),
    ]
    assert "left out: Secret" in err
    assert not any(cell in out + err for cell in ("Bob", "not an address", "s2", "perhaps"))
    first, consent, dora, refusal = desk.records
    assert (first.kind, first.person and first.person.phone, first.profile) == (
        "profile",
        "+49301234567",
        {"country": "DE", "employees": "250", "domain": "acme.example", "email_kind": "company"},
    )
    assert (consent.kind, consent.consent and consent.consent.granted) == ("consent", True)
    assert (dora.kind, refusal.consent and refusal.consent.granted) == ("profile", False)


def test_the_same_list_again_gives_the_same_events_and_a_changed_row_another(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    rows = "email,country\nann@acme.example,DE\nbob@acme.example,FR\n"
    for content in (rows, rows.replace("FR", "ES"), "\ufeff" + rows):
        path.write_text(content)
        assert run(import_app, str(path))[0] == 0
    ids = [record.event_id for record in desk.records]
    assert ids[0] == ids[2] == ids[4]
    assert ids[1] == ids[5] != ids[3]


def test_a_list_of_who_did_what_is_history_unless_it_is_fresh(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "fair.csv"
    path.write_text("email,occurred_at\nann@acme.example,2026-03-02\n")
    for more in ((), ("--fresh",)):
        assert run(import_app, str(path), "--act", "webinar", "--campaign", "fair", *more)[0] == 0
    assert [
        (
            record.kind,
            record.occurred_at_ms,
            record.backfill,
            record.engagement and record.engagement.campaign,
        )
        for record in desk.records
    ] == [
        ("engagement", 1_772_409_600_000, True, "fair"),
        ("engagement", 1_772_409_600_000, False, "fair"),
    ]


def test_what_is_left_out_of_a_row_is_reported_beside_what_is_not_taken_and_neither_hides_the_other(
    desk: Desk,
) -> None:
    rows = "".join(f"p{number}@acme.example,10-Jan\n" for number in range(30))
    code, _, err = run(import_app, "-", stdin=f"email,employees\n{rows}nobody,5\n".encode())
    assert (code, len(desk.records)) == (1, 30)
    assert (
        "standard input:2: left out: profile.employees: has no certain reading and was left out"
        in err
    )
    assert "standard input:32: identifiers.email: is not an e-mail address" in err
    assert "... and 10 more; --json lists them" in err
    assert "31 read: 30 accepted, 1 rejected; 30 values noted" in err


def test_event_lines_can_be_imported_too(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(line(1)))
    assert run(import_app, "--jsonl", str(path))[0] == 0
    assert len(desk.records) == 1


@pytest.mark.parametrize(
    ("content", "accepted", "errors"),
    [
        (
            b"email\nann@acme.example\n\xff\xfe@acme.example\nbob@acme.example\n",
            2,
            [(3, "is not written in the file's encoding; try --encoding")],
        ),
        (b'email,note\na@x.example,"never closed\n' + b"x" * 40_000 + b"\nb@x.example,\n", 1, None),
        (b"email\n" + b"x" * 40_000 + b"\nb@x.example\n", 1, None),
        (b"email,note\na@x.example,a\x00b\n", 1, []),
        (b"email\r\na@x.example\r\n\r\nb@x.example", 2, []),
    ],
)
def test_a_damaged_file_costs_only_its_damaged_rows(
    content: bytes, accepted: int, errors: list[tuple[int, str]] | None, desk: Desk
) -> None:
    code, out, _ = run(import_app, "-", "--json", stdin=content)
    reported = json.loads(out)
    found = [(row["line"], row["reason"]) for row in reported["errors"]]
    assert reported["accepted"] == accepted == len(desk.records)
    assert errors is None or found == errors
    assert (code, bool(found)) == ((1, True) if errors is None or errors else (0, False))


def test_a_file_that_is_not_there_and_a_wrong_map_are_wrong_usage(
    desk: Desk, tmp_path: Path
) -> None:
    assert run(import_app, str(tmp_path / "none.csv"))[0] == 2
    path = tmp_path / "people.csv"
    path.write_text("Name\nAnn\n")
    code, _, err = run(import_app, str(path))
    assert (code, "no column says who is meant" in err) == (2, True)


@pytest.mark.parametrize(
    ("header", "wishes", "guess", "fields"),
    [
        (["E-Mail", "Vorname", "Phone number"], [], True, ("email", "first_name", "phone")),
        (
            ["E-Mail", "Rufname des Gasts"],
            ["Rufname des Gasts=first_name"],
            True,
            ("email", "first_name"),
        ),
        (["email", "phone"], ["phone=-"], True, ("email", None)),
        (["email", "phone"], ["email=email"], False, ("email", None)),
        (
            ["Id", "a=b"],
            ["Id=crm:salesforce", "a=b=profile.score"],
            True,
            ("crm:salesforce", "profile.score"),
        ),
    ],
)
def test_columns_are_found_by_wish_or_by_name(
    header: list[str], wishes: list[str], guess: bool, fields: tuple[str | None, ...]
) -> None:
    assert column_map(header, read_wishes(wishes), guess=guess).fields == fields


@pytest.mark.parametrize(
    ("header", "wishes", "words"),
    [
        (["email"], ["mail=email"], "no column 'mail'"),
        (["email"], ["email"], "write column=field"),
        (["email"], ["email=E Mail"], "is no field"),
        (
            ["email", "Land", "Staat"],
            ["Land=country", "Staat=country"],
            "two columns are meant to be country",
        ),
        (["country"], [], "no column says who is meant"),
    ],
)
def test_a_map_that_cannot_be_followed_says_why(
    header: list[str], wishes: list[str], words: str
) -> None:
    with pytest.raises(MapWrong, match=words):
        column_map(header, read_wishes(wishes))


TERMS = ImportTerms(source="import", at_ms=NOW)


@pytest.mark.parametrize(
    ("fields", "row", "expected"),
    [
        (
            ("crm:salesforce", "name", "profile.score", None),
            ("00Q5g00000AbCdE", "Ann Maria Berg", "7", "x"),
            {
                "identifiers": {"crm": ["salesforce:00Q5g00000AbCdEEAV"]},
                "person": {"first_name": "Ann", "last_name": "Maria Berg"},
                "profile": {"score": "7"},
            },
        ),
        (
            ("email", "id", "occurred_at"),
            (" a@x.example ", "r1", "2026-03-02T10:00:00+01:00"),
            {"identifiers": {"email": "a@x.example"}},
        ),
        (
            ("email", "act", "content_title"),
            ("a@x.example", "download", "Paper"),
            {"kind": "engagement"},
        ),
    ],
)
def test_a_row_becomes_a_line(
    fields: tuple[str | None, ...], row: tuple[str, ...], expected: dict[str, Any]
) -> None:
    (made,) = understood(row, ColumnMap(fields=fields), TERMS).lines
    assert made | expected == made


def test_a_row_with_a_wrong_date_is_refused() -> None:
    with pytest.raises(RowWrong) as error:
        understood(("a@x.example", "yesterday"), ColumnMap(fields=("email", "occurred_at")), TERMS)
    assert error.value.problem.field == "occurred_at"

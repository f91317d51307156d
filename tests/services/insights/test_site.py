"""The pages over HTTP: who is let in, what they see, what they can do, and what hostile text does
not do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from baton.contracts.accounts import AccountScored
from baton.contracts.intake import Engagement, LeadEvent, LeadPerson, Person
from baton.contracts.public_record import PublicRecord
from services.insights.board.access import new_link
from services.insights.board.pages import PAGES
from services.insights.board.words import cell, clean, money, span
from services.insights.projection.dialect import StorePlace, reader
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.settings import BoardSettings
from tests.services.insights.boards import HOST, Board, board_with
from tests.services.insights.stores import fill

Company = tuple[tuple[PublicRecord, ...], int]
TEMPLATES = Path(__file__).resolve().parents[3] / "services" / "insights" / "board" / "templates"


@pytest.fixture
def board(store: StorePlace, company: Company, tmp_path: Path) -> Board:
    return board_with(store, tmp_path / "board", company[1])


def held(store: StorePlace, *, by: str | None = None) -> dict[str, Any]:
    """A lead that a person holds."""
    db = reader(store)
    found = list(
        db.execute(
            """SELECT l.lead_id, l.holder, l.handoff_id, l.stage, p.first_name, p.last_name FROM lead l JOIN person p USING (lead_id)
            WHERE l.holder_kind = 'person' AND l.handoff_id IS NOT NULL AND (?1 IS NULL OR l.holder = ?1) ORDER BY l.lead_id""",
            (by,),
        )
    )
    return dict(
        zip(("lead_id", "holder", "handoff_id", "stage", "first", "last"), found[0], strict=True)
    )


# ------------------------------------------------------------------ who is let in


def test_without_a_link_nothing_is_shown_on_any_page(board: Board) -> None:
    visitor = TestClient(board.app, base_url=HOST)
    for path in [*(page.path for page in PAGES), "/leads/abc", "/live"]:
        answer = visitor.get(path)
        assert answer.status_code == 403, path
        assert "baton board link" in answer.text
        assert "example" not in answer.text


def test_a_link_works_once(board: Board) -> None:
    token = new_link(board.files.folder, None)
    first, second = (TestClient(board.app, base_url=HOST, follow_redirects=False) for _ in range(2))
    assert first.get("/enter", params={"token": token}).status_code == 303
    assert second.get("/enter", params={"token": token}).status_code == 403


@pytest.mark.parametrize("token", ["", "guess", "../../etc/passwd", "x" * 5_000])
def test_a_made_up_link_lets_nobody_in(board: Board, token: str) -> None:
    assert (
        TestClient(board.app, base_url=HOST).get("/enter", params={"token": token}).status_code
        == 403
    )


def test_a_link_is_too_old_after_an_hour(board: Board) -> None:
    token = new_link(board.files.folder, None)
    board.parts.access._clock = lambda: __import__("time").time() + 3_700
    answer = TestClient(board.app, base_url=HOST).get("/enter", params={"token": token})
    assert (answer.status_code, "more than an hour old" in answer.text) == (403, True)


def test_the_cookie_is_kept_from_scripts_and_other_sites(board: Board) -> None:
    answer = TestClient(board.app, base_url=HOST, follow_redirects=False).get(
        "/enter", params={"token": new_link(board.files.folder, None)}
    )
    assert {"HttpOnly", "SameSite=strict"} <= {
        part.strip() for part in answer.headers["set-cookie"].split(";")
    }


def test_who_leaves_is_out(board: Board) -> None:
    visitor = board.visitor()
    assert visitor.get("/").status_code == 200
    assert visitor.post("/leave", headers={"origin": "https://evil.example"}).status_code == 403
    assert visitor.get("/").status_code == 200
    visitor.post("/leave", headers={"sec-fetch-site": "same-origin"})
    assert visitor.get("/").status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused_so_that_no_page_can_be_rebound_to_the_loopback(
    board: Board, host: str
) -> None:
    assert board.visitor().get("/", headers={"host": host}).status_code == 421


def test_a_person_who_is_in_no_agreement_is_not_let_in_by_a_link(board: Board) -> None:
    assert board.visitor("nobody").get("/").status_code == 403


PROXY = {
    "proxy_header": "X-Auth-User",
    "proxy_networks": "10.0.0.0/24",
    "public_host": "board.acme.example",
    "host": "0.0.0.0",
}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": "0.0.0.0"}, "only where people sign in"),
        (PROXY | {"proxy_networks": ""}, "BATON_BOARD_PROXY_NETWORKS must say"),
        (PROXY | {"proxy_networks": "10.0.0.0/33"}, "10.0.0.0/33"),
        (PROXY | {"public_host": ""}, "BATON_BOARD_PUBLIC_HOST"),
    ],
)
def test_settings_that_would_open_the_board_to_everybody_are_refused(
    settings: dict[str, str], says: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        BoardSettings(**settings)


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("10.0.0.5", {"x-auth-user": "ae-greta"}, 200),
        ("10.0.1.5", {"x-auth-user": "ae-greta"}, 403),
        ("127.0.0.1", {"x-auth-user": "ae-greta"}, 403),
        ("10.0.0.5", {}, 403),
        ("10.0.0.5", {"x-auth-user": ""}, 403),
        ("10.0.0.5", {"x-auth-user": "mallory"}, 403),
        ("10.0.1.5", {"x-auth-user": "ae-greta", "x-forwarded-for": "10.0.0.5"}, 403),
        ("not an address", {"x-auth-user": "ae-greta"}, 403),
    ],
)
def test_a_proxys_header_is_believed_from_its_network_only(
    store: StorePlace,
    company: Company,
    tmp_path: Path,
    client: str,
    headers: dict[str, str],
    status: int,
) -> None:
    board = board_with(store, tmp_path / "board", company[1], **PROXY)
    visitor = TestClient(board.app, base_url="https://board.acme.example", client=(client, 4_000))
    assert visitor.get("/", headers=headers).status_code == status


# ------------------------------------------------------------------ what they see


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
@pytest.mark.parametrize("person", [None, "ae-greta", "sdr-anna", "mgr-ines"])
def test_every_page_opens_for_everybody_and_is_kept_by_no_cache(
    board: Board, page: Any, person: str | None
) -> None:
    answer = board.visitor(person).get(page.path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert (
        re.findall(r"<script(?! src=\"/static/)|\son\w+=|\sstyle=|javascript:|<style", answer.text)
        == []
    )
    assert 'lang="en"' in answer.text


def test_an_empty_board_has_every_page_and_says_that_there_is_nothing(
    place: StorePlace, tmp_path: Path
) -> None:
    board = board_with(fill(place, []), tmp_path / "board", 1_795_392_000_000)
    visitor = board.visitor()
    for page in PAGES:
        answer = visitor.get(page.path)
        assert answer.status_code == 200, page.path
        assert "empty" in answer.text, page.path


def test_while_it_is_built_for_the_first_time_it_says_so(
    store: StorePlace, company: Company, tmp_path: Path
) -> None:
    board = board_with(store, tmp_path / "board", company[1])
    visitor = board.visitor()
    board.files.place = None
    answer = visitor.get("/")
    assert (answer.status_code, "being built" in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("standing", "says"),
    [
        (
            Standing(
                state=ProjectorState.STOPPED,
                words="leads.acts.v1[3] is past its retention",
                asked_ms=1,
            ),
            "leads.acts.v1[3]",
        ),
        (
            Standing(state=ProjectorState.AWAY, words="Kafka: no brokers", asked_ms=1),
            "The brokers do not answer",
        ),
        (Standing(state=ProjectorState.LIVE, asked_ms=1), "Nothing was heard"),
        (Standing(state=ProjectorState.BUILDING, asked_ms=1), "Still reading"),
    ],
)
def test_what_is_stale_says_why_and_since_when(board: Board, standing: Standing, says: str) -> None:
    board.standing = standing
    assert says in board.visitor().get("/monday").text


def test_names_are_for_the_holder_and_managers_and_everybody_else_sees_a_pseudonym(
    board: Board, store: StorePlace
) -> None:
    lead = held(store)
    path, name = f"/leads/{lead['lead_id']}", f"{lead['first']} {lead['last']}"
    stranger = next(person for person in ("sdr-finn", "sdr-dag") if person != lead["holder"])
    assert name in board.visitor(lead["holder"]).get(path).text
    assert name in board.visitor("mgr-owen").get(path).text
    page = board.visitor(stranger).get(path).text
    assert name not in page
    assert f"Lead {lead['lead_id'][:6]}" in page


def test_no_page_has_an_address_or_a_telephone_number(board: Board, store: StorePlace) -> None:
    known = [
        address
        for (address,) in reader(store).execute("SELECT email FROM person WHERE email IS NOT NULL")
    ]
    visitor = board.visitor()
    for page in PAGES:
        text = visitor.get(page.path).text
        assert not [address for address in known if address in text], page.path


@pytest.mark.parametrize(
    "path",
    [
        "/?pool=x&pool2=1",
        "/sla?from=yesterday",
        "/sla?from=2026-02-01&until=2026-01-01",
        "/sla?from=1900-01-01",
        "/sources?model=magic",
        "/?model=w",
        "/sla?segment=x&sort=1;drop",
    ],
)
def test_an_address_that_asks_for_something_else_is_refused_with_words(
    board: Board, path: str
) -> None:
    answer = board.visitor().get(path)
    assert answer.status_code == 400
    assert "asks for something that there is not" in answer.text


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE lead; --", '" OR 1=1', "x' UNION SELECT email FROM person --"]
)
def test_a_filter_is_a_value_and_never_sql(board: Board, value: str) -> None:
    for path in ("/", "/sla", "/funnel"):
        answer = board.visitor().get(path, params={"pool": value, "segment": value})
        assert answer.status_code == 200
    assert reader(board.files.current()).execute("SELECT count(*) FROM lead").fetchall()[0][0] > 0


def test_the_sum_of_the_campaigns_is_what_was_won(place: StorePlace, tmp_path: Path) -> None:
    from tests.services.insights.company import history

    records, until = history(leads=24, days=110, seed=3)
    board = board_with(fill(place, records), tmp_path / "board", until)
    won = sum(amount for (amount,) in reader(place).execute("SELECT amount_minor FROM conversion"))
    assert won, "nothing was won, so there is nothing to add up"
    for model in ("first", "w", "decay"):
        page = board.visitor().get("/sources", params={"from": "2026-06-01", "model": model}).text
        cells = re.findall(
            r'<td class="n">([\d\u202f]+\.\d\d)\u202fEUR</td>', page.split("<tfoot>")[0]
        )
        assert round(sum(float(cell.replace("\u202f", "")) for cell in cells) * 100) == won
        assert money(won, "EUR", exact=True) in page.split("<tfoot>")[1]


# ------------------------------------------------------------------ hostile text

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "\u202emoc.elpmaxe\u202c",
    "Acme\u200b\u200d\ufeffCorp",
    "a" + "\u0301" * 400,
    "x" * 5_000,
    '=HYPERLINK("http://evil.example")',
    "</title></svg><svg onload=alert(1)>",
    "line\nbreak\r\n\tand\x00nul",
    "&lt;b&gt; &amp;",
)


def hostile_records(company: Company) -> list[PublicRecord]:
    """The company, with a hostile word wherever a lead or a source can write one."""
    found = []
    for number, taken in enumerate(company[0]):
        word = HOSTILE[number % len(HOSTILE)]
        match taken.value:
            case LeadEvent(engagement=Engagement() as engagement) as event:
                changed = replace(engagement, content_title=word, campaign=word, act=engagement.act)
                profile = {"domain": word} if event.profile else {}
                hostile = replace(event, engagement=changed, source=word, profile=profile)
                found.append(replace(taken, value=hostile))
            case LeadEvent(profile=profile) as event if profile:
                found.append(replace(taken, value=replace(event, profile={"domain": word})))
            case AccountScored() as scored:
                found.append(replace(taken, value=replace(scored, account_id=word)))
            case LeadPerson(person=Person()) as reported:
                changed_person = Person(
                    first_name=word, last_name=word, company=word, email=reported.person.email
                )
                found.append(replace(taken, value=replace(reported, person=changed_person)))
            case _:
                found.append(taken)
    return found


def test_hostile_text_is_only_text_on_every_page(company: Company, tmp_path: Path) -> None:
    path = fill(tmp_path / "hostile.sqlite", hostile_records(company))
    board = board_with(path, tmp_path / "board", company[1])
    db = reader(path)
    leads = [f"/leads/{lead}" for (lead,) in db.execute("SELECT lead_id FROM person LIMIT 24")]
    hosts = db.execute("SELECT DISTINCT account_id FROM lead WHERE account_id IS NOT NULL")
    accounts = [
        f"/accounts/{quote(name, safe='')}"
        for (name,) in hosts
        if "/" not in name and len(name) < 254
    ]
    assert len(accounts) > 3
    visitor = board.visitor()
    seen = 0
    for address in [*(page.path for page in PAGES), *leads, *accounts]:
        page = visitor.get(address)
        assert page.status_code == 200, address
        seen += "alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<svg onload" not in page.text
        assert "49" not in re.findall(r"<bdi>(\d+)</bdi>", page.text)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u200d\ufeff\x00]", page.text), (
            address
        )
        assert not re.search(r'href="(?![/#]|$)[^"]', page.text.replace('href=""', "")), (
            "a link that leaves the board"
        )
        assert "x" * 400 not in page.text
    assert seen, "the hostile text was shown nowhere, so nothing was tested"


def test_no_template_switches_the_escaping_off() -> None:
    for path in TEMPLATES.glob("*.html"):
        assert not re.search(r"\|\s*safe\b|autoescape false|Markup", path.read_text()), path.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u202eabc\u202c", "abc"),
        ("a\u200bb", "ab"),
        ("a" + "\u0301" * 9 + "b", "á\u0301\u0301b"),
        ("x" * 200, "x" * 119 + "…"),
        ("a\n\tb\x00", "ab"),
        ("a\u2028b", "ab"),
        ("Zoë Å", "Zoë Å"),
        ("日本", "日本"),
    ],
)
def test_text_of_the_outside_is_cleaned(text: str, expected: str) -> None:
    assert clean(text) == expected


# ------------------------------------------------------------------ what they can do


def form_of(page: str) -> dict[str, str]:
    return dict(
        re.findall(
            r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split('class="acts"')[1]
        )
    )


SAME_SITE = {"origin": HOST, "sec-fetch-site": "same-origin"}


def test_an_act_is_an_event_line_signed_by_who_did_it_and_a_doubled_click_is_the_same_one(
    board: Board, store: StorePlace
) -> None:
    lead = held(store)
    visitor = board.visitor(lead["holder"])
    path = f"/leads/{lead['lead_id']}"
    form = form_of(visitor.get(path).text) | {"do": "call", "outcome": "reached"}
    answers = [visitor.post(f"{path}/acts", data=form, headers=SAME_SITE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert board.kept.lines[0] == board.kept.lines[1]
    line = board.kept.lines[0]
    assert line["act"] == {
        "kind": "call",
        "by": lead["holder"],
        "handoff_id": lead["handoff_id"],
        "actor": line["act"]["actor"],
        "outcome": "reached",
    }
    assert (line["source"], line["identifiers"]) == ("board", {"lead": lead["lead_id"]})
    assert "Waiting for what becomes of it" in visitor.get(answers[0].headers["location"]).text


def test_the_line_is_one_that_the_intake_takes_and_has_the_id_it_is_asked_for_by(
    board: Board, store: StorePlace
) -> None:
    import json

    from baton.intake.keyed_records import to_intake
    from baton.intake.line_reading import read_line

    lead = held(store)
    visitor = board.visitor(lead["holder"])
    path = f"/leads/{lead['lead_id']}"
    for what in (
        {"do": "call", "outcome": "voicemail"},
        {"do": "pass_on", "to_person": "ae-hugo"},
        {"do": "rejected", "reason": "not_icp"},
    ):
        answer = visitor.post(
            f"{path}/acts", data=form_of(visitor.get(path).text) | what, headers=SAME_SITE
        )
        record = to_intake(read_line(json.dumps(board.kept.lines[-1]).encode()))
        assert answer.headers["location"].endswith(f"sent={record.event_id}")


def test_what_became_of_an_act_is_reported(board: Board, store: StorePlace) -> None:
    db = reader(store)
    done = db.execute(
        "SELECT lead_id, cause_id FROM stage_move WHERE event = 'accepted' LIMIT 1"
    ).fetchall()[0]
    refused = db.execute("SELECT lead_id, cause_id FROM refusal LIMIT 1").fetchall()
    visitor = board.visitor()
    assert (
        "Done: the lead is now at stage"
        in visitor.get(f"/leads/{done[0]}", params={"sent": done[1]}).text
    )
    for lead, cause in refused:
        assert "Not carried out" in visitor.get(f"/leads/{lead}", params={"sent": cause}).text


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"token": "forged"}, 403, "made for another visit"),
        ({"do": "rejected", "reason": "because"}, 422, "Choose a reason"),
        ({"do": "rejected", "reason": ""}, 422, "Choose a reason"),
        ({"do": "erase"}, 422, "nothing that can be done"),
        ({"do": "accepted", "handoff_id": "another"}, 422, "changed by somebody else"),
        ({"do": "pass_on", "to_person": "nobody"}, 422, "Choose a person"),
    ],
)
def test_a_form_that_is_not_in_order_sends_nothing(
    board: Board, store: StorePlace, change: dict[str, str], status: int, says: str
) -> None:
    lead = held(store)
    visitor = board.visitor(lead["holder"])
    path = f"/leads/{lead['lead_id']}"
    answer = visitor.post(
        f"{path}/acts", data=form_of(visitor.get(path).text) | change, headers=SAME_SITE
    )
    assert (answer.status_code, says in answer.text) == (status, True)
    assert board.kept.lines == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": HOST, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_of_another_site_is_refused(
    board: Board, store: StorePlace, headers: dict[str, str]
) -> None:
    lead = held(store)
    visitor = board.visitor(lead["holder"])
    path = f"/leads/{lead['lead_id']}"
    form = form_of(visitor.get(path).text) | {"do": "call", "outcome": "reached"}
    assert visitor.post(f"{path}/acts", data=form, headers=headers).status_code == 403
    assert board.kept.lines == []


def test_who_does_not_hold_the_lead_can_claim_it_and_nothing_else(
    board: Board, store: StorePlace
) -> None:
    lead = held(store)
    visitor = board.visitor("sdr-finn" if lead["holder"] != "sdr-finn" else "sdr-dag")
    path = f"/leads/{lead['lead_id']}"
    form = form_of(visitor.get(path).text)
    assert (
        visitor.post(f"{path}/acts", data=form | {"do": "accepted"}, headers=SAME_SITE).status_code
        == 422
    )
    assert (
        visitor.post(f"{path}/acts", data=form | {"do": "claim"}, headers=SAME_SITE).status_code
        == 303
    )
    assert [line["command"]["kind"] for line in board.kept.lines] == ["claim"]


def test_who_came_without_a_name_can_only_look(board: Board, store: StorePlace) -> None:
    lead = held(store)
    page = board.visitor().get(f"/leads/{lead['lead_id']}").text
    assert 'class="acts"' not in page
    assert "baton board link --as PERSON" in page


def test_brokers_that_do_not_answer_are_reported_and_sending_again_is_safe(
    board: Board, store: StorePlace
) -> None:
    lead = held(store)
    visitor = board.visitor(lead["holder"])
    path = f"/leads/{lead['lead_id']}"
    form = form_of(visitor.get(path).text) | {"do": "call", "outcome": "reached"}
    board.kept.broken = True
    answer = visitor.post(f"{path}/acts", data=form, headers=SAME_SITE)
    assert (answer.status_code, "Sending it again is safe" in answer.text) == (503, True)


def test_a_long_form_is_refused_before_it_is_read(board: Board, store: StorePlace) -> None:
    lead = held(store)
    answer = board.visitor(lead["holder"]).post(
        f"/leads/{lead['lead_id']}/acts", data={"do": "x" * 10_000}, headers=SAME_SITE
    )
    assert answer.status_code == 413


def test_an_absence_covers_whole_days_in_the_persons_zone(board: Board) -> None:
    visitor = board.visitor("sdr-cleo")
    token = re.findall(r'name="token" value="(\w+)"', visitor.get("/").text)[0]
    answer = visitor.post(
        "/absences",
        data={"token": token, "from": "2026-12-01", "until": "2026-12-02"},
        headers=SAME_SITE,
    )
    assert answer.status_code == 303
    (record,) = board.kept.absences
    assert (record.person, record.until_ms - record.from_ms) == ("sdr-cleo", 2 * 86_400_000)
    wrong = {"token": token, "from": "2026-12-02", "until": "2026-12-01"}
    assert visitor.post("/absences", data=wrong, headers=SAME_SITE).status_code == 422
    others = {"token": token, "from": "2026-12-01", "until": "2026-12-01", "person": "sdr-dag"}
    assert visitor.post("/absences", data=others, headers=SAME_SITE).status_code == 422


def test_figures_of_single_people_are_for_managers_unless_the_house_says_so(
    store: StorePlace, company: Company, tmp_path: Path
) -> None:
    board = board_with(store, tmp_path / "closed", company[1])
    period = {"from": "2026-06-01"}
    mine = board.visitor("ae-greta").get("/fairness", params=period).text
    assert "Hugo (sales)" not in mine
    assert "Hugo (sales)" in board.visitor("mgr-ines").get("/fairness", params=period).text
    opened = board_with(store, tmp_path / "open", company[1], per_person=True)
    assert "Hugo (sales)" in opened.visitor("ae-greta").get("/fairness", params=period).text


@pytest.mark.parametrize(
    ("count", "named", "expected"),
    [(0, False, "0"), (4, False, "< 5"), (5, False, "5"), (4, True, "4")],
)
def test_small_cells_are_hidden_from_those_who_may_not_know_names(
    count: int, named: bool, expected: str
) -> None:
    assert cell(count, named=named) == expected


# ------------------------------------------------------------------ exports


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (999, "0\u202fs"),
        (59_000, "59\u202fs"),
        (61_000, "1\u202fmin"),
        (3_900_000, "1\u202fh 05\u202fmin"),
        (90_000_000, "1\u202fd 1\u202fh"),
        (None, "—"),
    ],
)
def test_a_span_has_two_units_at_most(ms: int | None, expected: str) -> None:
    assert span(ms) == expected


@pytest.mark.parametrize(
    ("minor", "currency", "exact", "expected"),
    [
        (123_456, "EUR", False, "1\u202f234.56\u202fEUR"),
        (123_400, "EUR", False, "1\u202f234\u202fEUR"),
        (123_400, "EUR", True, "1\u202f234.00\u202fEUR"),
        (1_234, "JPY", True, "1\u202f234\u202fJPY"),
        (1_234, "KWD", False, "1.234\u202fKWD"),
        (-50, "EUR", False, "−0.50\u202fEUR"),
        (None, "EUR", False, "amount not known"),
    ],
)
def test_money_is_written_in_the_units_of_its_currency(
    minor: int | None, currency: str, exact: bool, expected: str
) -> None:
    assert money(minor, currency, exact) == expected

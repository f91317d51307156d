"""``baton simulate`` as a person uses it: summary, one lead, a second agreement, absences; and what
it says of lines that are wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from baton.cli.main import build
from baton.local.up.preparing import example_agreement
from baton.simulation.input_lines import LinesRefused, arrivals_of, read_lines
from baton.simulation.simulation import Simulation

EMAIL = {"email": "ann@acme.example"}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def runner(lines: list[dict[str, Any]] | bytes, *words: str) -> Result:
        path = tmp_path / "events.jsonl"
        path.write_bytes(
            lines if isinstance(lines, bytes) else "\n".join(map(json.dumps, lines)).encode()
        )
        return CliRunner().invoke(
            build(), ["simulate", "-a", str(example_agreement()), "-e", str(path), *words]
        )

    return runner


def _line(own_id: str, at: str, **more: Any) -> dict[str, Any]:
    line = {
        "id": own_id,
        "source": "web",
        "kind": "engagement",
        "occurred_at": at,
        "identifiers": EMAIL,
    }
    return line | ({} if "kind" in more else {"engagement": {"act": "page_view"}}) | more


MONDAY = "2026-03-02T09:00:00Z"
TUESDAY = "2026-03-03T09:00:00Z"
BUYER = _line(
    "d",
    TUESDAY,
    engagement={"act": "demo_request"},
    profile={"country": "DE", "employees": 250, "role": "CTO", "industry": "software"},
    person={"first_name": "Ann", "last_name": "Berg", "phone": "+49 30 123456"},
)


def test_the_summary_names_duplicates_drops_refusals_and_dead_letters_with_reasons_and_places(
    run: Callable[..., Result],
) -> None:
    lines = [
        _line("1", MONDAY),
        _line("1", MONDAY),
        _line("2", MONDAY, kind="gossip"),
        _line("3", MONDAY, kind="erasure"),
        _line("4", MONDAY, kind="profile", profile={"country": "DE"}),
        _line(
            "5",
            MONDAY,
            kind="act",
            act={"kind": "accepted", "by": "nobody-here"},
            identifiers={"crm": "hubspot:9"},
        ),
        _line(
            "6", MONDAY, kind="profile", profile={"country": "DE"}, identifiers={"crm": "hubspot:9"}
        ),
    ]
    said = run(lines)
    assert said.exit_code == 0, said.output
    assert "1 duplicate: had been taken before" in said.output
    assert "1 dropped: the person had been erased" in said.output
    assert "1 refused: accepted in stage " in said.output
    assert "1 dead letter: " in said.output
    assert "(events.jsonl:3)" in said.output
    assert "every event was taken" not in said.output


def test_events_after_the_end_are_left_out_and_said_so(run: Callable[..., Result]) -> None:
    said = run([_line("1", MONDAY), _line("2", TUESDAY)], "--until", "2026-03-02T12:00")
    assert "1 event, until 2026-03-02 12:00:00.000" in said.output
    assert "after the end, and left out: 1 event" in said.output
    refused = run([_line("1", MONDAY)], "--until", "2026-03-01")
    assert refused.exit_code == 2
    assert "the first event is of" in refused.output


@pytest.mark.parametrize("who", ["ann@acme.example", "Ann Berg", "email:ann@acme.example"])
def test_the_numbers_of_a_lead_add_up_whoever_asks_for_it_by_whatever_identifier(
    run: Callable[..., Result], who: str
) -> None:
    said = run([_line("1", MONDAY), BUYER], "--score", who, "--at", "2026-03-04", "--json")
    found = json.loads(said.stdout)
    assert (
        sum(line["points_micro"] for line in found["lines"])
        == found["score"]["engagement_micro"]
        > 0
    )
    assert sum(row["points_micro"] for row in found["criteria"]) == found["score"]["fit_micro"] > 0
    assert found["at_ms"] == 1_772_582_400_000
    earlier = json.loads(
        run(
            [_line("1", MONDAY), BUYER],
            "--score",
            EMAIL["email"],
            "--at",
            "2026-03-03T00:00",
            "--json",
        ).stdout
    )
    assert earlier["score"]["engagement_micro"] < found["score"]["engagement_micro"]


def test_the_story_of_a_simulated_lead_needs_no_kafka_and_says_why_an_act_counts_nothing(
    run: Callable[..., Result],
) -> None:
    odd = _line("o", MONDAY, engagement={"act": "demo_booked"}, arrived_at="2026-03-02T10:00:00Z")
    said = run([odd, BUYER], "--explain", EMAIL["email"])
    assert said.exit_code == 0, said.output
    assert "counts nothing: the agreement does not know the act demo_booked" in said.output
    assert "happened 2026-03-02 09:00:00.000" in said.output
    assert " qualified " in said.output
    assert " routed " in said.output


@pytest.mark.parametrize("option", ["--score", "--explain"])
def test_a_lead_that_nothing_is_known_of_is_named_as_it_was_typed(
    run: Callable[..., Result], option: str
) -> None:
    unknown = run([BUYER], option, "nobody@acme.example")
    assert unknown.exit_code == 1
    words = str(unknown.exception)
    assert words.startswith("nothing in the log belongs to nobody@acme.example; it can be ")


def test_a_merge_is_published_under_both_keys_and_comes_once_in_a_story(
    run: Callable[..., Result],
) -> None:
    before = _line("1", MONDAY, identifiers={"anonymous": "visitor-1"})
    named = _line("2", MONDAY, identifiers={"anonymous": "visitor-1", **EMAIL})
    mail = _line("0", MONDAY, identifiers=EMAIL)
    story = run([mail, before, named], "--explain", EMAIL["email"])
    assert story.exit_code == 0, story.output
    assert story.output.count(" continues as ") == 1


def test_the_story_ends_with_who_has_the_lead_now_where_it_was_ever_anybodys_work(
    run: Callable[..., Result],
) -> None:
    (owner,) = _owners(run([BUYER], "--until", "2026-03-03T09:01", "--json"))
    held = run([BUYER], "--until", "2026-03-03T09:01", "--explain", EMAIL["email"])
    assert f"now: {owner} has it, offered, since 2026-03-03 09:00" in held.output
    reader = run([_line("1", MONDAY)], "--explain", EMAIL["email"])
    assert "now:" not in reader.output


def test_a_person_who_is_away_gets_no_lead(run: Callable[..., Result]) -> None:
    owners = _owners(run([BUYER], "--until", "2026-03-03T09:01", "--json"))
    assert len(owners) == 1
    (owner,) = owners
    others = _owners(
        run(
            [BUYER],
            "--until",
            "2026-03-03T09:01",
            "--json",
            "--away",
            f"{owner}/2026-03-02/2026-03-06",
        )
    )
    assert owner not in others
    wrong = run([BUYER], "--away", "nobody-here/2026-03-02/2026-03-06")
    assert 'person "nobody-here" is not in the agreement' in str(wrong.exception)
    assert run([BUYER], "--away", owner).exit_code == 2


def _owners(said: Result) -> set[str]:
    facts = [json.loads(line) for line in said.stdout.splitlines()]
    return {fact["value"]["owner"] for fact in facts if fact["topic"].startswith("leads.routed.")}


def test_a_second_agreement_is_in_force_from_its_moment_on(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    text = example_agreement().read_text()
    second = tmp_path / "second.yaml"
    second.write_text(text.replace("page_view: {points: 1,", "page_view: {points: 2,"))
    wednesday = _line("w", "2026-03-04T09:00:00Z")
    said = run(
        [_line("1", MONDAY), wednesday], "--then", str(second), "--at", "2026-03-03T00:00", "--json"
    )
    assert said.exit_code == 0, said.output
    facts = [json.loads(line) for line in said.stdout.splitlines()]
    accepted = [
        fact["headers"]["baton_agreement"] for fact in facts if fact["topic"] == "leads.accepted.v1"
    ]
    assert len(set(accepted)) == len(accepted) == 2
    words = ("--then", str(second), "--at", "2026-03-03T00:00", "--score", EMAIL["email"], "--json")
    lines = json.loads(run([_line("1", MONDAY), wednesday], *words).stdout)["lines"]
    assert [line["base_micro"] for line in lines] == [2_000_000, 2_000_000]
    assert run([_line("1", MONDAY)], "--then", str(second)).exit_code == 2


def test_a_json_array_is_read_as_its_lines_are(run: Callable[..., Result]) -> None:
    lines = [_line("1", MONDAY), BUYER]
    one, other = (
        run(lines, "--json"),
        run(b"\xef\xbb\xbf " + json.dumps(lines, indent=1).encode(), "--json"),
    )
    topics = [
        [json.loads(line)["topic"] for line in said.stdout.splitlines()] for said in (one, other)
    ]
    assert topics[0] == topics[1] != []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b'{"occurred_at": "2026-03-02T09:00:00Z"}\n{"a": 1',
            "e:2: is not JSON: Expecting ',' delimiter (column 8)",
        ),
        (b'[{"occurred_at": 1', "e: is not a JSON array: Expecting ',' delimiter (column 19)"),
        (b"\n[1]x", "e: is not a JSON array: Extra data (line 2, column 4)"),
        (b'"text"', "e:1: is not a JSON object but a text"),
        (
            b"[3, null]",
            (
                "e, element 1: is not a JSON object but a number\ne, element 2: is not a JSON object "
                "but null"
            ),
        ),
        (b"{}", "e:1: has no occurred_at, such as 2026-11-22T09:00:00Z"),
        (
            b'{"occurred_at": "2026-03-02"}',
            "e:1: occurred_at is not a date and time of ISO 8601, as 2026-03-02T10:00:00Z",
        ),
        (
            b'{"occurred_at": "2026-03-02T09:00:00"}',
            "e:1: occurred_at needs a time zone, as in 2026-03-02T10:00:00Z or ...+01:00",
        ),
        (
            b'{"occurred_at": 5, "arrived_at": "x"}',
            "e:1: arrived_at is not a date and time of ISO 8601, as 2026-03-02T10:00:00Z",
        ),
        (b'{"a": "\xff"}', "e:1: is not JSON: not UTF-8 at byte 8"),
        (
            b'{"occurred_at": 1767225600000}\n' + b"\0" * 9,
            (
                "e:2: is not JSON: it has NUL characters, as a file that was not closed ends with: remove "
                "them"
            ),
        ),
        (
            b'{"occurred_at": 1767225600000},',
            (
                "e:1: is not JSON: Extra data (column 31); it ends with a comma: leave it out, or put all "
                "lines between [ and ]"
            ),
        ),
        ("{}".encode("utf-16"), "e: is UTF-16, and has to be UTF-8: save it again as UTF-8"),
        (b"[" * 100_000, "e: is not a JSON array: nested too deeply"),
    ],
)
def test_a_line_that_cannot_be_simulated_is_named_with_what_is_wrong(
    text: bytes, words: str
) -> None:
    with pytest.raises(LinesRefused) as caught:
        read_lines(text, "e")
    assert (
        str(caught.value)
        .replace("must be a date", "is not a date")
        .startswith(words.split(" is not a date")[0])
    )
    if "occurred_at is not" not in words and "arrived_at is not" not in words:
        assert str(caught.value) == words


def test_a_file_of_many_wrong_lines_names_the_first_and_how_many_more() -> None:
    with pytest.raises(LinesRefused, match=r"\n\.\.\. and 80 more$"):
        read_lines(b"x\n" * 100, "e")


def test_what_is_let_go_of_changes_no_fact() -> None:
    from baton.agreement.canonical import canonical_text, version_of
    from baton.agreement.source.read import read_agreement

    text = canonical_text(read_agreement(example_agreement()))
    lines = []
    for number in range(450):
        person = {"email": f"p{number % 40}@acme{number % 7}.example"}
        at = f"2026-03-02T{8 + number // 60:02}:{number % 60:02}:00Z"
        act = "demo_request" if number % 50 == 7 else "page_view"
        line = _line(str(number), at, engagement={"act": act}, identifiers=person)
        lines.append((json.dumps(line).encode(), line))
    arrivals = arrivals_of(lines)
    facts = []
    for keep in (True, False):
        simulation = Simulation(
            text=text, version=version_of(text), start_ms=arrivals[0].at_ms, keep=keep
        )
        facts.append(list(simulation.run(arrivals, arrivals[-1].at_ms + 86_400_000)))
        held = sum(
            len(record.value or b"")
            for record in simulation.host.log.records("leads.accepted.v1", 0)
        )
        assert (held > 0) is keep or held < 40_000
    assert facts[0] == facts[1] != []
    assert simulation.host.log.history == []

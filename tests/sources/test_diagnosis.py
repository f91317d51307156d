"""What ``baton doctor`` says of sources, the book of people, and dead letters mapped again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from baton.cli.source_checks import activity_in, latest_starts
from baton.cluster.log import Record
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_INBOX_DEAD_LETTERS
from baton.intake.identifiers import salesforce_id
from baton.sources.dead_letter_replay import Replay
from baton.sources.diagnosis import SourceActivity, clock_finding, diagnose, public_urls
from baton.sources.people import PeopleWrong, read_people
from baton.sources.source_reading import read_sources

SOURCES = Path(__file__).resolve().parents[2] / "examples" / "sources"
PEOPLE = SOURCES.parent / "people" / "people.yaml"
QUIET = SourceActivity()
TEN = 1_772_445_600_000


class Log:
    """Reads records from memory, partition by partition from the last to the first."""

    def __init__(self, *records: Record) -> None:
        self._records = sorted(records, key=lambda record: (-record.partition, record.offset))

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        return {
            record.partition: (0, record.offset + 1)
            for record in self._records
            if record.topic == topic
        }

    def read_from(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        for record in self._records:
            if record.offset >= (starts.get((record.topic, record.partition), 1 << 60) or 0):
                yield record


def event(at_ms: int, source: str = "calendly", *, offset: int = 0) -> Record:
    headers = (("ce_source", source.encode()),)
    return Record(INTAKE_KEYED, 0, offset, b"key", b"value", headers, at_ms)


def dead_letter(
    at_ms: int, reason: str, source: str = "calendly", *, partition: int = 0, offset: int = 0
) -> Record:
    """As the gateway writes it."""
    headers = {
        "__dlq.errors.message": reason,
        "__dlq.errors.code": "invalid",
        "baton_source": source,
    }
    return Record(
        LEADS_INBOX_DEAD_LETTERS,
        partition,
        offset,
        None,
        b'{"email":"ann@acme.example"}',
        tuple((name, text.encode()) for name, text in headers.items()),
        at_ms,
    )


def calendly_finding(*records: Record) -> tuple[bool, str]:
    """Whether doctor has a doubt about the source, and what it says, of a log."""
    activity = activity_in(Log(*records), TEN - 86_400_000)
    (found,) = diagnose(SOURCES / "calendly.yaml", {"BATON_SECRET_CALENDLY": "s"}, activity)
    assert not found.wrong
    return found.doubtful, found.text


def test_a_source_without_its_secret_is_wrong_and_one_that_was_never_seen_doubtful() -> None:
    found = list(diagnose(SOURCES / "facebook.yaml", {"BATON_SECRET_FACEBOOK": "s"}, QUIET))
    assert [(source_finding.wrong, source_finding.text) for source_finding in found] == [
        (True, "facebook: set BATON_SECRET_FACEBOOK_VERIFY; a gateway without it does not start")
    ]
    secrets = {"BATON_SECRET_CALENDLY": "s"}
    (never,) = diagnose(SOURCES / "calendly.yaml", secrets, QUIET)
    (unread,) = diagnose(SOURCES / "calendly.yaml", secrets, None)
    (seen,) = diagnose(
        SOURCES / "calendly.yaml", secrets, SourceActivity(last_event_ms={"calendly": TEN})
    )
    assert (never.doubtful, unread.doubtful, seen.doubtful) == (True, True, False)
    assert seen.text == "calendly: secret set; last event at 2026-03-02 10:00:00 UTC"


NOTHING = "calendly: secret set; no event of it lately (a day, at most 200,000 records)"
UNREAD = (
    "latest dead letter at 2026-03-02 10:00:00 UTC, invalid: record 0: id: cannot be computed from "
    "the record (baton dlq show dlq.leads.inbox.v1/0/4)"
)
NO_ID = dead_letter(TEN, "record 0: id: cannot be computed from the record", offset=4)


@pytest.mark.parametrize(
    ("records", "doubtful", "text"),
    [
        ([], True, NOTHING),
        ([NO_ID], True, f"{NOTHING}; {UNREAD}"),
        (
            [event(TEN - 61_000), NO_ID],
            True,
            f"calendly: secret set; last event at 2026-03-02 09:58:59 UTC; {UNREAD}",
        ),
        (
            [event(TEN - 60_000), NO_ID],
            False,
            f"calendly: secret set; last event at 2026-03-02 09:59:00 UTC; {UNREAD}",
        ),
        (
            [event(TEN + 60_000), NO_ID],
            False,
            f"calendly: secret set; last event at 2026-03-02 10:01:00 UTC; {UNREAD}",
        ),
        ([NO_ID, dead_letter(TEN - 1, "earlier", partition=1)], True, f"{NOTHING}; {UNREAD}"),
        ([NO_ID, dead_letter(TEN - 1, "earlier", offset=5)], True, f"{NOTHING}; {UNREAD}"),
        ([dead_letter(TEN, "of another", "cal", offset=4)], True, NOTHING),
        ([dead_letter(TEN - 86_400_001, "of the day before", offset=4)], True, NOTHING),
        ([event(TEN, "cal")], True, NOTHING),
        ([NO_ID._replace(headers=(("__dlq.errors.code", b"invalid"),))], True, NOTHING),
    ],
    ids=[
        "nothing came",
        "nothing was taken",
        "it fails since its last event",
        "one of a request failed",
        "it was mended",
        "an earlier one in another partition",
        "an earlier one behind it",
        "another source fails",
        "long ago",
        "another source sends",
        "of the inbox and no source",
    ],
)
def test_a_source_whose_records_are_not_taken_does_not_look_like_one_that_never_sent(
    records: list[Record], doubtful: bool, text: str
) -> None:
    assert calendly_finding(*records) == (doubtful, text)


def test_a_long_reason_is_cut_and_the_content_of_a_dead_letter_is_not_repeated() -> None:
    _, text = calendly_finding(dead_letter(TEN, "x" * 1_000))
    assert text.count("x" * 300 + " (baton dlq show") == 1
    assert len(text) < 600
    assert "ann@acme.example" not in text


def test_of_many_dead_letters_the_latest_are_looked_at() -> None:
    """The first one lies before the part of the log that is read."""
    other = dead_letter(TEN, "of another", "cal", offset=20_001)
    assert calendly_finding(dead_letter(TEN, "too far back", offset=0), other) == (True, NOTHING)


def test_a_signature_over_the_url_needs_the_url(tmp_path: Path) -> None:
    file = tmp_path / "hubspot.yaml"
    text = (SOURCES / "hubspot.yaml").read_text().replace("../people/", f"{PEOPLE.parent}/")
    file.write_text(text.replace("public_url: https://leads.example.com\n", ""))
    found = list(diagnose(file, {"BATON_SECRET_HUBSPOT": "s"}, QUIET))
    assert (found[0].wrong, "set public_url" in found[0].text) == (True, True)
    assert public_urls(SOURCES) == {"https://leads.example.com"}


def test_a_file_that_cannot_be_read_and_a_missing_book_are_findings(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 2\n")
    (tmp_path / "b.yaml").write_text(
        (SOURCES / "cal.yaml").read_text().replace("../people/people.yaml", "nobody.yaml")
    )
    found = list(diagnose(tmp_path, {}, QUIET))
    assert [source_finding.wrong for source_finding in found] == [True, True]
    assert "nobody.yaml cannot be read" in found[1].text


@pytest.mark.parametrize(
    ("skew_s", "words"), [(0.5, "agrees"), (90, "90 s ahead of"), (-301, "301 s behind")]
)
def test_a_clock_that_is_wrong_is_named_with_how_much_and_which_way(
    skew_s: float, words: str
) -> None:
    found = clock_finding(skew_s, "leads.example.com")
    assert words in found.text
    assert found.wrong is (abs(skew_s) > 60)


def test_the_book_finds_people_by_address_and_by_any_of_their_ids() -> None:
    found = read_people(PEOPLE).by_id()
    assert found["lena@seller.example"] == found["hubspot:8801"] == "sdr-lena"
    whole = salesforce_id("0055g00000AbCdE")
    assert found[f"salesforce:{whole}".casefold()] == "sdr-lena"
    assert "hubspot:9999" not in found
    assert read_people(PEOPLE).strangers({"sdr-lena"}) == ["ae-hugo"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version: 1\npeople: {a: {ids: ['x:1']}, b: {ids: ['x:1']}}", "an id of a comes again"),
        ("version: 1\npeople: {a: {ids: [seventeen]}}", "people.a.ids.0"),
        ("version: 1\npeople: {a: {email: [nobody]}}", "is not an e-mail address"),
        ("version: 1\npeople: {a: {phone: '1'}}", "people.a.phone"),
    ],
)
def test_what_is_wrong_with_a_book_is_said(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(text)
    with pytest.raises(PeopleWrong) as wrong:
        read_people(tmp_path / "people.yaml")
    assert reason in str(wrong.value)


def test_a_dead_letter_is_mapped_again_and_says_what_is_still_wrong_with_it() -> None:
    model = read_sources(SOURCES / "hubspot.yaml").sources["hubspot"]
    replay = Replay("hubspot", model)
    record = {"portalId": 7, "subscriptionId": 9, "eventId": 1, "occurredAt": 1_772_445_600_000}
    good = {**record, "objectId": 3, "subscriptionType": "contact.creation"}
    bad = {**record, "subscriptionType": "contact.creation"}
    (found,) = replay.of(json.dumps(good).encode(), 0)
    assert found.line is not None
    assert json.loads(found.line) == {
        "source": "hubspot",
        "id": "7-9-1-3-1772445600000",
        "kind": "profile",
        "occurred_at": 1_772_445_600_000,
        "identifiers": {"crm": "hubspot:3"},
    }
    whole = list(replay.of(json.dumps([good, bad]).encode(), 0))
    assert [line.line is not None for line in whole] == [True, False]
    assert whole[1].problem.startswith("id: cannot be computed")
    assert [line.problem != "" for line in replay.of(b"[{", 0)] == [True]


def test_of_a_busy_log_the_latest_records_are_looked_at() -> None:
    ends = {0: (0, 150_000), 1: (90_000, 95_000), 2: (0, 0)}
    assert latest_starts(ends, 30_000) == {0: 140_000, 1: 90_000, 2: 0}
    assert latest_starts({}, 30_000) == {}

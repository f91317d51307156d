"""Books: what may stand in them, line by line; that their rows are signed; how they travel; and
what a decision makes of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.condition_context import context_of_qualified
from baton.agreement.diff import changes
from baton.agreement.model.agreement import Agreement
from baton.agreement.reference import SETTLE_MS, AgreementBook
from baton.agreement.source.read import AgreementRefused, read_agreement
from baton.agreement_report.examples import run_examples
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.contracts.topics import TOPICS
from baton.engine.reducer import Event
from tests.services.router.router_world import qualified

STARTER = (Path(__file__).resolve().parents[2] / "baton" / "agreement" / "starter.yaml").read_text(
    encoding="utf-8"
)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "books" / "agreement.yaml"
ACCOUNTS = "account,owner,sdr,sales\nbig.example,sales-one,,\npools.example,,sdr,sales\n"
TERRITORIES = "country,role,sdr,sales,name\nGB,Head of*,sdr,sales,heads\nGB,,sdr,,Britain\n"
BOTH = "{accounts: accounts.csv, territories: territories.csv}"


def written(
    folder: Path,
    *,
    books: str = BOTH,
    accounts: str | bytes = ACCOUNTS,
    territories: str | bytes = TERRITORIES,
    starter: str = STARTER,
) -> Path:
    """An agreement with its books, in a folder."""
    for name, text in (("accounts.csv", accounts), ("territories.csv", territories)):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    file = folder / "agreement.yaml"
    file.write_text(starter.replace("\nslas:", f"\nbooks: {books}\n\nslas:", 1), encoding="utf-8")
    return file


def reported(file: Path) -> list[str]:
    """What is said of it; files by their names."""
    with pytest.raises(AgreementRefused) as refused:
        read_agreement(file)
    return str(refused.value).replace(f"{file.parent}/", "").splitlines()


SHAPES: list[tuple[dict[str, str | bytes], list[str]]] = [
    ({"books": "{accounts: missing.csv}"}, ["missing.csv: the book of accounts cannot be read: No such file or directory"]),
    ({"accounts": b"account,owner\n\xff.example,sales-one\n"}, ["accounts.csv: the book of accounts cannot be read: is not UTF-8"]),
    ({"accounts": ""}, ['accounts.csv:1: a book of accounts needs a column "account" (the domain)', 'accounts.csv:1: a book of accounts says who has them: a column "owner", "sdr" or "sales"']),
    ({"accounts": "account,owner\n"}, ["accounts.csv: has no rows"]),
    ({"accounts": b"\xef\xbb\xbfaccount;owner\r\na.example;sales-one\r\n"}, ["accounts.csv:1: the separator is a semicolon; save the file with commas between the columns"]),
    ({"books": BOTH.replace("accounts.csv", "{file: accounts.csv, columns: {account: Domain, owner: Name}}"), "accounts": "Domain;Name\na.example;sales-one\n"}, ["accounts.csv:1: the separator is a semicolon; save the file with commas between the columns"]),
    ({"territories": "country\tsdr\nGB\tsdr\n"}, ["territories.csv:1: the separator is a tab; save the file with commas between the columns"]),
    ({"accounts": "acount,owner\na.example,sales-one\n"}, ['accounts.csv:1: a book of accounts has no column "acount"; did you mean "account"?']),
    ({"accounts": "account,owner,owner\na.example,sales-one,x\n"}, ['accounts.csv:1: "owner" is twice among the headings']),
    ({"accounts": "account,owner\na.example\n\nb.example,sales-one\n"}, ["accounts.csv:2: has 1 cells, and the headings are 2"]),
    ({"accounts": 'account,owner\n"a.example\n'}, ["accounts.csv:2: is no CSV: unexpected end of data"]),
    ({"accounts": 'account,owner\na.example,"sales\t-one"\n'}, ["accounts.csv:2: a cell has a line break or a tab in it"]),
    ({"territories": "country,name\nGB,x\n"}, ['territories.csv:1: a book of territories says where to: a column "sdr" or "sales"']),
    ({"territories": "sdr,name\nsdr,x\n"}, ["territories.csv:1: a book of territories asks something: a column for a field of the profile"]),
    ({"territories": "employees,sdr\n5,sdr\n"}, ['territories.csv:1: a book of territories has no column "employees"; there is country, name, needs, relation, role, sales, sdr']),
    ({"books": "{accounts: {file: accounts.csv, columns: {account: Domain, owner: owner}}}"}, ['accounts.csv:1: "Domain" is not among the headings; there is account, owner, sales, sdr']),
    ({"books": "{accounts: {file: accounts.csv, hash: 0000000000000000}}"}, ["agreement.yaml:83: accounts.csv has the hash 2a9c0d5f, not 0000000000000000"]),
    ({"books": "{accounts: {}}"}, ["accounts: the book of accounts has no file: write accounts: accounts.csv"]),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "said"), SHAPES)
def test_a_book_of_a_wrong_shape_is_refused_with_file_line_and_reason(
    tmp_path: Path, parts: dict[str, str], said: list[str]
) -> None:
    found = reported(written(tmp_path, **parts))
    if "hash" in str(parts.get("books")):
        assert len(found) == 1
        assert found[0].startswith("agreement.yaml:")
        assert found[0].endswith(", not 0000000000000000")
    else:
        assert found == said


ROWS: list[tuple[str, str, list[str]]] = [
    ("accounts", "www.big.example,sales-one,,", ['"www.big.example" is no account: write its domain, bigfirm.example']),
    ("accounts", "Big Firm,sales-one,,", ['"big firm" is no account: write its domain, bigfirm.example']),
    ("accounts", "sub.big.example,sales-one,,", ['no lead is of account "sub.big.example": an account goes by its registered domain, which its hosts share; write big.example, once']),
    ("accounts", "mail.big.co.uk,sales-one,,", ['no lead is of account "mail.big.co.uk": an account goes by its registered domain, which its hosts share; write big.co.uk, once']),
    ("accounts", "gmail.com,sales-one,,", ['no lead is of account "gmail.com": it is a host of many companies, or no registered domain; write a domain of the company\'s own']),
    ("accounts", "BIG.example ,sales-one,,", ['account "big.example" stands in line 2 already']),
    ("accounts", "new.example,,,", ['account "new.example" needs an owner or pools, one of the two']),
    ("accounts", "new.example,sales-one,sdr,", ['account "new.example" needs an owner or pools, one of the two']),
    ("accounts", "new.example,sales-won,,", ['person "sales-won" is not defined; did you mean "sales-two"?']),
    ("accounts", "new.example,,sales,", ['pool "sales" is of kind sales, not sdr']),
    ("accounts", "new.example,,,sail", ['pool "sail" is not defined; did you mean "sales"?']),
    ("territories", "FR,,,,nowhere", ['names no pool: fill in "sdr" or "sales"']),
    ("territories", ",,sdr,,all", ["asks nothing, so it would take every lead: that is the default of the routing"]),
    ("territories", "*,,sdr,,all", ['"*" alone asks nothing: leave the cell empty, or write how the word begins']),
    ("territories", "gb,,sdr,,again", ["is never reached: line 3 asks the same"]),
    ("territories", "GB,Clerk,sdr,,clerks", ["is never reached: line 3 before it takes every lead it would take; move it above line 3"]),
    ("territories", "GB,Head of IT*,,sales,heads of IT", ["is never reached: line 2 before it takes every lead it would take; move it above line 2"]),
    ("territories", "GB,head of it,sdr,sales,heads of IT", ["is never reached: line 2 before it takes every lead it would take; move it above line 2"]),
    ("territories", "FR,Head*of,sdr,,heads", ['"Head*of" fits no lead: "*" stands only at the end of a cell (Head of*)']),
    ("territories", "FR,Head**,sdr,,heads", ['"Head**" fits no lead: "*" stands only at the end of a cell (Head of*)']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "said"), ROWS)
def test_a_row_that_means_nothing_is_refused_with_its_line(
    tmp_path: Path, name: str, row: str, said: list[str]
) -> None:
    text = (ACCOUNTS if name == "accounts" else TERRITORIES) + row + "\n"
    file = written(tmp_path, **{name: text})
    assert reported(file) == [f"{name}.csv:4: {words}" for words in said]


UNREAD: list[tuple[str, str]] = [
    ("N/A,Clerk,sdr,,clerks", '"N/A" is read as an empty value, so the row would fit no lead: mend the cell of country'),
    ("FR,unknown,sdr,,clerks", '"unknown" is read as an empty value, so the row would fit no lead: mend the cell of role'),
    ("United*,,sdr,,united", '"United*" fits no lead: countries are read as codes of two letters (GB); write the code, a row for each country'),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), UNREAD)
def test_a_cell_that_no_profile_can_have_is_refused(tmp_path: Path, row: str, said: str) -> None:
    assert reported(written(tmp_path, territories=f"{TERRITORIES}{row}\n")) == [
        f"territories.csv:4: {said}"
    ]


def test_a_country_by_name_is_read_as_the_code_that_profiles_have(tmp_path: Path) -> None:
    named = "country,sdr,name\nUK,sdr,Britain\nDeutschland,sdr,Germany\n"
    routing = compiled_of(read(tmp_path, territories=named)).routing
    for country, rule in (("GB", "Britain"), ("DE", "Germany")):
        context = context_of_qualified(qualified("l", profile={"country": country}), now_ms=0)
        assert routing.choose(context).path[-1].rule == f"territory book: {rule}"
    assert reported(written(tmp_path, territories=named + "GB,sdr,again\n")) == [
        "territories.csv:4: is never reached: line 2 asks the same"
    ]


def test_a_postal_code_is_read_without_the_letters_before_it(tmp_path: Path) -> None:
    starter = STARTER.replace("    country: text", "    country: text\n    postal: text", 1)
    assert "postal: text" in starter
    rows = "postal,sdr,name\nD-80331,sdr,the old town\nD-80*,sdr,Munich\n"
    routing = compiled_of(read(tmp_path, territories=rows, starter=starter)).routing
    for postal, rule in (("80331", "the old town"), ("80999", "Munich")):
        context = context_of_qualified(qualified("l", profile={"postal": postal}), now_ms=0)
        assert routing.choose(context).path[-1].rule == f"territory book: {rule}"


REACHED = (
    "GB,Clerk,sdr,sales,a pool of its own kind",
    "GB,Head*,,sales,wider than the row before",
    "FR,Head of*,sdr,,another country",
    ",Head of*,sdr,,any country",
    "GB,,,sales,the other kind",
)


@pytest.mark.parametrize("row", REACHED)
def test_a_row_that_takes_some_lead_that_no_row_before_it_takes_is_sound(
    tmp_path: Path, row: str
) -> None:
    read_agreement(written(tmp_path, territories=f"{TERRITORIES}{row}\n"))


def test_rows_of_several_kinds_together_take_the_leads_of_a_later_one(tmp_path: Path) -> None:
    rows = "GB,,sdr,,bridge\nGB,,,sales,field\nGB,Clerk,sdr,sales,clerks\n"
    assert reported(written(tmp_path, territories=f"country,role,sdr,sales,name\n{rows}")) == [
        (
            "territories.csv:4: is never reached: lines 2 and 3 before it take every lead it would "
            "take; move it above line 2"
        )
    ]


def test_an_account_does_not_stand_in_the_agreement_and_in_a_book(tmp_path: Path) -> None:
    named = STARTER.replace(
        "  default: {sdr: sdr",
        "  accounts: {big.example: {owner: sales-two}}\n  default: {sdr: sdr",
    )
    assert reported(written(tmp_path, starter=named)) == [
        'accounts.csv:2: account "big.example" stands in the agreement itself too (routing.accounts)'
    ]


def test_of_very_many_wrong_rows_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    wrong = "".join(f"firm{number},sales-one,,\n" for number in range(5_000))
    said = reported(written(tmp_path, accounts=ACCOUNTS + wrong))
    assert len(said) == 21
    assert said[0] == "accounts.csv: and 4980 more rows of this book are wrong"


def test_the_shipped_example_is_sound_and_its_leads_go_by_its_books() -> None:
    model = read_agreement(EXAMPLE)
    assert [ran.differences for ran in run_examples(model)] == [()] * len(model.examples)
    for account, owner in (("saltmarsh-foods.example", "sales-two"), (None, None)):
        profile = {"country": "IE"}
        context = context_of_qualified(qualified("l", account=account, profile=profile), now_ms=0)
        assert compiled_of(model).routing.expected(context)[1] == owner
    assert compiled_of(model).routing.choose(context).path[-1].rule == "territory book: Ireland"


# ---------------------------------------------------------------------- what is signed


def read(folder: Path, **parts: str) -> Agreement:
    return read_agreement(written(folder, **parts))


def test_the_rows_are_part_of_the_version_and_the_file_s_name_and_order_of_columns_are_not(
    tmp_path: Path,
) -> None:
    first = version_of(canonical_text(read(tmp_path)))
    turned = "sales,account,sdr,owner\n,big.example,,sales-one\nsales,pools.example,sdr,\n"
    assert version_of(canonical_text(read(tmp_path, accounts=turned))) == first
    headed = turned.replace("account", "Domain")
    columns = "{account: Domain, owner: owner, sdr: sdr, sales: sales}"
    books = (
        f"{{accounts: {{file: accounts.csv, columns: {columns}}}, territories: territories.csv}}"
    )
    assert version_of(canonical_text(read(tmp_path, accounts=headed, books=books))) == first
    other = ACCOUNTS.replace("sales-one", "sales-two")
    assert version_of(canonical_text(read(tmp_path, accounts=other))) != first


DIFFERENCES: list[tuple[dict[str, str], list[str]]] = [
    ({}, []),
    (
        {"accounts": ACCOUNTS + "new.example,sales-two,,\n"},
        ["book of accounts: 1 row added (new.example)"],
    ),
    (
        {"accounts": ACCOUNTS.replace("big.example,sales-one", "big.example,sales-two")},
        ["book of accounts: 1 row changed (big.example: owner sales-one -> sales-two)"],
    ),
    (
        {"accounts": "account,owner\nbig.example,sales-one\n"},
        ["book of accounts: 1 row removed (pools.example)"],
    ),
    (
        {"accounts": ACCOUNTS + "".join(f"f{n}.example,sales-two,,\n" for n in range(1_200))},
        [
            (
                "book of accounts: 1,200 rows added (f0.example; f1.example; f2.example; "
                "f3.example; f4.example; and 1,195 more)"
            ),
        ],
    ),
    (
        {"territories": "country,role,sdr,sales,name\nGB,,sdr,,Britain\nGB,Head of*,sdr,sales,h\n"},
        [
            "book of territories: 1 row changed (country GB, role Head of*: name heads -> h)",
            "book of territories: the order of its rows changed, and the first wins",
        ],
    ),
    ({"books": "{accounts: accounts.csv}"}, ["book of territories removed: it had 2 rows"]),
]


@pytest.mark.parametrize(("parts", "said"), DIFFERENCES)
def test_what_changed_in_a_book_is_counted_and_named(
    tmp_path: Path, parts: dict[str, str], said: list[str]
) -> None:
    before, after = read(tmp_path), read(tmp_path, **parts)
    assert [change.text for change in changes(before, after)] == said


# ---------------------------------------------------------------------- how they travel


def large(folder: Path) -> Agreement:
    """Of which a book does not fit into one record."""
    rows = "".join(f"{hash_like(n)}.example,sales-one,,\n" for n in range(60_000))
    return read(folder, accounts=ACCOUNTS + rows)


def hash_like(number: int) -> str:
    return f"{number * 2654435761 % 2**32:08x}{number * 40503 % 2**16:04x}"


def records_of(model: Agreement) -> list[AgreementRecord]:
    text = canonical_text(model)
    version = version_of(text)
    signed = [
        AgreementRecord(record_id=side, kind="approved", version=version, side=side)
        for side in ("marketing", "sales")
    ]
    record = AgreementRecord(record_id="p", kind="published", version=version, text=text)
    return [*book_records(model.attached), *signed, record]


def folded(records: list[AgreementRecord]) -> AgreementBook:
    book = AgreementBook()
    for offset, record in enumerate(records):
        at_ms = 1_000 * offset
        event = Event(
            topic=BATON_AGREEMENTS,
            partition=0,
            offset=offset,
            key=record.record_id,
            value=record,
            id="e",
            at_ms=at_ms,
            received_at_ms=at_ms,
        )
        book.add(event)
    return book


def test_an_agreement_is_in_force_when_all_parts_of_its_books_are_there_in_whatever_order(
    tmp_path: Path,
) -> None:
    model = large(tmp_path)
    records = records_of(model)
    parts = [record for record in records if record.kind == "book"]
    assert len(parts) > 2
    limit = TOPICS[BATON_AGREEMENTS].max_bytes
    assert all(len(codec_for(AgreementRecord).encode(record)) < limit for record in parts)
    rest = [record for record in records if record.kind != "book"]
    for shuffled in permutations([parts[-1], *rest]):
        ordered = [*parts[:-1], *shuffled]
        assert folded(ordered[:-1]).at(1 << 60) is None
        found = folded(ordered).at(1 << 60)
        assert found is not None
        assert found.version == compiled_of(model).version
        named = found.agreement.routing.named_account(f"{hash_like(59_999)}.example")
        assert named is not None
        assert named.owner == "sales-one"


def test_a_later_version_waits_for_its_books_and_the_earlier_one_holds_until_then(
    tmp_path: Path,
) -> None:
    first, second = read(tmp_path, books="{}"), read(tmp_path)
    books = [record for record in records_of(second) if record.kind == "book"]
    others = [record for record in records_of(second) if record.kind != "book"]
    named = [replace(record, record_id=f"second {record.record_id}") for record in others]
    records = [*records_of(first), *named, *books]
    book = folded(records)
    appended_ms = 1_000 * (len(records) - 1)
    in_force = [(term.version, term.from_ms) for term in book.terms()]
    assert in_force[1:] == [(compiled_of(second).version, appended_ms + SETTLE_MS)]


def test_parts_that_are_not_what_the_hash_names_put_nothing_in_force(tmp_path: Path) -> None:
    records = records_of(read(tmp_path))
    other = records_of(read(tmp_path, accounts=ACCOUNTS + "new.example,sales-two,,\n"))
    for wrong in (
        b"",
        b"no book",
        other[0].content,
        records[0].content[:-9] if records[0].content else b"",
    ):
        changed = [replace(records[0], content=wrong), *records[1:]]
        assert folded(changed).at(1 << 60) is None
        assert folded([*changed, records[0]]).at(1 << 60) is not None


# ---------------------------------------------------------------------- what is decided

PRECEDENCE: list[tuple[dict[str, str], str, str, str]] = [
    ({"country": "GB", "role": "head of sales"}, "sdr", "sdr", "territory book: heads"),
    ({"country": " gb ", "role": "HEAD OF IT"}, "sales", "sales", "territory book: heads"),
    ({"country": "GB", "role": "clerk"}, "sdr", "sdr", "territory book: Britain"),
    ({"country": "GB"}, "sdr", "sdr", "territory book: Britain"),
    ({"country": "GB", "role": "clerk"}, "sales", "sales", "default"),
    ({"country": "FR", "role": "head of sales"}, "sdr", "sdr", "default"),
    ({}, "sdr", "sdr", "default"),
    ({"country": "IE", "role": "head of sales"}, "sdr", "sdr", "Ireland"),
    ({"country": "GB", "relation": "partner"}, "sales", "sales", "partners"),
    ({"country": "GB", "relation": "partner"}, "sdr", "sdr", "territory book: Britain"),
]  # fmt: skip
RULES = """  territories:
    - {name: Ireland, when: {field: profile.country, op: is, value: IE}, to: {sdr: sdr}}
  segments:
    - {name: partners, when: {field: profile.relation, op: is, value: partner}, to: {sdr: sdr, sales: sales}}
  default: {sdr: sdr"""


@pytest.mark.parametrize(("profile", "leg", "pool", "rule"), PRECEDENCE)
def test_a_territory_book_comes_after_the_territories_and_before_the_segments(
    tmp_path: Path, profile: dict[str, str], leg: str, pool: str, rule: str
) -> None:
    starter = STARTER.replace("  default: {sdr: sdr", RULES, 1)
    routing = compiled_of(read(tmp_path, starter=starter)).routing
    context = context_of_qualified(qualified("l", leg=leg, profile=profile), now_ms=0)
    choice = routing.choose(context)
    assert (choice.pool, choice.path[-1].rule) == (pool, rule)


def test_a_field_that_a_book_asks_and_nobody_knows_is_waited_for(tmp_path: Path) -> None:
    routing = compiled_of(read(tmp_path)).routing
    for profile, asked in (
        ({}, ("country", "role")),
        ({"country": "GB"}, ("role",)),
        ({"country": "FR"}, ()),
        ({"role": "head of sales"}, ("country",)),
    ):
        context = context_of_qualified(qualified("l", profile=profile), now_ms=0)
        assert routing.undecided_by(context) == asked


def test_an_account_of_a_book_has_its_owner_or_its_pools(tmp_path: Path) -> None:
    routing = compiled_of(read(tmp_path)).routing
    owned, pooled = (routing.named_account(name) for name in ("big.example", "pools.example"))
    assert owned is not None
    assert pooled is not None
    assert (owned.owner, owned.pools) == ("sales-one", {})
    assert (pooled.owner, pooled.pools) == (None, {"sdr": "sdr", "sales": "sales"})
    assert routing.named_account("other.example") is None
    assert routing.named_account(None) is None

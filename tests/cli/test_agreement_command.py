"""``baton agreement``, without a cluster: check, show, diff, new, schema, test."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.agreement.source.read import AgreementRefused
from baton.agreement.source.yaml import read_yaml
from baton.cli.main import build

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples" / "agreements" / "demo.yaml"


def run(*arguments: str) -> Result:
    words = ["agreement", *arguments]
    return CliRunner().invoke(build(), words)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "agreement.yaml"
    text = (
        DEMO.read_text(encoding="utf-8")
        .replace("role_field: role", "role_field: rolle")
        .replace("cap: 30, per_day", "cap: 10, per_day")
    )
    file.write_text(text, encoding="utf-8")
    return file


def _line(file: Path, marker: str) -> int:
    text = file.read_text(encoding="utf-8")
    return text[: text.index(marker)].count("\n") + 1


def test_a_sound_agreement_is_reported_with_its_version() -> None:
    result = run("check", str(DEMO))
    assert result.exit_code == 0
    verdict, limits = result.stdout.splitlines()
    assert verdict.startswith(f"{DEMO}: version ")
    assert verdict.endswith("0 errors, 0 warnings")
    assert limits == "acts a day that count in events, intent, mailing, which set no per_day: 20"


def test_problems_are_reported_with_their_place_and_the_exit_code_says_so(bad: Path) -> None:
    result = run("check", str(bad))
    assert (result.exit_code, result.stdout) == (1, f"{bad}: 1 error, 1 warning\n")
    assert result.stderr.splitlines() == [
        f'{bad}:{_line(bad, "rolle")}: profile field "rolle" is not defined; did you mean "role"?',
        (
            f'{bad}:{_line(bad, "points: 8")}: warning: "download" gives 14 points, but its group '
            '"reading" is capped at 10'
        ),
    ]


def test_a_wrong_shape_does_not_claim_that_nothing_is_odd(bad: Path) -> None:
    bad.write_text(
        DEMO.read_text(encoding="utf-8")
        .replace("drip: 25", "drip: many")
        .replace("limit: 3", "limit: three"),
        encoding="utf-8",
    )
    last = run("check", str(bad)).stdout.splitlines()[-1]
    assert last.endswith(" 1 error; once it is mended there may be further errors and warnings")


def test_a_book_that_cannot_be_read_does_not_claim_that_nothing_else_is_wrong(bad: Path) -> None:
    bad.with_name("accounts.csv").write_text("account;owner\na.example;nobody\n")
    bad.write_text(f"{DEMO.read_text(encoding='utf-8')}\nbooks: {{accounts: accounts.csv}}\n")
    last = run("check", str(bad)).stdout.splitlines()[-1]
    assert last == f"{bad}: 1 error; once it is mended there may be further errors and warnings"


def test_problems_can_be_read_by_a_machine(bad: Path) -> None:
    found = json.loads(run("check", "--json", str(bad)).stdout)
    assert found["version"] is None
    assert [(row["line"], row["severity"], row["path"]) for row in found["problems"]] == [
        (_line(bad, "rolle"), "error", ["definitions", "role_field"]),
        (_line(bad, "points: 8"), "warning", ["engagement", "acts", "download", "points"]),
    ]


def test_what_is_not_sound_is_not_shown(bad: Path) -> None:
    assert isinstance(run("show", str(bad)).exception, AgreementRefused)


def test_an_agreement_is_shown_as_tables() -> None:
    shown = run("show", str(DEMO)).stdout
    for title in (
        "Levels: fit by engagement",
        "Fit",
        "Acts",
        "Groups of acts",
        "Pools",
        "Routing",
        "Promises",
        "Ladders",
        "Reasons",
        "Calendars",
        "Goals",
        "Segments",
        "From interest to MQL",
        "People",
        "Tracks",
        "Consent",
    ):
        assert f"\n{title}" in shown


def test_everything_that_is_signed_by_name_is_shown() -> None:
    shown = "".join(
        run("show", str(ROOT / "examples" / "agreements" / "software.yaml")).stdout.split()
    )
    plain = read_yaml(
        (ROOT / "examples" / "agreements" / "software.yaml").read_text(encoding="utf-8")
    ).data
    named = [plain[name] for name in ("fit", "calendars", "people", "pools")]
    named += [
        plain["engagement"]["acts"],
        plain["engagement"]["groups"],
        plain["recycling"]["tracks"],
        plain["recycling"]["reasons"],
    ]
    names = [name for section in named for name in section]
    names += [
        row["name"] for row in (*plain["definitions"]["segments"], *plain["routing"]["territories"])
    ]
    assert not [name for name in names if "".join(name.split()) not in shown]
    assert "behaviour.stage.decisionatleast1" in shown


def test_a_difference_is_reported_in_words(tmp_path: Path) -> None:
    other = tmp_path / "new.yaml"
    text = DEMO.read_text(encoding="utf-8")
    other.write_text(
        text.replace("demo_request: {points: 40,", "demo_request: {points: 30,"), encoding="utf-8"
    )
    result = run("diff", str(other), str(DEMO))
    assert result.stdout == "engagement\n  act demo_request: 30 -> 40 points\n1 changed\n"
    assert json.loads(run("diff", "--json", str(DEMO), str(DEMO)).stdout)["changes"] == []


def test_a_new_agreement_is_sound_and_writes_over_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert run("new", str(file)).exit_code == 0
    assert run("check", str(file)).stdout.splitlines()[0].endswith("0 errors, 0 warnings")
    again = run("new", str(file))
    assert (
        str(again.exception)
        == f"{file} is there already; give another name, or --force to write over it"
    )
    assert run("new", "--force", str(file)).exit_code == 0


def test_the_schema_is_written_or_printed(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    run("schema", "--out", str(file))
    assert run("schema").stdout == file.read_text(encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["required"][0] == "agreement"


def test_examples_are_run_and_the_exit_code_is_honest(tmp_path: Path) -> None:
    passed = run("test", str(DEMO))
    assert (passed.exit_code, passed.stdout.splitlines()[-1]) == (0, "3 passed, 0 differ")
    file = tmp_path / "wrong.yaml"
    file.write_text(
        DEMO.read_text(encoding="utf-8").replace("fit: 100,", "fit: 90,"), encoding="utf-8"
    )
    failed = run("test", str(file))
    assert failed.exit_code == 1
    assert failed.stdout.splitlines()[:2] == [
        "differs  A demo request of a good fit goes to sales and is due in four seconds",
        "           fit: expected 90, came to 100",
    ]

"""What the doctor says of the settings: impossible values, values that do not go together, files
that are not there, misspelt names."""

import os
from pathlib import Path

import pytest

from baton.cli.configuration import groups, problems, shown


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BATON_")]:
        monkeypatch.delenv(name)


def _said(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> list[tuple[bool, str]]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return [(problem.wrong, problem.text) for problem in problems(environment)]


@pytest.mark.parametrize(
    ("environment", "wrong", "words"),
    [
        (
            {"BATON_PARTITIONS": "0"},
            True,
            "BATON_PARTITIONS: Input should be greater than or equal to 1",
        ),
        (
            {"BATON_DEAD_LETTER_PERCENT": "101"},
            True,
            "BATON_DEAD_LETTER_PERCENT: Input should be less than or equal to 100",
        ),
        (
            {"BATON_INSECURE": "1", "BATON_GATEWAY_HOST": "0.0.0.0"},
            True,
            "BATON_INSECURE takes events without a key",
        ),
        (
            {"BATON_SECURITY_PROTOCOL": "SASL_SSL"},
            True,
            "SASL_SSL needs BATON_SASL_USERNAME and BATON_SASL_PASSWORD",
        ),
        (
            {"BATON_HEARTBEAT_MS": "10000"},
            True,
            "BATON_HEARTBEAT_MS is 10000, BATON_SESSION_TIMEOUT_MS 10000: a worker would",
        ),
        (
            {"BATON_HEARTBEAT_MS": "5000"},
            False,
            "BATON_HEARTBEAT_MS is 5000, BATON_SESSION_TIMEOUT_MS 10000: one or two",
        ),
        (
            {"BATON_BATCH_RECORDS": "9000"},
            False,
            "BATON_BATCH_RECORDS is 9000, but BATON_BUFFER_RECORDS fetches 8000 ahead",
        ),
        ({"BATON_METRICS_PORT": "65535"}, True, "BATON_METRICS_PORT 65535: `baton up` takes"),
        (
            {"BATON_GATEWAY_PORT": "9102"},
            True,
            "BATON_GATEWAY_PORT 9102 is one of the metrics' ports",
        ),
        (
            {"BATON_BROKER_PORT": "8080"},
            True,
            "BATON_GATEWAY_PORT and BATON_BROKER_PORT are both 8080",
        ),
        ({"BATON_AGREEMENT": "/nope.yaml"}, True, "BATON_AGREEMENT: /nope.yaml is no file"),
        (
            {"BATON_PARTITONS": "3"},
            True,
            "BATON_PARTITONS is read by nothing; did you mean BATON_PARTITIONS?",
        ),
        (
            {"BATON_GATEWAY_ADRESS": "x"},
            True,
            "BATON_GATEWAY_ADRESS is read by nothing; did you mean BATON_GATEWAY_",
        ),
        ({"BATON_COLOUR": "red"}, False, "BATON_COLOUR is read by nothing"),
    ],
)
def test_a_setting_that_cannot_be_so_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wrong: bool, words: str
) -> None:
    ((found, text),) = _said(monkeypatch, environment)
    assert (found, text[: len(words)]) == (wrong, words)


def test_settings_that_can_be_so_are_not_talked_about(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agreement = tmp_path / "a.yaml"
    agreement.touch()
    environment = {
        "BATON_PARTITIONS": "6",
        "BATON_AGREEMENT": str(agreement),
        "BATON_METRICS_PORT": "0",
        "BATON_BROKER_PORT": "0",
        "BATON_GATEWAY_PORT": "0",
        "BATON_DEBUG": "1",
        "PATH": "/bin",
    }
    assert _said(monkeypatch, environment) == []


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"BATON_PARTITIONS": "x", "BATON_RATE_EVENTS": "0", "BATON_ADOPT_KEY": "1"}
    assert len(_said(monkeypatch, environment)) == 3


def test_a_secret_is_never_shown_not_even_of_a_group_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BATON_WRITE_KEYS", "a:engagement:s3cret")
    assert "s3cret" not in str([shown(model) for model in groups().values()])
    monkeypatch.setenv("BATON_RATE_EVENTS", "0")
    values = shown(groups()["The gateway"])
    assert (values["write_keys"], values["rate_events"]) == ("******", "0")

"""``baton source check``: what cannot work is an error with its line, its path and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli.source import app
from baton.sources.source_model import SourcesModel
from baton.sources.source_reading import SourcesWrong, read_sources

LINE = """
          id: id
          kind: "'engagement'"
          identifiers.user: who
          engagement.act: "'bell'"
"""


def described(authenticate: str, *rules: str, head: str = "") -> str:
    events = "".join(f"      - {rule}line:{LINE.rstrip()}\n" for rule in rules or ("",))
    return (
        f"version: 1\n{head}sources:\n  bell:\n    authenticate:\n      {authenticate}\n"
        f"    events:\n{events}"
        "    examples:\n      - name: it rings\n        body: {id: '1', who: ann}\n"
        "        expect: [{identifiers.user: ann}]\n"
    )


def problems_in(text: str, folder: Path) -> list[str]:
    """The lines of the error, without the file's name."""
    file = folder / "sources.yaml"
    file.write_text(text)
    try:
        read_sources(file)
    except SourcesWrong as wrong:
        return [line.removeprefix(f"{file}:") for line in str(wrong).splitlines()]
    return []


TOKEN = "token: {header: X-Token, secret_env: BELL_SECRET}"
WHEN = "when: type == 'ring'\n        "
SIGNED = "header: X-Sign, secret_env: BELL_SECRET, over: "
OVER = "sources.bell.authenticate.hmac"
NO_TIMESTAMP = (
    "over uses {timestamp}, and nothing gives one: say timestamp: {header: ...}, or a pattern with "
    "a group (?P<timestamp>...)"
)
NO_URL = (
    "over uses {url}, and the file has no public_url: set public_url to the address that the "
    "sender calls, such as https://leads.example.com"
)
NO_SECRET = (
    "sources.bell.authenticate.token.secret_env must be the name of an environment variable, in "
    "capital letters, digits and _, such as BATON_SECRET_FORM; the secret itself does not belong "
    "in the file"
)
NO_PATH = "public_url must be scheme and host without a path, such as https://leads.example.com"
GROUP = "pattern: '^t=(?P<timestamp>[0-9]+),s=(?P<signature>.+)$'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            described(f"hmac: {{{SIGNED}'{{timestamp}}.{{body}}'}}"),
            [f"5: {OVER}.{NO_TIMESTAMP}"],
        ),
        (
            described(f"hmac: {{{SIGNED}'{{timestamp}}.{{body}}', timestamp: {{unit: seconds}}}}"),
            [f"5: {OVER}.{NO_TIMESTAMP}"],
        ),
        (
            described(
                f"hmac:\n        - {{{SIGNED}'{{body}}'}}\n"
                f"        - {{{SIGNED}'{{timestamp}}{{url}}{{body}}'}}"
            ),
            [f"7: {OVER}[2].{NO_TIMESTAMP}", f"7: {OVER}[2].{NO_URL}"],
        ),
        (described(f"hmac: {{{SIGNED}'{{url}}{{body}}'}}"), [f"5: {OVER}.{NO_URL}"]),
        (
            described(TOKEN, WHEN, "", WHEN, ""),
            [
                f"{line}: sources.bell.events[{number}] is never reached: events[2] has no when "
                "and takes every record; put it last, or give it a when"
                for line, number in ((18, 3), (24, 4))
            ],
        ),
    ],
)
def test_what_can_never_work_is_an_error_with_its_line_and_the_way_out(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert problems_in(text, tmp_path) == expected


@pytest.mark.parametrize(
    "text",
    [
        described(f"hmac: {{{SIGNED}'{{timestamp}}.{{body}}', timestamp: {{header: X-At}}}}"),
        described(f"hmac: {{{SIGNED}'{{timestamp}}.{{body}}', {GROUP}, timestamp: {{}}}}"),
        described(f"hmac: {{{SIGNED}'{{timestamp}}.{{body}}', {GROUP}}}"),
        described(
            f"hmac: {{{SIGNED}'{{url}}{{body}}'}}", head="public_url: https://leads.example.com\n"
        ),
        described(TOKEN, WHEN, WHEN, ""),
    ],
)
def test_what_can_work_is_taken(text: str, tmp_path: Path) -> None:
    assert problems_in(text, tmp_path) == []


def test_the_command_fails_where_a_rule_is_never_reached(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(described(TOKEN, "", WHEN))
    result = CliRunner().invoke(app, ["check", str(file)])
    assert (result.exit_code, type(result.exception)) == (1, SourcesWrong)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            described(f"hmac: {{algorithm: md5, {SIGNED}'{{body}}'}}"),
            [f"5: {OVER}.algorithm must be one of 'sha1', 'sha256', 'sha512'"],
        ),
        (
            described(f"hmac:\n        - {{{SIGNED}'{{body}}', keyed: perhaps}}"),
            [f"6: {OVER}[1].keyed must be true or false"],
        ),
        (
            described("hmac: {header: X-Sign}"),
            [f"5: {OVER}.secret_env is missing"],
        ),
        (described("hmac: []"), [f"5: {OVER} is empty: say at least one"]),
        (described("hmac: sha256"), [f"5: {OVER} must be a list of keys (key: value)"]),
        (
            described(
                f"hmac: {{{SIGNED}'{{timestamp}}{{body}}', "
                "timestamp: {header: A, tolerance_s: 0}}"
            ),
            [f"5: {OVER}.timestamp.tolerance_s must be at least 1"],
        ),
        (
            described("token: {header: X-Token, secret_env: hunter2-secret}"),
            [f"5: {NO_SECRET}"],
        ),
        (
            described(TOKEN, head="public_url: leads.example.com/hooks\n"),
            [f"2: {NO_PATH}"],
        ),
    ],
)
def test_what_the_models_refuse_is_said_in_plain_words_with_the_path_of_the_file(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert problems_in(text, tmp_path) == expected


def test_every_pattern_of_the_models_has_its_words() -> None:
    schema = SourcesModel.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    found = {
        name
        for model in models
        for name, field in model["properties"].items()
        for form in (field, *field.get("anyOf", ()))
        if "pattern" in form
    }
    assert found == {"secret_env", "verify_env", "public_url", "path", "redirect"}

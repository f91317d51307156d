"""Sources that are described in a file: signatures, total expressions, errors with their lines,
examples, and the gateway's hooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from baton.cli.source import app as source_app
from baton.sources.expressions import Expression, ExpressionWrong, TotalFunctions
from baton.sources.people import people_beside
from baton.sources.signatures import (
    NotAuthentic,
    SignedRequest,
    check_basic,
    check_hmac,
    check_token,
)
from baton.sources.source_examples import failures_of
from baton.sources.source_model import BasicRule, HmacRule, TimestampRule, TokenRule, secrets_of
from baton.sources.source_reading import SourcesWrong, read_sources, source_files
from services.ingest.gateway.adapters.declared import SecretMissing, declared_sources
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import KEYS, Served

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "sources"
NOW = 1_772_445_600_000
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
CREATED = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation",'
    b'"attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)


def request(**more: Any) -> SignedRequest:
    usual = {
        "method": "POST",
        "url": "https://leads.example.com/hooks/hubspot",
        "path": "/hooks/hubspot",
        "headers": {},
        "query": {},
        "body": CREATED,
        "received_at_ms": NOW,
    }
    return SignedRequest(**{**usual, **more})


# --- signatures

V1 = HmacRule(header="X-HubSpot-Signature", secret_env="SECRET", over="{secret}{body}", keyed=False)
V2 = HmacRule(
    header="X-HubSpot-Signature",
    secret_env="SECRET",
    over="{secret}{method}{url}{body}",
    keyed=False,
)
V3 = HmacRule(
    header="X-HubSpot-Signature-v3",
    secret_env="SECRET",
    encoding="base64",
    over="{method}{url}{body}{timestamp}",
    timestamp=TimestampRule(header="X-HubSpot-Request-Timestamp", unit="milliseconds"),
)


def test_the_published_vectors_of_hubspots_first_two_signatures_hold() -> None:
    first = {
        "x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    }
    check_hmac(V1, request(headers=first), SECRET)
    second = {
        "x-hubspot-signature": "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
    }
    check_hmac(
        V2,
        request(method="GET", url="https://www.example.com/webhook_uri", body=b"", headers=second),
        SECRET,
    )


def third(
    body: bytes = CREATED,
    at_ms: int = NOW,
    secret: str = SECRET,
    url: str = "https://leads.example.com/hooks/hubspot",
) -> dict[str, str]:
    signed = b"POST" + url.encode() + body + str(at_ms).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
    return {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": str(at_ms)}


def test_a_signature_over_all_of_a_request_holds() -> None:
    check_hmac(V3, request(headers=third()), SECRET)
    check_hmac(V3, request(headers=third(at_ms=NOW - 299_000)), SECRET)
    check_hmac(V3, request(headers=third(at_ms=NOW + 4_000)), SECRET)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"headers": {}}, "the header X-HubSpot-Signature-v3 is missing"),
    "another secret": ({"headers": third(secret="other")}, "the signature is not"),
    "another body": (
        {"headers": third(), "body": CREATED.replace(b"123,", b"124,")},
        "the signature is not",
    ),
    "the body written anew": (
        {"headers": third(), "body": json.dumps(json.loads(CREATED)).encode()},
        "the signature is not",
    ),
    "another address": (
        {"headers": third(), "url": "https://leads.example.com/hooks/other"},
        "the signature is not",
    ),
    "an old one": ({"headers": third(at_ms=NOW - 301_000)}, "it was signed more than 300 s ago"),
    "one from the future": (
        {"headers": third(at_ms=NOW + 6_000)},
        "the signed moment is in the future",
    ),
    "another moment than signed": (
        {"headers": third() | {"x-hubspot-request-timestamp": str(NOW - 1)}},
        "the signature is not",
    ),
    "no moment": (
        {"headers": {"x-hubspot-signature-v3": third()["x-hubspot-signature-v3"]}},
        "the signed moment is missing",
    ),
    "a moment that is no number": (
        {"headers": third() | {"x-hubspot-request-timestamp": "now"}},
        "the signed moment is missing",
    ),
    "no base64": ({"headers": third() | {"x-hubspot-signature-v3": "%%%"}}, "the signature is not"),
    "an empty one": ({"headers": third() | {"x-hubspot-signature-v3": ""}}, "the signature is not"),
}


@pytest.mark.parametrize(("more", "reason"), WRONG.values(), ids=WRONG)
def test_a_request_that_is_not_the_sources_is_refused_with_the_reason(
    more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotAuthentic) as refused:
        check_hmac(V3, request(**more), SECRET)
    assert str(refused.value).startswith(reason)
    assert SECRET not in str(refused.value)


def test_moment_and_signature_may_stand_in_one_header() -> None:
    rule = HmacRule(
        header="Calendly-Webhook-Signature",
        secret_env="SECRET",
        pattern="t=(?P<timestamp>[0-9]+),v1=(?P<signature>[0-9a-f]+)",
        over="{timestamp}.{body}",
        timestamp=TimestampRule(),
    )
    at_s = NOW // 1_000
    signature = hmac.new(b"key", f"{at_s}.".encode() + CREATED, hashlib.sha256).hexdigest()
    check_hmac(
        rule, request(headers={"calendly-webhook-signature": f"t={at_s},v1={signature}"}), "key"
    )
    for wrong in (
        f"t={at_s - 1},v1={signature}",
        f"v1={signature}",
        f"t={at_s - 400},v1={signature}",
    ):
        with pytest.raises(NotAuthentic):
            check_hmac(rule, request(headers={"calendly-webhook-signature": wrong}), "key")


def test_tokens_and_passwords_are_compared_whole() -> None:
    header, query = (
        TokenRule(header="X-Token", secret_env="SECRET"),
        TokenRule(query="token", secret_env="SECRET"),
    )
    check_token(header, request(headers={"x-token": "abc"}), "abc")
    check_token(query, request(query={"token": "abc"}), "abc")
    shown = base64.b64encode(b"bell:abc").decode()
    check_basic(
        BasicRule(user="bell", secret_env="SECRET"),
        request(headers={"authorization": f"Basic {shown}"}),
        "abc",
    )
    for rule, more in (
        (header, {}),
        (header, {"headers": {"x-token": "ab"}}),
        (query, {"query": {"token": "abcd"}}),
    ):
        with pytest.raises(NotAuthentic):
            check_token(rule, request(**more), "abc")
    for wrong in (
        "",
        "Basic ",
        f"Bearer {shown}",
        "Basic " + base64.b64encode(b"bell:ab").decode(),
    ):
        with pytest.raises(NotAuthentic):
            check_basic(
                BasicRule(user="bell", secret_env="SECRET"),
                request(headers={"authorization": wrong}),
                "abc",
            )


# --- expressions

RECORD = {
    "a": "Ann Berg",
    "n": 7,
    "t": True,
    "z": None,
    "list": [1, "x"],
    "o": {"a": 1},
    "s": 1_564_113_600.5,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("text(n)", "7"),
        ("text(t)", "true"),
        ("text(z)", None),
        ("text(o)", None),
        ("lower(a)", "ann berg"),
        ("lower(n)", None),
        ("trim('  ')", None),
        ("word('Demo Requested!')", "demo_requested"),
        ("word('!')", None),
        ("before(a, ' ')", "Ann"),
        ("after(a, ' ')", "Berg"),
        ("after(a, '#')", None),
        ('lookup(n, `{"7": "seven"}`)', "seven"),
        ('lookup(missing, `{"7": "seven"}`)', None),
        ("from_seconds(s)", 1_564_113_600_500),
        ("join('-', ['x', text(n)])", "x-7"),
        ("join('-', ['x', missing])", None),
        ("sum(list)", None),
        ("avg(`[]`)", None),
        ("to_number(a)", None),
        ("sort_by(list, &a)", None),
        ("max(list)", None),
        ("length(n)", None),
        ("minor('48000.50', 'EUR')", 4_800_050),
        ("minor(s, 'EUR')", 156_411_360_050),
        ("minor('4.8E7', 'JPY')", 48_000_000),
        ("minor('1.0005', 'KWD')", 1_001),
        ("minor('48.000,50', 'EUR')", None),
        ("minor('nan', 'EUR')", None),
        ("minor(`1e400`, 'EUR')", None),
        ("minor(n, 'euro')", None),
        ("minor(t, 'EUR')", None),
        ("day('2026-05-31', 'Europe/Berlin')", "2026-05-31"),
        ("day('2026-05-31T23:30:00Z', 'Europe/Berlin')", "2026-06-01"),
        ("day('1780264800000', 'Europe/Berlin')", "2026-06-01"),
        ("day(`1780264800000`, 'America/New_York')", "2026-05-31"),
        ("day('2026-02-30', 'UTC')", None),
        ("day('2026-05-31T23:30:00', 'UTC')", None),
        ("day('2026-05-31T23:30:00Z', '../../etc/passwd')", None),
        ("day('next week', 'UTC')", None),
        ("spread(o, 'id', list)", [{"a": 1, "id": 1}, {"a": 1, "id": "x"}]),
        ("spread(o, 'id', missing)", [{"a": 1}]),
        ("spread(n, 'id', list)", None),
        ("from_seconds(`1e999`)", None),
        ("missing.deeper[0].x", None),
    ],
)
def test_what_cannot_be_computed_is_null(text: str, value: Any) -> None:
    assert Expression(text).value(RECORD) == value


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(TotalFunctions.FUNCTION_TABLE)), JSONS, JSONS)
def test_no_function_raises_whatever_it_is_given(name: str, first: Any, second: Any) -> None:
    wanted = TotalFunctions.FUNCTION_TABLE[name]["signature"]
    takes_expression = [
        ("expref" in (function_table.get("types") or [])) for function_table in wanted
    ]
    given_ = [
        "&a" if expression else place
        for expression, place in zip(takes_expression, ("a", "b", "a"), strict=False)
    ]
    Expression(f"{name}({', '.join(given_)})").value({"a": first, "b": second})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a[", "is no JMESPath"),
        ("upper(a)", "there is no function upper()"),
        ("text()", "text() takes 1 argument, not 0"),
        ("a.b[?before(x)]", "before() takes 2 arguments, not 1"),
        ("a || !b.c", "!a.b is read as (!a).b, which is never true: say !(a.b)"),
        ("a[?!b.c.d]", "!a.b is read as (!a).b"),
        ("a" * 2_001, "has more than 2000 characters"),
    ],
)
def test_an_expression_that_cannot_work_is_refused_when_it_is_read(text: str, reason: str) -> None:
    with pytest.raises(ExpressionWrong) as wrong:
        Expression(text)
    assert str(wrong.value).startswith(reason)


# --- files


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_sources_do_what_their_examples_say(path: Path) -> None:
    model = read_sources(path)
    people = people_beside(path, model.people)
    for source in model.sources.values():
        assert failures_of(source, people) == []


BELL = """version: 1
sources:
  bell:
    authenticate:
      token: {header: X-Token, secret_env: BELL_SECRET}
    ignore: type == 'ping'
    events:
      - line:
          id: id
          kind: "'engagement'"
          occurred_at: at
          identifiers.user: who
          engagement.act: "'bell'"
    examples:
      - name: it rings
        body: {id: "1", at: 1772445600000, who: ann}
        expect: [{identifiers.user: ann}]
"""


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("who", "upper(who)"), 12, "there is no function upper()"),
        (("          id: id\n", ""), 8, "needs id, kind and at least one of identifiers"),
        (("engagement.act", "engagment.act"), 13, "engagment.act is no field of an event line"),
        (("    ignore:", "    ignores:"), 6, "is not a key here"),
        (("{header: X-Token,", "{header: X-Token, query: t,"), 5, "in a field: say one"),
        (
            ("token: {header: X-Token,", "hmac: {header: X-Token, over: '{timestamp}',"),
            5,
            "over must have {body}",
        ),
        (
            ("secret_env: BELL_SECRET", "secret_env: hunter2"),
            5,
            "token.secret_env must be the name of an environment",
        ),
        (("version: 1", "version: 2"), 1, "must be one of 1"),
        (("  bell:", "  Bell:"), 3, "sources.Bell cannot be the name of a source"),
    ],
)
def test_what_is_wrong_with_a_file_is_reported_by_its_line(
    change: tuple[str, str], line: int, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "sources.yaml"
    assert change[0] in BELL
    file.write_text(BELL.replace(*change, 1))
    with pytest.raises(SourcesWrong) as wrong:
        read_sources(file)
    assert str(wrong.value).startswith(f"{file}:{line}: ")
    assert reason in str(wrong.value)


def test_a_source_without_its_secret_does_not_start_and_two_with_one_path_neither(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.yaml").write_text(BELL)
    with pytest.raises(SecretMissing, match="BELL_SECRET"):
        declared_sources(tmp_path, {})
    assert len(declared_sources(tmp_path, {"BELL_SECRET": "x"})) == 1
    (tmp_path / "b.yaml").write_text(BELL)
    with pytest.raises(SourcesWrong, match="/hooks/bell"):
        declared_sources(tmp_path, {"BELL_SECRET": "x"})
    assert declared_sources(None) == ()


def test_the_command_checks_tests_and_begins_a_source(tmp_path: Path) -> None:
    run = CliRunner().invoke
    begun = run(source_app, ["new", "calls"])
    file = tmp_path / "calls.yaml"
    file.write_text(begun.stdout)
    assert (
        run(source_app, ["check", str(file)]).stdout
        == "calls: POST /hooks/calls, secret in BATON_SECRET_CALLS, 1 rules\n"
    )
    assert run(source_app, ["test", str(file)]).stdout == "calls: 1 examples, all as expected\n"
    file.write_text(begun.stdout.replace("profile.country: DE}", "profile.country: FR}"))
    failed = run(source_app, ["test", str(file)])
    assert (failed.exit_code, failed.stdout.splitlines()[1]) == (
        1,
        "  a form is sent: event 1: profile.country is 'DE', 'FR' expected",
    )


# --- the gateway's hooks


def hooks(served: Served, folder: Path, environment: dict[str, str]) -> httpx.AsyncClient:
    own = GatewaySettings(write_keys=KEYS)
    app = Gateway(served.publish, key_ring(own), own, now_ms=lambda: NOW).app(
        declared_sources(folder, environment)
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.internal")


async def test_hubspot_sends_to_its_hook_behind_a_proxy_and_only_hubspot() -> None:
    served = Served()
    secrets = {
        name: SECRET
        for file in source_files(EXAMPLES)
        for source in read_sources(file).sources.values()
        for name in secrets_of(source)
    }
    body = CREATED.replace(
        b"]",
        b',{"eventId":2,"subscriptionType":"contact.creation"},{"subscriptionType":"company.creation"}]',
    )
    async with hooks(served, EXAMPLES, secrets) as client:
        answer = await client.post("/hooks/hubspot", content=body, headers=third(body))
        again = await client.post("/hooks/hubspot", content=body, headers=third(body))
        url = "https://leads.example.com/hooks/hubspot?x=%20"
        with_query = await client.post(
            "/hooks/hubspot?x=%20", content=CREATED, headers=third(url=url)
        )
        forged = await client.post(
            "/hooks/hubspot", content=body, headers=third(body, secret="guess")
        )
        key = await client.post(
            "/hooks/hubspot", content=body, auth=(KEYS.split(":")[2].split(",")[0], "")
        )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert [(row["index"], row["field"]) for row in answer.json()["rejected"]] == [(1, "id")]
    assert [response.status_code for response in (again, with_query, forged, key)] == [
        200,
        200,
        401,
        401,
    ]
    assert len({record.event_id for record in served.records}) == 1
    (crm,) = served.records[0].identifiers
    assert (served.records[0].source, crm.scheme, crm.value) == ("hubspot", "crm", "hubspot:123")


async def test_records_that_are_ignored_are_a_success_and_scopes_hold(tmp_path: Path) -> None:
    served = Served()
    (tmp_path / "bell.yaml").write_text(BELL.replace("\"'engagement'\"", "kind || 'engagement'"))
    erasure = {"id": "1", "at": NOW, "who": "ann", "kind": "erasure"}
    async with hooks(served, tmp_path, {"BELL_SECRET": "s"}) as client:
        ping = await client.post("/hooks/bell", json={"type": "ping"}, headers={"x-token": "s"})
        rung = await client.post(
            "/hooks/bell", json=[{"id": "1", "at": NOW, "who": "ann"}], headers={"x-token": "s"}
        )
        empty = await client.post("/hooks/bell", json=7, headers={"x-token": "s"})
    assert (
        ping.status_code,
        ping.json()["accepted"],
        rung.status_code,
        rung.json()["accepted"],
    ) == (200, 0, 200, 1)
    assert empty.status_code == 400
    (tmp_path / "bell.yaml").write_text(
        BELL.replace("\"'engagement'\"", "kind").replace(
            "          engagement.act: \"'bell'\"\n", ""
        )
    )
    async with hooks(served, tmp_path, {"BELL_SECRET": "s"}) as client:
        forbidden = await client.post("/hooks/bell", json=[erasure], headers={"x-token": "s"})
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "out_of_scope")
    assert len(served.records) == 1

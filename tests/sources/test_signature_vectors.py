"""The signatures of the shipped sources against fixed values that OpenSSL computed, and every way
in which such a request can be wrong: another secret, an old or early moment, a body written
anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from baton.sources.signatures import NotAuthentic, SignedRequest, check_signatures
from baton.sources.source_model import secrets_of
from baton.sources.source_reading import read_sources

SOURCES = Path(__file__).resolve().parents[2] / "examples" / "sources"
SECRET = "a-secret-of-the-vectors"
BODY = '{"event": "ping", "note": "Grüße"}'.encode()
NOW = 1_772_445_600_000
HEX = "60dd2eabf8a887a7deec8c0abc9fe450aa7ea5e44b5a519f2903b2467126fb87"

VECTORS = {
    "hubspot v1": (
        "hubspot",
        {
            "x-hubspot-signature-version": "v1",
            "x-hubspot-signature": (
                "961951a5486ac560c97f47d3eca47c72c5647c05938100b7a756e3e6eb17d1f5"
            ),
        },
    ),
    "hubspot v2": (
        "hubspot",
        {
            "x-hubspot-signature-version": "v2",
            "x-hubspot-signature": (
                "573f2cc74b1d557f3e9e6cfe41b2632f38dfcbcaff7181788a0a6c55782cef45"
            ),
        },
    ),
    "hubspot v3": (
        "hubspot",
        {
            "x-hubspot-signature-v3": "HHpS/BdKXs5EsYrTKLBf9HLoQ1MdXCr+Xnewxe0KjCc=",
            "x-hubspot-request-timestamp": "1772445600000",
        },
    ),
    "calendly": (
        "calendly",
        {
            "calendly-webhook-signature": (
                "t=1772445600,v1=3895729568141cd7d78cef2d7ccbeec0d4d858db0fce4b958b9a4f5991b34a0b"
            )
        },
    ),
    "typeform": (
        "typeform",
        {"typeform-signature": "sha256=YN0uq/ioh6fe7IwKvJ/kUKp+peRLWlGfKQOyRnEm+4c="},
    ),
    "cal.com": ("cal", {"x-cal-signature-256": HEX}),
    "facebook": ("facebook", {"x-hub-signature-256": f"sha256={HEX}"}),
    "linkedin": (
        "linkedin",
        {"x-li-signature": "454ae5807ef2254e833545b343f04e68f414abfeac1985ecff08113480c226ae"},
    ),
    "linkedin, the word in the header": ("linkedin", {"x-li-signature": f"hmacsha256={HEX}"}),
    "linkedin, no word": ("linkedin", {"x-li-signature": HEX}),
    "linkedin, the word in both": (
        "linkedin",
        {
            "x-li-signature": (
                "hmacsha256=454ae5807ef2254e833545b343f04e68f414abfeac1985ecff08113480c226ae"
            )
        },
    ),
}
WITH_MOMENT = ("hubspot v3", "calendly")


def check(
    vector: str,
    *,
    body: bytes = BODY,
    secret: str = SECRET,
    now_ms: int = NOW,
    method: str = "POST",
) -> None:
    source, headers = VECTORS[vector]
    model = read_sources(SOURCES / f"{source}.yaml").sources[source]
    path = f"/hooks/{source}"
    request = SignedRequest(
        method=method,
        url=f"https://leads.example.com{path}",
        path=path,
        headers=headers,
        query={},
        body=body,
        received_at_ms=now_ms,
    )
    secrets = dict.fromkeys(secrets_of(model), secret)
    check_signatures(model.authenticate.signatures, request, secrets)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_signature_that_openssl_has_computed_holds(vector: str) -> None:
    check(vector)


@pytest.mark.parametrize("vector", VECTORS)
def test_it_holds_for_no_other_secret_and_no_other_bytes(vector: str) -> None:
    written_anew = json.dumps(json.loads(BODY)).encode()
    assert json.loads(written_anew) == json.loads(BODY)
    for body, secret in ((BODY, SECRET + "x"), (written_anew, SECRET), (BODY + b"\n", SECRET)):
        with pytest.raises(NotAuthentic):
            check(vector, body=body, secret=secret)


@pytest.mark.parametrize("vector", WITH_MOMENT)
def test_a_moment_that_is_signed_must_be_of_now(vector: str) -> None:
    check(vector, now_ms=NOW + 150_000)
    for now_ms in (NOW + 301_000, NOW - 60_000):
        with pytest.raises(NotAuthentic, match="ago|future"):
            check(vector, now_ms=now_ms)

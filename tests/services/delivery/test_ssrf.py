"""Where a webhook is not sent: every way round the check that is known, one line each."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from services.delivery.store.outbox import Delivery
from services.delivery.targets.target_model import WebhookTarget
from services.delivery.webhooks.addresses import refusal_of
from services.delivery.webhooks.webhook_carrier import WebhookCarrier
from tests.services.delivery.receivers import Receiver, receiving

SECRET = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",  # a carrier's
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",  # metadata of clouds
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",  # metadata elsewhere
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",  # mapped
        "::ffff:169.254.169.254",
        "::ffff:a00:1",
        "::127.0.0.1",  # compatible
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",  # 6to4
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
        "::ffff:0:127.0.0.1",  # translated (SIIT)
        "2606:4700::5efe:7f00:1",  # ISATAP
        "2606:4700::200:5efe:a9fe:a9fe",
        "3fff::1",  # documentation
        "5f00::1",  # segment routing
        "fc00::1",
        "fd00:ec2::254",  # metadata by IPv6
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "no address",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal_of(address) is not None


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "8.8.8.8",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_a_public_address_is_not(address: str) -> None:
    assert refusal_of(address) is None


def test_the_escape_is_a_list_of_networks() -> None:
    inner = [ipaddress.ip_network("10.1.0.0/16")]
    assert refusal_of("10.1.2.3", inner) is None
    assert refusal_of("::ffff:10.1.2.3", inner) is None
    assert refusal_of("10.2.0.1", inner) is not None
    assert refusal_of("127.0.0.1", inner) is not None


def target(url: str, **more: Any) -> WebhookTarget:
    return WebhookTarget(
        **{"url": url, "secret_env": ("BATON_X",), "topics": ("leads.stages.v1",)} | more
    )


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://hooks.example/x", {}),
        ("ftp://hooks.example/x", {"allow_networks": ("10.0.0.0/8",)}),
        ("file:///etc/passwd", {}),
        ("https://user@hooks.example/x", {}),
        ("https://user:pass@hooks.example/x", {}),
        ("https://hooks.example/x#fragment", {}),
        ("https:///x", {}),
        ("https://hooks.example:22/x", {}),
        ("https://hooks.example:6379/x", {}),
        ("https://hooks.example:99999/x", {}),
    ],
)
def test_an_unsafe_url_is_refused_when_it_is_written(url: str, more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        target(url, **more)


def delivery(name: str = "msg_1") -> Delivery:
    return Delivery(
        seq=1,
        id=name,
        target="t",
        kind="webhook",
        topic="leads.stages.v1",
        lead_id=None,
        payload='{"a":1}',
        attempts=0,
        begun_ms=None,
        resent=False,
    )


def resolving(*answers: Sequence[str]) -> Any:
    """A resolver with another answer each time, the last one for ever; ``asked`` counts."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        resolve.asked += 1  # type: ignore[attr-defined]
        return answers[min(resolve.asked, len(answers)) - 1]  # type: ignore[attr-defined]

    resolve.asked = 0  # type: ignore[attr-defined]
    return resolve


async def attempt(goal: WebhookTarget, context: ssl.SSLContext | None = None, **more: Any) -> Any:
    carrier = WebhookCarrier(goal, [SECRET], context or ssl.create_default_context(), **more)
    try:
        return (await carrier.carry([delivery()]))[0]
    finally:
        await carrier.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
async def test_the_loopback_is_not_called_however_it_is_written(host: str) -> None:
    async with receiving(Receiver()) as receiver:
        goal = target(f"https://{host}:{receiver.port}/", ports=(receiver.port,))
        outcome = await attempt(goal)
    assert (outcome.ok, receiver.connections) == (False, 0)
    assert "loopback" in outcome.words or "no connection" in outcome.words


async def test_one_private_address_among_public_ones_spoils_them_all() -> None:
    resolver = resolving(["93.184.215.14", "10.0.0.1"])
    outcome = await attempt(target("https://hooks.example/"), resolver=resolver)
    assert outcome.words == "the name leads to an address that is not allowed: it is private"


async def test_it_connects_to_the_address_that_was_checked_and_asks_no_second_time() -> None:
    """The second answer of the name would be another address: rebinding."""
    async with receiving(Receiver()) as receiver:
        resolver = resolving(["127.0.0.1"], ["10.0.0.1"])
        goal = target(
            f"http://rebound.example:{receiver.port}/",
            ports=(receiver.port,),
            allow_networks=(LOOPBACK,),
        )
        outcome = await attempt(goal, resolver=resolver)
    assert (outcome.ok, resolver.asked, len(receiver.requests)) == (True, 1, 1)
    assert receiver.requests[0].headers["host"] == f"rebound.example:{receiver.port}"


async def test_a_name_that_changes_to_a_private_address_is_refused_at_the_next_attempt() -> None:
    async with receiving(
        Receiver(answer=lambda number: (200, {"Connection": "close"}))
    ) as receiver:
        goal = target(
            f"http://rebound.example:{receiver.port}/",
            ports=(receiver.port,),
            allow_networks=(LOOPBACK,),
        )
        carrier = WebhookCarrier(
            goal,
            [SECRET],
            ssl.create_default_context(),
            resolver=resolving(["127.0.0.1"], ["169.254.169.254"]),
        )
        first, *_ = await carrier.carry([delivery("msg_1")])
        await asyncio_settle()
        second, *_ = await carrier.carry([delivery("msg_2")])
        await carrier.close()
    assert (first.ok, second.ok, len(receiver.requests)) == (True, False, 1)
    assert "link-local" in second.words


async def asyncio_settle() -> None:
    import asyncio

    await asyncio.sleep(0.05)


async def test_http_goes_to_the_allowed_networks_only() -> None:
    goal = target("http://hooks.example/", ports=(80,), allow_networks=("10.1.0.0/16",))
    outcome = await attempt(goal, resolver=resolving(["93.184.215.14"]))
    assert outcome.words == "http: is for addresses of allow_networks only"


async def test_tls_checks_the_name_though_the_connection_is_to_an_address() -> None:
    authority = trustme.CA()
    served, trusting = (
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        ssl.create_default_context(),
    )
    authority.issue_cert("hooks.example").configure_cert(served)
    authority.configure_trust(trusting)
    async with receiving(Receiver(), tls=served) as receiver:
        more = {"ports": (receiver.port,), "allow_networks": (LOOPBACK,)}
        good = target(f"https://hooks.example:{receiver.port}/", **more)
        other = target(f"https://other.example:{receiver.port}/", **more)
        here = resolving(["127.0.0.1"])
        assert (await attempt(good, trusting, resolver=here)).ok
        refused = await attempt(other, trusting, resolver=here)
    assert (refused.ok, len(receiver.requests)) == (False, 1)


async def test_all_checked_addresses_are_tried() -> None:
    async with receiving(Receiver()) as receiver:
        goal = target(
            f"http://two.example:{receiver.port}/",
            ports=(receiver.port,),
            allow_networks=(LOOPBACK,),
        )
        outcome = await attempt(goal, resolver=resolving(["127.0.0.2", "127.0.0.1"]))
    assert outcome.ok


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    async with receiving(Receiver()) as inner:
        away = {"Location": f"http://127.0.0.1:{inner.port}/"}
        async with receiving(Receiver(answer=lambda number: (status, away))) as receiver:
            outcome = await attempt(local(receiver))
    assert (outcome.ok, outcome.status, inner.requests) == (False, status, [])


async def test_proxies_of_the_environment_and_netrc_do_not_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    async with receiving(Receiver()) as proxy, receiving(Receiver()) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert (await attempt(local(receiver))).ok
    assert proxy.requests == []
    assert "authorization" not in receiver.requests[0].headers


async def test_an_egress_proxy_gets_the_request_where_one_is_set() -> None:
    async with receiving(Receiver()) as proxy:
        goal = target("http://hooks.example/x", ports=(80,), allow_networks=("10.0.0.0/8",))
        outcome = await attempt(goal, proxy=f"http://127.0.0.1:{proxy.port}")
    assert outcome.ok
    assert proxy.requests[0].path == "http://hooks.example:80/x" or proxy.requests[
        0
    ].path.startswith("http://hooks.example/")


async def test_an_egress_proxy_does_not_get_a_private_address_either() -> None:
    async with receiving(Receiver()) as proxy:
        goal = target("https://169.254.169.254/latest", ports=(443,))
        outcome = await attempt(goal, proxy=f"http://127.0.0.1:{proxy.port}")
    assert (outcome.ok, proxy.requests) == (False, [])
    assert "link-local" in outcome.words


async def test_of_a_long_answer_no_more_than_a_kilobyte_is_read_and_none_is_kept() -> None:
    long = {"body": "secret" * 100_000}
    async with receiving(Receiver(answer=lambda number: (500, dict(long)))) as receiver:
        outcome = await attempt(local(receiver))
    assert outcome.words == "500"


def local(receiver: Receiver, **more: Any) -> WebhookTarget:
    values = {"ports": (receiver.port,), "allow_networks": (LOOPBACK,)} | more
    return target(f"http://127.0.0.1:{receiver.port}/hook", **values)

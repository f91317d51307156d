"""Which requests to a worker's pages are refused."""

import pytest

from baton.engine.kafka.page_guard import refusal

LOCAL = "127.0.0.1:9100"


@pytest.mark.parametrize(
    ("method", "headers", "local", "status"),
    [
        ("GET", {"host": LOCAL}, True, None),
        ("HEAD", {"host": "localhost:9100"}, True, None),
        ("GET", {"host": "[::1]:9100"}, True, None),
        ("GET", {"host": LOCAL, "origin": "http://localhost:3000"}, True, None),
        ("POST", {"host": LOCAL}, True, 405),
        ("POST", {"host": "worker-1:9100"}, False, 405),
        ("GET", {"host": "rebound.example:9100"}, True, 403),
        ("GET", {"host": "127.0.0.1.rebound.example"}, True, 403),
        ("GET", {}, True, 403),
        ("GET", {"host": "[::1"}, True, 403),
        ("GET", {"host": LOCAL, "origin": "https://elsewhere.example"}, True, 403),
        ("GET", {"host": LOCAL, "origin": "null"}, True, 403),
        ("GET", {"host": "10.1.2.3:9100"}, False, None),
        ("GET", {"host": "worker-1.baton.svc:9100"}, False, None),
    ],
)
def test_a_workers_pages_are_only_read_and_locally_only_by_a_loopback_name(
    method: str, headers: dict[str, str], local: bool, status: int | None
) -> None:
    refused = refusal(method, headers, local=local)
    assert (None if refused is None else refused[0]) == status

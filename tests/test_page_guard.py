"""Which requests to the pages of a process are refused."""

from pathlib import Path

import httpx
import pytest

from baton.page_guard import Application, refusal
from services.delivery.log.follower import FollowerState
from services.delivery.log.follower import Standing as Followed
from services.delivery.operations import health_app
from services.delivery.operations import operations_app as delivery_pages
from services.ingest.gateway.operations import operations_app as gateway_pages
from services.insights.board.operations import operations_app as board_pages
from services.insights.projection.projector import ProjectorState
from services.insights.projection.projector import Standing as Projected

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


def _pages(name: str, host: str, nowhere: Path) -> Application:
    """The pages that a process has beside its work, at an address."""
    return {
        "gateway": lambda: gateway_pages(list, host=host),
        "insights": lambda: board_pages(
            lambda: True, lambda: Projected(state=ProjectorState.BUILDING), host=host
        ),
        "delivery": lambda: delivery_pages(
            lambda: True, lambda: Followed(state=FollowerState.CATCHING_UP), nowhere, host=host
        ),
        "concierge": lambda: health_app(lambda: True, host=host),
    }[name]()


@pytest.mark.parametrize("name", ["gateway", "insights", "delivery", "concierge"])
async def test_no_page_of_another_site_reads_the_pages_of_a_process_on_this_machine(
    name: str, tmp_path: Path
) -> None:
    async def asked(at: str, **headers: str) -> list[int]:
        transport = httpx.ASGITransport(app=_pages(name, at, tmp_path / "no-store"))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            paths = ("/healthz", "/readyz", "/metrics")
            return [(await client.get(path, headers=headers)).status_code for path in paths]

    assert await asked("127.0.0.1") == [200, 200, 200]
    assert await asked("127.0.0.1", host="rebound.example") == [403, 403, 403]
    assert await asked("127.0.0.1", origin="https://elsewhere.example") == [403, 403, 403]
    assert await asked("0.0.0.0", host="delivery:9100") == [200, 200, 200]

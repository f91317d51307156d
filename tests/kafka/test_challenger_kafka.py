"""A challenger on a running Baton: half of the accounts are scored by it, a decision names who made
it, and after its end everybody is scored alike."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.challengers import Challenge, in_arm
from baton.agreement.publish import KafkaAgreementTopic, book_of
from baton.cli.cluster import cluster_settings
from baton.local.up.preparing import example_agreement
from baton.local.up.system import System
from tests.kafka.command_line import Line

FIRST = Path(example_agreement()).with_name("first.yaml")
LiveSystem = Callable[[Path], AbstractContextManager[System]]
HALF_PPM = 500_000


def agreements(folder: Path) -> tuple[Path, Path]:
    """One that a form of 12 points does not make ready, and one that it does."""
    text = FIRST.read_text(encoding="utf-8").partition("\nexamples:")[0] + "\n"
    old, new = folder / "old.yaml", folder / "new.yaml"
    old.write_text(text, encoding="utf-8")
    lower = text.replace("3: {enter: 20, exit: 12}", "3: {enter: 10, exit: 8}")
    new.write_text(lower, encoding="utf-8")
    return old, new


def companies(version: str, number: int) -> tuple[list[str], list[str]]:
    """Accounts of the challenger's arm and of the other, so many of each."""
    names = [f"firm{index}.example" for index in range(20 * number)]
    inside = [name for name in names if in_arm(name, version, HALF_PPM)]
    outside = [name for name in names if not in_arm(name, version, HALF_PPM)]
    return inside[:number], outside[:number]


def lines(accounts: Iterable[str], act: str) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return "".join(
        json.dumps(
            {
                "id": f"{act}-{account}",
                "source": "web",
                "kind": "engagement",
                "occurred_at": now,
                "identifiers": {"email": f"ann@{account}"},
                "engagement": {"act": act},
                "profile": {"country": "DE", "employees": 300, "role": "VP"},
                "person": {"phone": "+49 30 1234567"},
            }
        )
        + "\n"
        for account in accounts
    )


class Running:
    """What a running Baton has said so far of qualifications, and what is sent to it."""

    def __init__(self, baton: Line, folder: Path) -> None:
        self.baton, self._file = baton, folder / "events.jsonl"

    def send(self, accounts: Iterable[str], act: str) -> None:
        self._file.write_text(lines(accounts, act), encoding="utf-8")
        code, said = self.baton.run("send", str(self._file), "--via", "kafka", "--source", "web")
        assert code == 0, said

    def challenge(self) -> Challenge:
        return book_of(KafkaAgreementTopic(cluster_settings()).read()).challenges()[-1]

    def wait_until(self, at_ms: int) -> None:
        self.baton.until(lambda: time.time() * 1000 > at_ms + 500)

    def of(self, topic: str) -> dict[str, str]:
        """By account: the agreement that decided last, by the records of a topic of leads."""
        words = ("tail", topic, "--from-beginning", "--no-follow")
        values = [one["value"] for one in self.baton.documents(*words)]
        return {_account_of(value): value["agreement"] for value in values}


def _account_of(value: dict[str, Any]) -> str:
    qualified = value.get("qualified", value)
    return str(qualified["story"]["account_id"])


@pytest.mark.kafka
@pytest.mark.slow
def test_half_the_accounts_are_scored_by_the_challenger_until_it_is_stopped(
    live_system: LiveSystem, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    baton = Line(capsys)
    old, new = agreements(tmp_path)
    with live_system(old):
        running = Running(baton, tmp_path)
        for side in ("marketing", "sales"):
            words = ("agreement", "approve", str(new), "--as", side, "--by", side)
            assert baton.run(*words)[0] == 0
        words = ("agreement", "publish", str(new), "--challenger", "50%", "--until", "2035-01-01")
        code, said = baton.run(*words)
        assert (code, "scores 50% of the accounts" in said) == (0, True), said
        version = said.split()[1]
        inside, outside = companies(version, 3)

        running.wait_until(running.challenge().from_ms)
        # a form is ready under the challenger only
        running.send([*inside[:2], *outside[:2]], "form")
        baton.until(lambda: running.of("leads.qualified.v1").keys() == set(inside[:2]))
        assert set(running.of("leads.qualified.v1").values()) == {version}
        baton.until(lambda: running.of("leads.routed.sdr.v1").keys() == set(inside[:2]))
        champion = set(running.of("leads.routed.sdr.v1").values())
        assert len(champion - {version}) == len(champion) == 1, "routing is not the challenger's"
        story = baton.documents("explain", f"ann@{inside[0]}", "--json")
        decided = {one["topic"]: one["agreement"] for one in story}
        assert decided["leads.qualified.v1"] == version
        assert {decided["leads.routed.sdr.v1"]} == champion

        running.send(outside[2:], "demo_request")
        baton.until(lambda: outside[2] in running.of("leads.qualified.v1"))
        assert {running.of("leads.qualified.v1")[outside[2]]} == champion

        def verdict() -> dict[str, Any]:
            return baton.documents("challenger", "--json")[0]

        def handed() -> tuple[int, int]:
            found = verdict()
            return found["challenger"]["handed"], found["champion"]["handed"]

        baton.until(lambda: handed() == (2, 1))
        assert verdict()["finding"] == "not yet"

        code, said = baton.run("challenger", "--stop")
        assert (code, said) == (0, f"{version} is stopped\n")
        running.wait_until(running.challenge().until_ms)
        running.send(inside[2:], "demo_request")
        baton.until(lambda: inside[2] in running.of("leads.qualified.v1"))
        assert {running.of("leads.qualified.v1")[inside[2]]} == champion

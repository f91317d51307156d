"""On a running Baton: an agreement decides silently, each decision once, and its differences are on
the board; and the hold-out of the published agreement comes out of ``baton calibrate``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.source.read import read_agreement
from baton.backtest.live_shadow import ShadowRefused, ending, shadows_in
from baton.backtest.shadow_topic import ShadowTopic, read_shadows
from baton.cli.cluster import cluster_settings
from baton.local.up.preparing import example_agreement
from baton.local.up.system import System
from tests.kafka.command_line import Line

FIRST = Path(example_agreement()).with_name("first.yaml")
LiveSystem = Callable[[Path], AbstractContextManager[System]]
FORMS = 100


def agreements(folder: Path) -> tuple[Path, Path]:
    """One with a hold-out, where a form of 12 points makes nobody ready; and one where it does."""
    text = FIRST.read_text(encoding="utf-8").partition("\nexamples:")[0] + "\n"
    old, new = folder / "old.yaml", folder / "new.yaml"
    old.write_text(text.replace("lifecycle:\n", "lifecycle:\n  holdout: 10%\n"), encoding="utf-8")
    new.write_text(
        text.replace("3: {enter: 20, exit: 12}", "3: {enter: 10, exit: 8}"), encoding="utf-8"
    )
    return old, new


def forms() -> Iterator[str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for index in range(FORMS):
        yield json.dumps(
            {
                "id": f"form-{index}",
                "source": "web",
                "kind": "engagement",
                "occurred_at": now,
                "identifiers": {"email": f"ann@firm{index}.example"},
                "engagement": {"act": "form"},
                "profile": {"country": "DE", "employees": 300, "role": "VP"},
                "person": {"phone": "+49 30 1234567"},
            }
        )


class Running:
    """What a running Baton has said so far, and what is sent to it."""

    def __init__(self, baton: Line, old: Path, new: Path) -> None:
        self.baton, self.new = baton, new
        self._agreement = compiled_of(read_agreement(old))

    def leads_of(self, topic: str) -> set[str]:
        words = ("tail", topic, "--from-beginning", "--no-follow")
        return {one["value"]["lead_id"] for one in self.baton.documents(*words)}

    def expected(self, leads: set[str]) -> set[str]:
        """Whom the hash holds out at twelve points."""
        held = set()
        for lead in leads:
            holdout, levels = self._agreement.lifecycle.holdout, self._agreement.levels
            at_micro = holdout.enters_at_micro(lead, 100_000_000, levels)
            if at_micro is not None and at_micro <= 11_900_000:
                held.add(lead)
        return held

    def round(self) -> str:
        words = ("shadow", "start", str(self.new), "--once", "--lag", "1s")
        code, said = self.baton.run(*words)
        assert code == 0, said
        return said


@pytest.mark.kafka
@pytest.mark.slow
def test_a_shadow_decides_each_lead_once_and_the_hold_out_comes_out_of_calibrate(
    live_system: LiveSystem, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    baton = Line(capsys)
    old, new = agreements(tmp_path)
    with live_system(old):
        running = Running(baton, old, new)
        assert "0 decisions more" in running.round()
        file = tmp_path / "events.jsonl"
        file.write_text("\n".join(forms()) + "\n", encoding="utf-8")
        assert baton.run("send", str(file), "--via", "kafka", "--source", "web")[0] == 0
        baton.until(lambda: len(running.leads_of("leads.accepted.v1")) == FORMS)
        baton.until(lambda: len(running.leads_of("leads.persons.v1")) == FORMS)
        held = running.expected(running.leads_of("leads.accepted.v1"))
        assert held, "the hash takes some of a hundred"
        baton.until(lambda: running.leads_of("leads.qualified.v1") >= held)
        time.sleep(1.5)  # the lag of a round

        said = running.round()
        assert f"{FORMS} decisions more, {FORMS} so far; on the board: /trials/shadow-" in said
        assert f"0 decisions more, {FORMS} so far" in running.round()
        decided = [one for one in read_shadows(cluster_settings()) if one.event == "decided"]
        assert len({one.record_id for one in decided}) == len(decided) == FORMS
        (found,) = baton.documents("shadow", "status", "--json")
        qualified = running.leads_of("leads.qualified.v1")
        assert found["counted"] == {
            "only the shadow hands over": FORMS - len(qualified),
            "the same": len(qualified),
        }

        former = ShadowTopic(cluster_settings())
        code, said = baton.run("shadow", "stop")
        assert code == 0, said
        assert "is stopped" in said
        (shadow,) = shadows_in(former.read())
        with pytest.raises(ShadowRefused, match="nothing of this round was published"):
            former.add([ending(shadow, 1)])
        assert len(read_shadows(cluster_settings())) == len(former.read())

        words = ("calibrate", "--outcome", "accepted", "--window", "1s", "--json")

        def below() -> dict[str, Any] | None:
            found: dict[str, Any] | None = baton.documents(*words)[0]["below_threshold"]
            return found

        baton.until(
            lambda: (
                sum(band["leads"] for band in (below() or {"bands": []})["bands"]) == len(qualified)
            )
        )
        assert held <= qualified
        code, said = baton.run(*words[:-1])
        assert "below the threshold, handed over blind" in said

"""A sender that kills itself at a named moment: run as a process by the tests of kill -9.

``python -m tests.services.delivery.killed_sender FOLDER TARGETS MOMENT NUMBER``: at the NUMBER-th
time it comes to MOMENT it is gone, as by kill -9. With MOMENT ``never`` it runs until nothing
waits. Time runs an hour for each look at the clock, so that no schedule is waited for; with MOMENT
``slowly`` it runs as it does, and never comes to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from services.delivery.answers.inbox import NotTaken
from services.delivery.carriers import Surroundings, carriers_of
from services.delivery.crm.hubspot import HubSpot
from services.delivery.crm.write_ledger import Ledger
from services.delivery.sender import Sender
from services.delivery.settings import DeliverySettings
from services.delivery.slack.slack_carrier import SlackCarrier
from services.delivery.store import outbox
from services.delivery.store.outbox_store import Store, reader
from services.delivery.targets.target_reading import read_secrets, read_targets
from services.delivery.webhooks.webhook_carrier import WebhookCarrier

MOMENTS = ("before_sending", "after_sending", "inside_the_transaction", "after_the_transaction")
"""Of every target."""
SLACK_MOMENTS = ("before_sending", "after_sending", "after_the_card_is_noted")
CRM_MOMENTS = ("after_pending", "before_sending", "after_sending", "after_done")


class Killer:
    """Counts how often the process has come to its moment."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.left = moment, number

    def at(self, moment: str) -> None:
        if moment == self.moment:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, name: str, before: str, after: str) -> None:
        """Come to a moment before and after each call of a function."""
        whole = getattr(owner, name)

        def called(*given: Any, **more: Any) -> Any:
            self.at(before)
            found = whole(*given, **more)
            self.at(after)
            return found

        async def awaited(*given: Any, **more: Any) -> Any:
            self.at(before)
            found = await whole(*given, **more)
            self.at(after)
            return found

        setattr(owner, name, awaited if asyncio.iscoroutinefunction(whole) else called)


class Nowhere:
    def send(self, line: Any) -> None:
        raise NotTaken("there are no brokers here")


def plant(killer: Killer) -> None:
    for owner, name in (
        (WebhookCarrier, "_attempt"),
        (AsyncWebClient, "chat_postMessage"),
        (HubSpot, "write"),
    ):
        killer.watch(owner, name, "before_sending", "after_sending")
    killer.watch(outbox, "_settle_one", "", "inside_the_transaction")
    killer.watch(outbox, "settle", "", "after_the_transaction")
    killer.watch(SlackCarrier, "_note", "", "after_the_card_is_noted")
    killer.watch(Ledger, "note_pending", "", "after_pending")
    killer.watch(Ledger, "note_done", "", "after_done")


async def send(folder: Path, file: Path, killer: Killer) -> None:
    plant(killer)
    targets = read_targets(file)
    around = Surroundings(
        secrets=read_secrets(targets),
        own=DeliverySettings(),
        folder=folder,
        namespace="baton",
        inbox=Nowhere(),
    )
    clock: Callable[[], int] = iter(range(10**15, 10**16, 3_600_000)).__next__
    if killer.moment == "slowly":
        clock = lambda: int(time.time() * 1000)  # noqa: E731
    sender = Sender(lambda: Store(folder, "baton"), carriers_of(targets, around), clock=clock)
    running = asyncio.create_task(sender.run())
    db = reader(folder / "delivery.sqlite")
    while db.execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchall()[0][0]:
        assert not running.done(), running.exception()
        await asyncio.sleep(0.02)
        sender.wake.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def main() -> None:
    folder, file, moment, number = sys.argv[1:]
    asyncio.run(send(Path(folder), Path(file), Killer(moment, int(number))))


if __name__ == "__main__":
    main()

"""A sender that kills itself at a named moment: run as a process by the tests of kill -9.

``python -m tests.services.delivery.killed_sender FOLDER TARGETS MOMENT NUMBER``: at the NUMBER-th
time it comes to MOMENT it is gone, as by kill -9. With MOMENT ``never`` it runs until nothing
waits.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.delivery.sender import Sender
from services.delivery.store import outbox
from services.delivery.store.store import Store, reader
from services.delivery.targets.reading import read_targets
from services.delivery.webhooks.carrier import WebhookCarrier

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MOMENTS = ("before_sending", "after_sending", "inside_the_transaction", "after_the_transaction")


class Killer:
    """Counts how often the process has come to its moment."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.left = moment, number

    def at(self, moment: str) -> None:
        if moment == self.moment:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Watched(WebhookCarrier):
    killer: Killer

    async def _attempt(self, *given: Any) -> Any:
        self.killer.at("before_sending")
        outcome = await super()._attempt(*given)
        self.killer.at("after_sending")
        return outcome


def watched_settle(
    settle_one: Callable[..., None], settle: Callable[..., None], killer: Killer
) -> None:
    def one(*args: Any) -> None:
        settle_one(*args)
        killer.at("inside_the_transaction")

    def whole(*args: Any) -> None:
        settle(*args)
        killer.at("after_the_transaction")

    outbox._settle_one, outbox.settle = one, whole  # type: ignore[assignment]


async def main(folder: Path, file: Path, killer: Killer) -> None:
    Watched.killer = killer
    watched_settle(outbox._settle_one, outbox.settle, killer)
    context = ssl.create_default_context()
    carriers = {
        name: Watched(target, [SecretStr(SECRET)], context)
        for name, target in read_targets(file).webhooks.items()
    }
    clock = iter(range(10**15, 10**16, 3_600_000))
    sender = Sender(lambda: Store(folder, "baton"), carriers, clock=lambda: next(clock))
    running = asyncio.create_task(sender.run())
    db = reader(folder / "delivery.sqlite")
    while db.execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchall()[0][0]:
        assert not running.done(), running.exception()
        await asyncio.sleep(0.02)
        sender.wake.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    folder, file, moment, number = sys.argv[1:]
    asyncio.run(main(Path(folder), Path(file), Killer(moment, int(number))))

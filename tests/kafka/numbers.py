"""Numbers that come in while things happen, and the sums that must be exact in the end."""

import asyncio
import itertools

from tests.engine.toys import ToyNumber, ToyTotal
from tests.kafka.kafka_bench import KafkaBench

KEYS = 7


class Stream:
    """Sends numbers until it is ended."""

    def __init__(self, bench: KafkaBench, pause_s: float = 0.008) -> None:
        self._bench, self._pause_s = bench, pause_s
        self.sent = 0
        self._ending = False
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        for number in itertools.count():
            await self._bench.send("toy.numbers.v1", f"k{number % KEYS}", ToyNumber(amount=1))
            self.sent += 1
            if self._ending:
                return
            await asyncio.sleep(self._pause_s)

    async def end(self) -> int:
        """How many were sent."""
        self._ending = True
        await self._task
        return self.sent


async def assert_exact(bench: KafkaBench, sent: int) -> None:
    """Every number was counted once, in order, and every count was reported once."""
    reported: dict[str, list[ToyTotal]] = {}
    for record in await bench.read("toy.totals.v1"):
        reported.setdefault(record.key, []).append(record.value)
    expected = {
        f"k{key}": [n + 1 for n in range((sent - key + KEYS - 1) // KEYS)] for key in range(KEYS)
    }
    assert {
        key: [total.count for total in totals] for key, totals in sorted(reported.items())
    } == expected
    assert all(total.total == total.count for totals in reported.values() for total in totals)

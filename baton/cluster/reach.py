"""Whether any broker answers this process, asked again and again, as a metric: for the alert about
brokers out of reach.

What a process does with the brokers finds out by itself and waits; nothing here decides anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from confluent_kafka.admin import AdminClient

from baton.cluster.process_metrics import BROKERS_SILENT
from baton.contracts.topic_names import LEADS_ACCEPTED
from baton.contracts.topics import physical

_EVERY_S = 5.0
_ANSWER_S = 10.0
_THREAD_S = 4.0
"""How long a thread asks: a process that is asked to stop waits for it."""


class BrokerReach:
    """``ask`` raises where no broker answers. ``clock``: seconds that only grow."""

    def __init__(
        self, ask: Callable[[], Awaitable[object]], clock: Callable[[], float] = monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._answered_at = clock()
        BROKERS_SILENT.set_function(lambda: self.silent_s)
        self._missed = False

    @property
    def silent_s(self) -> float:
        """For how long no broker has answered; 0 while they do."""
        return self._clock() - self._answered_at if self._missed else 0.0

    async def watch(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Ask once."""
        try:
            await asyncio.wait_for(self._ask(), _ANSWER_S)
        except Exception:  # noqa: BLE001 - whatever the client says of it, nobody answered
            self._missed = True
        else:
            self._answered_at, self._missed = self._clock(), False


def asking(client: Mapping[str, Any], namespace: str) -> Callable[[], Awaitable[object]]:
    """A question for :class:`BrokerReach`, for a process whose clients are confluent-kafka's.
    ``client``: their options."""
    admin, topic = AdminClient(dict(client)), physical(namespace, LEADS_ACCEPTED)
    return lambda: asyncio.to_thread(admin.list_topics, topic, _THREAD_S)

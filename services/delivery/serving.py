"""Runs delivery: follows the log, sends, and listens, until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.reach import BrokerReach, asking
from baton.http import Listener, ListenerTerms, bind
from baton.settings import Settings
from services.delivery.answers.app import answers_app
from services.delivery.answers.inbox import KafkaInbox
from services.delivery.carriers import Surroundings, carriers_of
from services.delivery.log.follower import Follower
from services.delivery.operations import operations_app
from services.delivery.sender import Sender
from services.delivery.settings import DeliverySettings
from services.delivery.store.outbox_store import FILE, Store
from services.delivery.targets.target_model import TargetsFile

_TERMS = ListenerTerms(drain_s=3, idle_s=5, connections=500)
_METRICS = "BATON_METRICS_HOST and BATON_METRICS_PORT"


async def serve(
    settings: Settings,
    own: DeliverySettings,
    targets: TargetsFile,
    secrets: Mapping[str, SecretStr],
    folder: Path,
) -> None:
    """Until cancelled; raises what ends any of the parts."""
    loop = asyncio.get_running_loop()

    def open_store() -> Store:
        return Store(folder, settings.namespace)

    def added() -> None:
        loop.call_soon_threadsafe(sender.wake.set)

    await asyncio.to_thread(lambda: open_store().close())
    inbox = KafkaInbox(confluent_producer_options(settings), settings.namespace)
    around = Surroundings(
        secrets=secrets, own=own, folder=folder, namespace=settings.namespace, inbox=inbox
    )
    carriers = carriers_of(targets, around)
    sender = Sender(open_store, carriers, parallel=own.parallel, keep_days=own.keep_days)
    client = confluent_options(settings)
    follower = Follower(client, settings.namespace, open_store, targets, added)
    public = bind(own.host, own.port, names="BATON_DELIVERY_HOST and BATON_DELIVERY_PORT")
    with contextlib.closing(public):
        private = bind(settings.metrics_host, settings.metrics_port, names=_METRICS)
        with contextlib.closing(private):
            answers = Listener(answers_app(targets, around, inbox), public, _TERMS)
            health = operations_app(
                answers.listening.is_set,
                lambda: follower.standing,
                folder / FILE,
                host=settings.metrics_host,
            )
            listeners = [answers, Listener(health, private, _TERMS)]
            reach = BrokerReach(asking(client, settings.namespace))
            await _all(follower, sender, listeners, reach)


async def _all(
    follower: Follower, sender: Sender, listeners: list[Listener], reach: BrokerReach
) -> None:
    following = asyncio.create_task(asyncio.to_thread(follower.run))
    sending = asyncio.create_task(sender.run())
    serving = [asyncio.create_task(listener.run_until_cancelled()) for listener in listeners]
    serving.append(asyncio.create_task(reach.watch()))
    try:
        done, _ = await asyncio.wait(
            (following, sending, *serving), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        follower.end()
        for task in (sending, *serving):
            task.cancel()
        await asyncio.gather(following, sending, *serving, return_exceptions=True)

"""The concierge as a process of its own: ``baton worker concierge``, on the machine of delivery,
whose file it reads.

Delivery reads the log, sends, and writes; whoever has a form open would wait for all of that. What
the two have in common is in the file: leads, hand-offs and the agreement, which delivery writes and
this process reads; promises, which this process writes and delivery makes true. It is ready when it
listens, and ends with 0 when it is asked to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.process_metrics import report_build
from baton.cluster.reach import BrokerReach, asking
from baton.contracts.acls import CONCIERGE
from baton.http import Listener, ListenerTerms, bind
from baton.settings import Settings
from baton.stopping import run_until_stopped
from services.delivery.answers.inbox import KafkaInbox
from services.delivery.concierge.assembling import Concierge, concierge_of
from services.delivery.concierge.routes import concierge_app
from services.delivery.operations import health_app
from services.delivery.outbox_file import folder_of, only_one
from services.delivery.settings import DeliverySettings
from services.delivery.store.outbox_store import Store
from services.delivery.targets.people_model import ConciergeTarget
from services.delivery.targets.target_model import TargetsFile
from services.delivery.targets.target_reading import TargetsWrong, read_secrets, read_targets

_TERMS: Final = ListenerTerms(drain_s=3, idle_s=5, connections=500)
_PUBLIC: Final = "BATON_DELIVERY_HOST and BATON_DELIVERY_CONCIERGE_PORT"
_METRICS: Final = "BATON_METRICS_HOST and BATON_METRICS_PORT"
_LOCK: Final = "concierge.lock"


def run(settings: Settings) -> None:
    """Run until it is asked to stop; raises what it cannot start without."""
    own = DeliverySettings()
    report_build(CONCIERGE)
    target = read_targets(own.targets).concierge
    if target is None:
        raise TargetsWrong(
            "there is no concierge to run: add one to the file of BATON_DELIVERY_TARGETS "
            "(docs/targets/concierge.md)"
        )
    folder = folder_of(settings, own)
    with only_one(folder, _LOCK):
        run_until_stopped(_serve(settings, own, target, folder))


async def _serve(
    settings: Settings, own: DeliverySettings, target: ConciergeTarget, folder: Path
) -> None:
    concierge = _made(settings, target, folder)
    public = bind(own.host, own.concierge_port, names=_PUBLIC)
    with contextlib.closing(public):
        private = bind(settings.metrics_host, settings.metrics_port, names=_METRICS)
        with contextlib.closing(private):
            answers = Listener(concierge_app(target, concierge.desk), public, _TERMS)
            pages = health_app(answers.listening.is_set, host=settings.metrics_host)
            health = Listener(pages, private, _TERMS)
            reach = BrokerReach(asking(confluent_options(settings), settings.namespace))
            parts = [answers.run_until_cancelled(), health.run_until_cancelled(), reach.watch()]
            if concierge.feeds is not None:
                parts.append(concierge.feeds.run())
            await _all([asyncio.create_task(part) for part in parts])


def _made(settings: Settings, target: ConciergeTarget, folder: Path) -> Concierge:
    secrets = read_secrets(TargetsFile(version=1, concierge=target))
    secret = secrets[target.signing_secret_env].get_secret_value()
    place = folder, settings.namespace
    Store(*place).close()  # whichever of the two processes is first makes the file
    inbox = KafkaInbox(confluent_producer_options(settings), settings.namespace)
    return concierge_of(target, secret, place, inbox)


async def _all(running: list[asyncio.Task[None]]) -> None:
    """Until cancelled; raises what ends any of the parts."""
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

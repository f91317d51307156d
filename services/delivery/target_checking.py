"""Asks every target whether it could be delivered to: for ``baton delivery check`` and ``baton
doctor``. Delivers no record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from services.delivery.answers.echoes import hubspot_echo, slack_echo
from services.delivery.carriers import Surroundings, carriers_of
from services.delivery.concierge.assembling import concierge_of
from services.delivery.sender import Carrier
from services.delivery.targets.target_model import CONCIERGE, TargetsFile

_AT_ONCE: Final = 32
Verdict = tuple[bool, str]


async def check_targets(targets: TargetsFile, around: Surroundings) -> list[tuple[str, bool, str]]:
    """Name, verdict and words of each target, in the order of the file."""
    carriers, at_once = carriers_of(targets, around), asyncio.Semaphore(_AT_ONCE)

    async def checked(name: str, carrier: Carrier) -> tuple[str, bool, str]:
        async with at_once:
            try:
                verdicts = [await carrier.check()]
                verdicts += [found async for found in _echoes(name, targets, around)]
            except Exception as error:  # noqa: BLE001 - one target's fault hides no other's verdict
                verdicts = [(False, f"could not be checked: {type(error).__name__}")]
            finally:
                await carrier.close()
        good = all(found for found, _ in verdicts)
        words = [text for found, text in verdicts if found == good]
        return name, good, "; ".join(words)

    return list(await asyncio.gather(*(checked(*one) for one in carriers.items())))


async def _echoes(name: str, targets: TargetsFile, around: Surroundings) -> AsyncIterator[Verdict]:
    slack, hubspot = targets.slack.get(name), targets.hubspot.get(name)
    if slack is not None and slack.public_url is not None:
        yield await slack_echo(slack.public_url, name, around.secret(slack.signing_secret_env))
    if hubspot is not None and hubspot.public_url and hubspot.app_secret_env:
        yield await hubspot_echo(hubspot.public_url, name, around.secret(hubspot.app_secret_env))
    if name == CONCIERGE:
        yield await _calendars(targets, around)


async def _calendars(targets: TargetsFile, around: Surroundings) -> Verdict:
    target = targets.concierge
    assert target is not None
    secret = around.secret(target.signing_secret_env)
    feeds = concierge_of(target, secret, around.place, around.inbox).feeds
    if feeds is None:
        return True, "no calendars are asked"
    failed = await feeds.refresh()
    if failed:
        return False, "; ".join(f"the calendar of {person} {why}" for person, why in failed.items())
    return True, f"{feeds.number} calendars can be read"

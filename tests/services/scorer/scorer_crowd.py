"""A crowd of leads to which all sorts of things happen: what is compared between hosts."""

from __future__ import annotations

import random

from baton.contracts.intake import LeadMerge
from baton.contracts.slas import LeadRecycled
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, World

ACTS = ("page_view", "webinar", "form", "demo_request", "unsubscribe", "email_click")


def busy(world: World, leads: int, *, seed: int = 7) -> None:
    """Four things a lead, over some weeks; now and then the host works."""
    draw = random.Random(seed)
    said: list[str] = []
    for number in range(leads * 4):
        lead = f"l{draw.randrange(leads)}"
        match draw.randrange(20):
            case 0 | 1 | 2:
                world.fits(lead, domain=f"firm{draw.randrange(leads // 4 + 1)}.example")
            case 3:
                if said:
                    world.retract(lead, draw.choice(said))
            case 4:
                world.act(
                    lead,
                    draw.choice(("accepted", "rejected", "qualified", "won")),
                    actor=draw.choice(("sdr", "sales")),
                    reason="not_ready",
                )
            case 5:
                world.send(_merge(lead, f"l{draw.randrange(leads)}"))
            case 6:
                world.send(_recycled(lead))
            case 7:
                world.consent(lead, "sales", draw.random() < 0.5, ago=draw.randrange(HOUR))
            case 8 if number % 50 == 0:
                world.report(lead, "erasure")
            case _:
                said.append(
                    world.does(
                        lead,
                        draw.choice(ACTS),
                        ago=draw.randrange(2 * DAY),
                        content_title="Title",
                        campaign="spring",
                    )
                )
        world.host.log.now += draw.randrange(2 * MINUTE)
        if draw.random() < 0.1:
            world.host.settle()


def _merge(loser: str, survivor: str) -> LeadMerge:
    return LeadMerge(
        merge_id=derived_id(loser, survivor),
        loser=loser,
        survivor=survivor,
        cause_id="c",
        occurred_at_ms=0,
    )


def _recycled(lead: str) -> LeadRecycled:
    return LeadRecycled(
        recycle_id=derived_id("r", lead),
        lead_id=lead,
        cycle=1,
        outcome="recycle",
        reason="not_ready",
        at_ms=0,
        cause_id="c",
        agreement="v",
    )

"""A year of a small company, simulated, for the tests of the board: what it publishes, record by
record. All names are made up."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cluster.public_log import decode
from baton.contracts.codec import codec_for
from baton.contracts.public_record import PublicRecord
from baton.contracts.routing import LeadRouted
from baton.engine.memory import Stored
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation
from services.insights.facts.folds import DEAD_LETTERS, FOLDS

ROOT = Path(__file__).resolve().parents[3]
DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
BEGINS_MS = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)

_FIRST = (
    "Ada",
    "Bruno",
    "Clara",
    "Dario",
    "Elin",
    "Farid",
    "Greta",
    "Hanna",
    "Ilse",
    "Jonas",
    "Kaja",
    "Liam",
    "Mina",
    "Nils",
    "Olga",
    "Pelle",
)
_LAST = (
    "Aas",
    "Brandt",
    "Conti",
    "Dahl",
    "Engel",
    "Falk",
    "Gruber",
    "Holm",
    "Iversen",
    "Jansen",
    "Krogh",
    "Lund",
    "Moser",
    "Nyberg",
)
_FIRMS = (
    "northgate",
    "bluefir",
    "oldmill",
    "granite",
    "fjordline",
    "gentian",
    "harborlight",
    "quarry",
    "lowland",
    "spruce",
    "kestrel",
    "millrace",
    "tarn",
    "ferrow",
    "drystone",
    "gable",
    "saltmarsh",
    "copperway",
    "larkfield",
    "windle",
)
_COUNTRIES = ("DE", "DE", "AT", "GB", "NO", "US", "US", "SE")
_ROLES = ("C-level", "VP Operations", "Head of IT", "Manager", "Specialist", "Student")
_CAMPAIGNS = ("autumn-fair", "newsletter", "search", "partner-letter", None)
_CONTENT = {
    "page_view": ("Guide to lead routing", "awareness"),
    "download": ("Leads that nobody drops", "consideration"),
    "webinar": ("Moving in a weekend", "decision"),
    "pricing_view": ("Prices and licences", "decision"),
    "email_click": ("What our customers say", "consideration"),
    "form": ("Ask us", "decision"),
    "demo_request": ("See it live", "decision"),
}
_QUIET = ("page_view", "page_view", "download", "email_click", "pricing_view", "webinar", "form")
_REJECTIONS = ("not_icp", "no_budget", "bad_data", "no_need_now", "student")
_RECYCLES = ("not_ready", "no_budget", "no_response", "in_contract")


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def line(at_ms: int, **fields: Any) -> Arrival:
    return Arrival(
        at_ms=at_ms,
        line=json.dumps({"occurred_at": iso(at_ms), "source": "website", **fields}).encode(),
    )


def visits(random: Random, number: int, days: int) -> Iterator[Arrival]:
    """What one lead does."""
    start = BEGINS_MS + random.randrange(days) * DAY_MS + random.randrange(6, 20) * HOUR_MS
    firm = _FIRMS[number % len(_FIRMS)]
    first, last = random.choice(_FIRST), random.choice(_LAST)
    known: dict[str, Any] = {
        "anonymous": f"v-{number}",
        "email": f"{first.lower()}.{last.lower()}{number}@{firm}.example",
    }
    acts = random.choices(_QUIET, k=random.randint(2, 8))
    if random.random() < 0.35:
        acts.append("demo_request")
    campaign = random.choice(_CAMPAIGNS)
    profile = {
        "country": random.choice(_COUNTRIES),
        "role": random.choice(_ROLES),
        "industry": random.choice(("manufacturing", "logistics", "retail", "wholesale")),
        "employees": str(random.choice((40, 150, 400, 1500))),
        "email_kind": "company",
    }
    person = {"first_name": first, "last_name": last, "company": firm.title()}
    at = start
    for place, act in enumerate(acts):
        title, stage = _CONTENT[act]
        engagement = {
            "act": act,
            "content_title": title,
            "content_stage": stage,
            "campaign": campaign,
        }
        reported = {key: value for key, value in engagement.items() if value is not None}
        identifiers = known if place else {"anonymous": f"v-{number}"}
        yield line(
            at,
            id=f"e-{number}-{place}",
            kind="engagement",
            identifiers=identifiers,
            engagement=reported,
        )
        if place == 0:
            yield line(
                at + 1,
                id=f"p-{number}",
                kind="profile",
                identifiers=known,
                profile=profile,
                person=person,
            )
        at += random.randrange(HOUR_MS, 3 * DAY_MS)
        if random.random() < 0.3:
            campaign = random.choice(_CAMPAIGNS)


def deeds(routed: LeadRouted, at_ms: int) -> Iterator[Arrival]:
    """What the holder does with it; chance comes from the hand-off's id."""
    random = Random(routed.handoff_id)
    fate = random.random()

    def act(kind: str, at: int, **more: Any) -> Arrival:
        body = {
            "kind": kind,
            "by": routed.owner,
            "actor": routed.leg,
            "handoff_id": routed.handoff_id,
            **more,
        }
        identifiers = {"lead": routed.lead_id}
        return line(
            at,
            id=f"{routed.handoff_id}-{kind}",
            source="crm",
            kind="act",
            identifiers=identifiers,
            act=body,
        )

    if fate < 0.12:
        return
    answered = at_ms + random.randrange(10 * MINUTE_MS, 5 * HOUR_MS)
    if fate < 0.27:
        yield act("rejected", answered, reason=random.choice(_REJECTIONS))
        return
    yield act("accepted", answered)
    called = answered + random.randrange(10 * MINUTE_MS, 20 * HOUR_MS)
    yield act("call", called, outcome=random.choice(("reached", "reached", "voicemail")))
    verdict = called + random.randrange(HOUR_MS, 6 * DAY_MS)
    if random.random() < 0.3:
        yield act("recycled", verdict, reason=random.choice(_RECYCLES))
        return
    yield act("qualified", verdict)
    if routed.leg != "sales":
        return
    deal, amount = f"deal-{routed.handoff_id[:8]}", random.randrange(8_000, 90_000) * 100
    opened = verdict + random.randrange(DAY_MS, 8 * DAY_MS)
    closes = iso(opened + 45 * DAY_MS)[:10]
    yield act(
        "opportunity",
        opened,
        opportunity_id=deal,
        amount_minor=amount,
        currency="EUR",
        expected_close=closes,
    )
    ended = opened + random.randrange(5 * DAY_MS, 50 * DAY_MS)
    if random.random() < 0.45:
        yield act("won", ended, opportunity_id=deal, amount_minor=amount, currency="EUR")
    elif random.random() < 0.6:
        yield act(
            "lost",
            ended,
            opportunity_id=deal,
            reason=random.choice(("lost_to_competitor", "lost_other")),
        )


def simulate(*, leads: int, days: int, seed: int = 1) -> tuple[Simulation, int]:
    """The company's history and the moment it ends."""
    text = canonical_text(read_agreement(ROOT / "examples" / "agreements" / "software.yaml"))
    simulation = Simulation(text=text, version=version_of(text), start_ms=BEGINS_MS, partitions=2)
    random, until = Random(seed), BEGINS_MS + days * DAY_MS
    queue = [
        (numbered.at_ms, n, numbered)
        for n, numbered in enumerate(
            e for number in range(leads) for e in visits(random, number, days)
        )
    ]
    heapq.heapify(queue)
    count = len(queue)
    while queue and queue[0][0] < until:
        _, _, arrival = heapq.heappop(queue)
        for stored in simulation.run([arrival]):
            if stored.topic.startswith("leads.routed.") and stored.value is not None:
                routed = codec_for(LeadRouted).decode(stored.value)
                for deed in deeds(routed, stored.timestamp):
                    count += 1
                    heapq.heappush(queue, (deed.at_ms, count, deed))
    list(simulation.run([], until))
    return simulation, until


def taken(stored: Stored) -> PublicRecord:
    headers = dict(stored.headers)
    place = (stored.topic, stored.partition, stored.offset)
    return PublicRecord(
        topic=stored.topic,
        partition=stored.partition,
        offset=stored.offset,
        id=headers.get("ce_id", str(place).encode()).decode(),
        key=(stored.key or b"").decode("utf-8", "replace"),
        value="gossip"
        if stored.topic == DEAD_LETTERS
        else decode(stored.topic, stored.value, place, reader="insights"),
        at_ms=stored.timestamp,
    )


@cache
def history(leads: int = 40, days: int = 60, seed: int = 1) -> tuple[tuple[PublicRecord, ...], int]:
    """Every record that the board reads, in the order of the log, and the moment it ends."""
    simulation, until = simulate(leads=leads, days=days, seed=seed)
    read = (*FOLDS, DEAD_LETTERS)
    return tuple(
        taken(record) for record in simulation.host.log.history if record.topic in read
    ), until

"""The year before the demonstration: the same small company in simulated time, under the same
agreement with clocks of hours, so that every page of the board has something to show.

Pure: chance comes from a seed, and from the ids of hand-offs. All names are made up.
"""

import heapq
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import agreement_of
from baton.contracts.codec import codec_for
from baton.contracts.meetings import CampaignRecord, MeetingDecision
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import ActionKind
from baton.contracts.topic_names import BATON_CAMPAIGNS, BOARD_DECISIONS, LEADS_UNROUTED
from baton.derived_ids import derived_id
from baton.engine.memory import MemoryLog, Stored
from baton.local.demo.company import iso
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
DAYS: Final = 365
_SECONDS: Final = re.compile(r"(\d+) seconds")
_RESTS: Final = re.compile(r"(comes_back: after|cool_off:) (\d+) seconds")
_RECENT_EVERY: Final = 7
_FIRST: Final = ("Ada", "Bruno", "Clara", "Dario", "Elin", "Farid", "Hanna", "Ilse", "Jonas")
_LAST: Final = ("Aas", "Brandt", "Conti", "Dahl", "Engel", "Falk", "Gruber", "Holm", "Lund")
_INDUSTRIES: Final = {
    "logistics": ("northgate", "fjordline", "harborlight"),
    "retail": ("bluefir", "gentian", "saltmarsh"),
    "manufacturing": ("oldmill", "quarry", "kestrel", "millrace", "copperway"),
    "media": ("lowland",),
}
_FIRMS: Final = tuple((firm, kind) for kind, firms in _INDUSTRIES.items() for firm in firms)
_CAMPAIGNS: Final = ("autumn-fair", "newsletter", "search", "partner-letter", None)
_COSTS: Final = (("autumn-fair", "events", 4_200_00), ("search", "ads", 2_600_00))
_CONTENT: Final = {
    "page_view": ("Guide to lead routing", "awareness"),
    "download": ("Leads that nobody drops", "consideration"),
    "webinar": ("Moving in a weekend", "decision"),
    "pricing_view": ("Prices and licences", "decision"),
    "email_click": ("What our customers say", "consideration"),
    "form": ("Ask us", "decision"),
    "demo_request": ("See it live", "decision"),
}
_QUIET: Final = ("page_view", "page_view", "download", "pricing_view", "webinar", "form")
_OBJECTIONS: Final = ("price", "timing", "integration", "security")
_COMPETITORS: Final = ("rowan-crm", "status-quo", "fernhill")
_REJECTIONS: Final = ("not_icp", "not_icp", "no_budget", "bad_data", "no_need_now")
_RECYCLES: Final = ("not_ready", "no_budget", "no_response")
_MANAGER: Final = "mgr-ines"
_TEAMS: Final = {"sales": ("ae-greta", "ae-hugo"), "sdr": ("sdr-anna", "sdr-ben", "sdr-cleo")}
_DECISIONS: Final = (
    ("Sales calls every raised hand within the hour", "ae-greta", -5, True),
    ("Marketing asks for the country in every form", "mgr-ines", 3, False),
    ("Stop handing over students: fit rule reviewed", "sdr-anna", -2, False),
)


def past_agreement(text: str) -> tuple[str, str]:
    """The demonstration's agreement with hours for seconds, and days for the rests: its canonical
    text and version."""
    promises, _, _ = _RESTS.sub(r"\1 \2 days", text).partition("\nexamples:")
    head, slas, tail = promises.partition("\nslas:")
    slower = head + slas + _SECONDS.sub(r"\1 hours", tail)
    canonical = canonical_text(agreement_of(slower, "the year before"))
    return canonical, version_of(canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """``log``, and ``history``: every record of it; ``noted``: what people noted for the meeting,
    by topic."""

    log: MemoryLog
    history: list[Stored]
    noted: list[tuple[str, Any]]


def simulate_past(agreement: str, *, until_ms: int, leads: int, seed: int) -> Past:
    """The year that ends at ``until_ms``."""
    text, version = past_agreement(agreement)
    begins_ms = until_ms - DAYS * DAY_MS
    simulation = Simulation(text=text, version=version, start_ms=begins_ms)
    random = Random(seed)
    waiting = [
        (arrival.at_ms, number, arrival)
        for number, arrival in enumerate(
            arrival for lead in range(leads) for arrival in _visits(random, lead, begins_ms)
        )
        if arrival.at_ms < until_ms
    ]
    heapq.heapify(waiting)
    number = len(waiting)
    while waiting:
        _, _, arrival = heapq.heappop(waiting)
        for stored in simulation.run([arrival]):
            for deed in followed_by(stored):
                number += 1
                if deed.at_ms < until_ms:
                    heapq.heappush(waiting, (deed.at_ms, number, deed))
    list(simulation.run([], until_ms))
    log = simulation.host.log
    return Past(log=log, history=log.history, noted=list(_noted(until_ms)))


def _arrival(at_ms: int, source: str, **fields: Any) -> Arrival:
    line = {"occurred_at": iso(at_ms), "source": source, **fields}
    return Arrival(at_ms=at_ms, line=json.dumps(line).encode())


def _visits(random: Random, lead: int, begins_ms: int) -> Iterator[Arrival]:
    at = begins_ms + random.randrange(DAYS) * DAY_MS + random.randrange(6, 19) * HOUR_MS
    recent = lead % _RECENT_EVERY == 0  # the last hours are busy: the page Now shows them
    if recent:
        hours = 4 if lead % (2 * _RECENT_EVERY) else 30
        at = begins_ms + DAYS * DAY_MS - random.randrange(HOUR_MS, hours * HOUR_MS)
    firm, industry = random.choice(_FIRMS)
    first, last = random.choice(_FIRST), random.choice(_LAST)
    address = f"{first.lower()}.{last.lower()}{lead}@{firm}.example"
    known = {"anonymous": f"past-{lead}", "email": address}
    acts = random.choices(_QUIET, k=random.randint(2, 6))
    if random.random() < 0.35:
        acts.append("demo_request")
    campaign = random.choice(_CAMPAIGNS)
    for place, act in enumerate(acts):
        title, stage = _CONTENT[act]
        touch = {"act": act, "content_title": title, "content_stage": stage}
        if campaign is not None:
            touch["campaign"] = campaign
        yield _arrival(
            at,
            "website",
            id=f"past-{lead}-{place}",
            kind="engagement",
            identifiers=known if place else {"anonymous": f"past-{lead}"},
            engagement=touch,
        )
        if place == 0:
            yield _reported(random, at + 1, lead, known, firm, industry, (first, last))
        at += random.randrange(MINUTE_MS, 12 * MINUTE_MS if recent else 2 * DAY_MS)
        campaign = random.choice(_CAMPAIGNS) if random.random() < 0.3 else campaign


def _reported(
    random: Random,
    at_ms: int,
    lead: int,
    known: dict[str, str],
    firm: str,
    industry: str,
    name: tuple[str, str],
) -> Arrival:
    profile = {
        "country": random.choice(("DE", "GB", "NO", "US", "US", "FR")),
        "role": random.choice(("C-level", "VP Operations", "Head of IT", "Manager", "Student")),
        "industry": industry,
        "employees": str(random.choice((40, 150, 400, 2000))),
    }
    person = {"first_name": name[0], "last_name": name[1], "company": firm.title()}
    own = {"id": f"past-p-{lead}", "kind": "profile", "identifiers": known}
    return _arrival(at_ms, "website", profile=profile, person=person, **own)


def followed_by(stored: Stored) -> Iterator[Arrival]:
    """What people do about a published record."""
    if stored.value is None:
        return
    if stored.topic.startswith("leads.routed."):
        yield from _deeds(codec_for(LeadRouted).decode(stored.value), stored.timestamp)
    elif stored.topic == LEADS_UNROUTED:
        yield from _assigned(codec_for(LeadUnrouted).decode(stored.value), stored.timestamp)


def _assigned(waiting: LeadUnrouted, at_ms: int) -> Iterator[Arrival]:
    """The manager gives a lead that ended up with them to somebody, within the day."""
    if waiting.reason != ActionKind.MANAGER_QUEUE or waiting.pool not in _TEAMS:
        return
    random = Random(waiting.handoff_id)
    signed = {"kind": "assign", "by": _MANAGER, "handoff_id": waiting.handoff_id}
    yield _arrival(
        at_ms + random.randrange(20 * MINUTE_MS, 9 * HOUR_MS),
        "crm",
        id=f"{waiting.handoff_id}-assign",
        kind="command",
        identifiers={"lead": waiting.lead_id},
        command=signed | {"to_person": random.choice(_TEAMS[waiting.pool])},
    )


def _deeds(routed: LeadRouted, at_ms: int) -> Iterator[Arrival]:
    """What the owner of a hand-off does with it."""
    random = Random(routed.handoff_id)

    def act(kind: str, at: int, name: str = "", **more: Any) -> Arrival:
        signed = {"by": routed.owner, "actor": routed.leg, "handoff_id": routed.handoff_id}
        return _arrival(
            at,
            "crm",
            id=f"{routed.handoff_id}-{name or kind}",
            kind="act",
            identifiers={"lead": routed.lead_id},
            act={"kind": kind, **signed, **more},
        )

    fate = random.random()
    if fate < 0.06:
        return
    answered = at_ms + random.randrange(5 * MINUTE_MS, 5 * HOUR_MS)
    if fate < 0.2:
        yield act("rejected", answered, reason=random.choice(_REJECTIONS))
        return
    yield act("accepted", answered)
    called = answered + random.randrange(5 * MINUTE_MS, 8 * HOUR_MS)
    outcome = random.choice(("reached", "reached", "voicemail"))
    yield act("call", called, outcome=outcome, **_heard(random))
    if random.random() < 0.4:
        yield act("mail", called + MINUTE_MS, content_sent=random.choice(("guide", "prices")))
    verdict = called + random.randrange(HOUR_MS, 14 * HOUR_MS)
    if random.random() < 0.3:
        yield act("recycled", verdict, reason=random.choice(_RECYCLES))
        return
    yield act("qualified", verdict)
    if routed.leg == "sales":
        yield from _deal(random, routed, act, verdict)


def _heard(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if random.random() < 0.45:
        found["objections"] = random.sample(_OBJECTIONS, k=random.randint(1, 2))
    if random.random() < 0.25:
        found["competitor"] = random.choice(_COMPETITORS)
    return found


def _deal(random: Random, routed: LeadRouted, act: Any, verdict: int) -> Iterator[Arrival]:
    amount = random.randrange(8_000, 60_000) * 100
    money = {"opportunity_id": f"deal-{routed.handoff_id[:8]}", "currency": "EUR"}
    met = verdict + random.randrange(DAY_MS, 3 * DAY_MS)
    yield act("meeting_booked", verdict + HOUR_MS, meeting_at=iso(met))
    yield act("meeting" if random.random() < 0.8 else "no_show", met)
    opened = met + random.randrange(HOUR_MS, 5 * DAY_MS)
    closes = iso(opened + 45 * DAY_MS)[:10]
    yield act("opportunity", opened, amount_minor=amount, expected_close=closes, **money)
    for week in range(6):  # whoever asks again is called within days
        again = opened + week * 7 * DAY_MS + 2 * HOUR_MS
        yield act("call", again, f"call-{week}", outcome="reached")
    ended = opened + random.randrange(5 * DAY_MS, 40 * DAY_MS)
    if random.random() < 0.5:
        yield act("won", ended, amount_minor=amount, **money)
    else:
        reason = random.choice(("lost_to_competitor", "lost_other"))
        yield act("lost", ended, reason=reason, **money | {"currency": None}, **_heard(random))


def _noted(until_ms: int) -> Iterator[tuple[str, Any]]:
    for text, owner, days, done in _DECISIONS:
        yield (
            BOARD_DECISIONS,
            MeetingDecision(
                decision_id=derived_id("decision", "demo", text),
                text=text,
                owner=owner,
                due=iso(until_ms + days * DAY_MS)[:10],
                by="mgr-ines",
                decided_at_ms=until_ms - 7 * DAY_MS,
                done=done,
                at_ms=until_ms - DAY_MS,
            ),
        )
    for back in range(13):
        month = iso(until_ms - back * 28 * DAY_MS)[:7]
        for campaign, channel, amount in _COSTS:
            record_id = derived_id("campaign", campaign, month)
            yield (
                BATON_CAMPAIGNS,
                CampaignRecord(
                    record_id=record_id,
                    campaign=campaign,
                    month=month,
                    amount_minor=amount,
                    currency="EUR",
                    channel=channel,
                ),
            )

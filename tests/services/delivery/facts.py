"""Facts for the tests of delivery: routed leads and what happens to them. All names are made up."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.digests import DigestLead, SlaDigest
from baton.contracts.intake import LeadPerson, Person
from baton.contracts.leads import Contribution, LeadQualified, LeadStaged, Story
from baton.contracts.public_record import PublicRecord
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.routing import HandoffNoted, LeadRouted
from baton.contracts.slas import SlaAction
from baton.contracts.topic_names import (
    BATON_AGREEMENTS,
    LEADS_HANDOFFS,
    LEADS_PERSONS,
    LEADS_ROUTED_SALES,
    LEADS_SLA_ACTIONS,
    LEADS_SLA_DIGESTS,
    LEADS_STAGES,
)

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "agreements" / "first.yaml"
NOON = 1_790_000_000_000
MINUTE = 60_000
ANN = Person(
    email="ann.berg@acme.example",
    phone="+49301234567",
    first_name="Ann",
    last_name="Berg",
    company="Acme",
)


def fact(topic: str, value: Any, *, id: str, offset: int = 0, at_ms: int = NOON) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=0,
        offset=offset,
        id=id,
        key=getattr(value, "lead_id", "") or "",
        value=value,
        at_ms=at_ms,
    )


def qualified(lead: str = "lead-1", **more: Any) -> LeadQualified:
    story = more.pop("story", None) or Story(
        person=more.pop("person", ANN),
        account_id="acme.example",
        profile={"country": "DE", "title": "Head of Operations"},
        why_now=(Contribution(kind="act", name="demo_request", points_micro=40_000_000),),
        interests=("pricing",),
        latest_campaign="autumn",
    )
    values: dict[str, Any] = {
        "qualification_id": f"q-{lead}",
        "lead_id": lead,
        "cycle": 1,
        "leg": "sales",
        "level": "hot",
        "grade": "A2",
        "fit_micro": 70_000_000,
        "engagement_micro": 49_000_000,
        "hand_raised": True,
        "cause_id": f"cause-{lead}",
        "qualified_at_ms": NOON,
        "received_at_ms": NOON,
        "segment": None,
        "story": story,
        "agreement": "v1",
    }
    return LeadQualified(**values | more)


def escalated(lead: str, *, digest: str | None, to: str = "mgr-ines") -> PublicRecord:
    """A breach that a manager is to know of."""
    action = SlaAction(
        action_id=f"action-{lead}",
        kind="escalate",
        lead_id=lead,
        handoff_id=f"h-{lead}-1",
        clock_id=f"clock-{lead}",
        at_ms=NOON,
        cause_id="c",
        agreement="v1",
        owner="ae-greta",
        pool="ae",
        to=to,
        reason="breach",
        digest=digest,
    )
    return fact(LEADS_SLA_ACTIONS, action, id=action.action_id)


def digested(*leads: str, count: int, to: str = "mgr-ines") -> PublicRecord:
    """The digest of a quarter of an hour, with the leads that it names."""
    digest = SlaDigest(
        digest_id="digest-1",
        digest=f"ae/{to}",
        to=to,
        pool="ae",
        from_ms=NOON,
        until_ms=NOON + 15 * MINUTE,
        count=count,
        at_ms=NOON + 15 * MINUTE,
        cause_id="c",
        agreement="v1",
        clocks={"accept": count - 1, "qualify": 1},
        leads=tuple(
            DigestLead(
                lead_id=lead,
                clock="accept",
                deadline_ms=NOON + number * MINUTE,
                action_id=f"action-{lead}",
            )
            for number, lead in enumerate(leads)
        ),
    )
    return fact(LEADS_SLA_DIGESTS, digest, id=digest.digest_id)


def routed(
    lead: str = "lead-1",
    owner: str = "ae-greta",
    *,
    attempt: int = 1,
    at_ms: int = NOON,
    offset: int = 0,
    **more: Any,
) -> PublicRecord:
    handoff = f"h-{lead}-{attempt}"
    values: dict[str, Any] = {
        "handoff_id": handoff,
        "qualification_id": f"q-{lead}",
        "attempt": attempt,
        "lead_id": lead,
        "cycle": 1,
        "leg": "sales",
        "pool": "sales",
        "owner": owner,
        "level": "hot",
        "segment": None,
        "hand_raised": True,
        "routed_at_ms": at_ms,
        "qualified_at_ms": at_ms,
        "path": (),
        "candidates": (),
        "rule": "default",
        "turn_used": True,
        "qualified": more.pop("qualified", None) or qualified(lead),
        "agreement": "v1",
        "accept_by_ms": at_ms + 60 * MINUTE,
    }
    record = LeadRouted(**values | more)
    return fact(LEADS_ROUTED_SALES, record, id=f"routed-{handoff}", offset=offset, at_ms=at_ms)


def staged(
    event: str, lead: str = "lead-1", *, attempt: int = 1, at_ms: int = NOON + MINUTE, **more: Any
) -> PublicRecord:
    values: dict[str, Any] = {
        "lead_id": lead,
        "cycle": 1,
        "from_stage": "mql",
        "to_stage": "sal" if event == "accepted" else "recycled",
        "event": event,
        "actor": "sales",
        "cause_id": f"{event}-{lead}-{attempt}",
        "at_ms": at_ms,
        "occurred_at_ms": at_ms,
        "evidence_at_ms": at_ms,
        "agreement": "v1",
        "by": "ae-greta",
        "handoff_id": f"h-{lead}-{attempt}",
        "qualification_id": f"q-{lead}",
    }
    record = LeadStaged(**values | more)
    return fact(LEADS_STAGES, record, id=f"{event}-{lead}-{attempt}-{at_ms}", at_ms=at_ms)


def noted(
    kind: str, reason: str, lead: str = "lead-1", *, attempt: int = 1, at_ms: int = NOON + MINUTE
) -> PublicRecord:
    record = HandoffNoted(
        handoff_id=f"h-{lead}-{attempt}",
        qualification_id=f"q-{lead}",
        attempt=attempt,
        lead_id=lead,
        kind=kind,
        reason=reason,
        cause_id="c",
        at_ms=at_ms,
    )
    return fact(LEADS_HANDOFFS, record, id=f"{kind}-{reason}-{lead}-{attempt}", at_ms=at_ms)


@cache
def agreement() -> tuple[PublicRecord, ...]:
    """The first example, signed and published: in force for all time."""
    text = canonical_text(read_agreement(EXAMPLE))
    version = version_of(text)
    records = [
        AgreementRecord(record_id="a1", kind="approved", version=version, side="marketing"),
        AgreementRecord(record_id="a2", kind="approved", version=version, side="sales"),
        AgreementRecord(record_id="a3", kind="published", version=version, text=text),
    ]
    return tuple(
        fact(BATON_AGREEMENTS, record, id=record.record_id, offset=offset, at_ms=NOON - 10**9)
        for offset, record in enumerate(records)
    )


def erased(lead: str = "lead-1", at_ms: int = NOON + MINUTE) -> PublicRecord:
    record = LeadPerson(
        lead_id=lead, event_id="e", occurred_at_ms=at_ms, person=Person(), erased=True
    )
    return fact(LEADS_PERSONS, record, id=f"erased-{lead}", at_ms=at_ms)

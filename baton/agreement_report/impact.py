"""What a new agreement would change for the leads there are: each is scored anew under it, and
under the one in force.

The scorer's own reducer does it, on its state as the cluster's changelog has it; nothing is
published.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rich.console import RenderableType

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import (
    CompiledAgreement,
    ConditionContext,
    context_of_qualified,
)
from baton.agreement.model.agreement import Agreement
from baton.agreement.publish import KafkaAgreementTopic, book_of
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement_report.lead_states import LeadStates
from baton.agreement_report.people_tables import table_of
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.leads import LeadQualified, LeadStaged, StageEvent
from baton.contracts.streams import BacklogPart, BacklogRelease
from baton.contracts.topic_names import SCORER_RELEASES
from baton.engine.key_state import KeyState
from baton.engine.reducer import Step, event_without_log
from baton.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Counts of leads. ``by_pool`` and ``by_person``: only those who would qualify at once; a
    person's share is rounded. ``suppressed``: how many of them would go to nobody."""

    old: str | None
    new: str
    leads: int
    qualify: int
    withdrawn: int
    levels: dict[str, int] = field(default_factory=dict)
    by_pool: dict[str, int] = field(default_factory=dict)
    by_person: dict[str, float] = field(default_factory=dict)
    drip_days: int = 0
    suppressed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    level: str
    qualified: LeadQualified | None
    withdrawn: bool


def impact_of(settings: Settings, model: Agreement, *, now_ms: int) -> Impact:
    """Read every lead's state from the cluster and compare the agreement in force with
    ``model``."""
    states = LeadStates()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        places = {states.topic: list(range(reader.partitions(states.topic)))}
        states.restore(
            (record.key, record.value) for record in reader.read(places) if record.key is not None
        )
    present = book_of(KafkaAgreementTopic(settings).read()).at(now_ms)
    return compare(states, present, model, now_ms=now_ms)


def _drip_days(agreement: CompiledAgreement, pools: Mapping[str, int]) -> int:
    """In how many days the backlog of the pool with the most leads is handed out."""
    per_day = agreement.lifecycle.drip_per_day
    return max((-(-count // per_day) for count in pools.values()), default=0)


def compare(
    states: LeadStates, present: AgreementReference | None, model: Agreement, *, now_ms: int
) -> Impact:
    """The impact of ``model`` on ``states``, against the agreement ``present``ly in force."""
    agreement = compiled_of(model)
    new = reference_of(agreement)
    old = reference_of(present.agreement) if present else None
    levels, pools = Counter[str](), Counter[str]()
    owners = Counter[tuple[str, str]]()
    qualify = withdrawn = suppressed = 0
    for key in [view.key for view in states.leads()]:
        after = _under(states.lead(key), new, now_ms, states)
        before = _under(states.lead(key), old, now_ms, states) if old else None
        if after is None:
            continue
        if before is not None and before.level != after.level:
            levels[f"{before.level} -> {after.level}"] += 1
        if after.qualified is not None and (before is None or before.qualified is None):
            qualify += 1
            facts = context_of_qualified(after.qualified, now_ms=now_ms)
            if _goes_to_nobody(facts, agreement):
                suppressed += 1
            else:
                pool, person = agreement.routing.expected(facts)
                pools[pool] += 1
                if person is not None:
                    owners[pool, person] += 1
        withdrawn += after.withdrawn and not (before is not None and before.withdrawn)
    return Impact(
        old=present.version if present else None,
        new=agreement.version,
        leads=len(states),
        qualify=qualify,
        withdrawn=withdrawn,
        levels=dict(sorted(levels.items())),
        by_pool=dict(sorted(pools.items())),
        by_person=_load(agreement, pools, owners),
        suppressed=suppressed,
        drip_days=_drip_days(agreement, pools),
    )


def _under(
    view: KeyState, reference: AgreementReference, now_ms: int, states: LeadStates
) -> _Outcome | None:
    """The lead under ``reference``; if that makes it ready, what its hand-off would be, were it let
    out of the backlog now."""
    view.cause = f"impact:{view.key}"
    step = states.reducer.adopt(view, old=view.version, new=reference, now=now_ms)
    level = getattr(step.head, "level", None)
    if level is None:
        return None
    values = [fact.value for fact in step.facts]
    waits = next(
        (value for value in values if isinstance(value, BacklogPart) and value.kind == "add"), None
    )
    if waits is not None:
        view.apply(step, reference.version)
        values += [fact.value for fact in _released(view, waits, reference, now_ms, states).facts]
    return _Outcome(
        level=level,
        qualified=next((value for value in values if isinstance(value, LeadQualified)), None),
        withdrawn=any(
            isinstance(value, LeadStaged) and value.event == StageEvent.WITHDRAWN
            for value in values
        ),
    )


def _released(
    view: KeyState,
    waits: BacklogPart,
    reference: AgreementReference,
    now_ms: int,
    states: LeadStates,
) -> Step[Any]:
    release = BacklogRelease(
        lead_id=view.key,
        queue=waits.queue,
        at_ms=now_ms,
        cause_id=view.cause,
        agreement=reference.version,
    )
    event = event_without_log(SCORER_RELEASES, view.key, release, id=view.cause, at_ms=now_ms)
    return states.reducer.step(view, event, now=now_ms, reference=reference)


def _goes_to_nobody(facts: ConditionContext, agreement: CompiledAgreement) -> bool:
    if agreement.routing.suppressed(facts).reason is not None:
        return True
    return not agreement.consent.hand_off.decide(
        facts.consents, hand_raised=bool(facts.hand_raised)
    ).allowed


def _load(
    agreement: CompiledAgreement, pools: Counter[str], owners: Counter[tuple[str, str]]
) -> dict[str, float]:
    """Whose account it is, gets the lead; the rest is shared by weight."""
    shares = {person: Fraction(count) for (_, person), count in owners.items()}
    for pool, count in pools.items():
        members = [
            person_entry
            for person_entry in agreement.pools[pool].members
            if agreement.people[person_entry.person].active
        ]
        weights = sum(pool_member.weight for pool_member in members)
        count -= sum(own for (of_pool, _), own in owners.items() if of_pool == pool)
        for member in members if count and weights else ():
            shares[member.person] = (
                shares.get(member.person, Fraction()) + count * member.weight / weights
            )
    return {person: round(float(share), 1) for person, share in sorted(shares.items())}


def impact_tables(found: Impact) -> Iterator[RenderableType]:
    """The impact for the terminal."""
    yield f"{found.leads} leads; version {found.old or 'none'} -> {found.new}"
    if found.old == found.new:
        yield "this version is in force already: nothing would change"
    yield (
        f"{found.qualify} would qualify at once, {found.withdrawn} that nobody has taken up would "
        "be withdrawn"
    )
    if found.suppressed:
        yield (
            f"{found.suppressed} of those who qualify would go to nobody: suppressed, or without "
            "consent"
        )
    if found.drip_days > 1:
        yield f"they would be released over about {found.drip_days} days"
    for title, heading, counted in (
        ("Levels", "change", found.levels),
        ("By pool", "pool", found.by_pool),
        ("A person's share", "person", found.by_person),
    ):
        if counted:
            table = table_of(title, heading)
            table.add_column("leads", justify="right")
            for name, count in counted.items():
                table.add_row(name, f"{count:g}")
            yield table

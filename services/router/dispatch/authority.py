"""The agreement in the router's words: who may do what, the pool as assignment sees it, the deadline to act.

The only file of the router that knows how the agreement is compiled, but for the choice of the pool.
"""

from baton.agreement.compiled.agreement import CompiledAgreement, NeverOpenError
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import local_date, zone_named
from services.router.assignment.pool_view import Nobody, Roster, Seat
from services.router.dispatch.command_authorization import Authority
from services.router.turn_credit import ABSENCE


def authority_of(reference: AgreementReference) -> Authority:
    """Who manages whom, and which reasons are nobody's fault."""
    agreement = reference.agreement
    turn_back = (name for name, reason in agreement.recycling.reasons.items() if reason.turn_back)
    return Authority(people=agreement.people, pools=agreement.pools, blameless=frozenset((ABSENCE, *turn_back)))


def roster_of(reference: AgreementReference, pool: str, *, now: int) -> Roster:
    """The pool as it is at ``now``. One that the agreement does not know any more has no seats, and what is left in it goes to the
    default pools."""
    agreement = reference.agreement
    found = agreement.pools.get(pool)
    if found is None:
        default = agreement.routing.default
        elsewhere = {leg: default.get(leg) or next(iter(default.values())) for leg in ("sdr", "sales")}
        return Roster(pool=pool, kind="sales", seats=(), nobody=Nobody.OVERFLOW, gone=True, elsewhere=elsewhere)
    seats = tuple(
        Seat(
            person=member.person,
            weight=member.weight,
            capacity=member.capacity,
            offers=member.offers,
            skills=member.skills,
            active=member.person in agreement.people and agreement.people[member.person].active,
            hours=agreement.calendar_for(person=member.person, pool=pool),
        )
        for member in found.members
    )
    return Roster(
        pool=pool,
        kind=found.kind,
        seats=seats,
        nobody=found.nobody,
        overflow_to=found.overflow_to,
        watcher=found.watcher,
        counting=found.changing,
        period=period_of(found.period, agreement.timezone, now),
        owner_uses_turn=found.owner_uses_turn,
        any_hour=found.ignore_hours,
    )


def period_of(kind: str, timezone: str, now: int) -> str:
    """The name of the period that ``now`` lies in: ``2026-W47``, ``2026-11``, ``2026-Q4`` or ``ever``."""
    day = local_date(now, zone_named(timezone))
    match kind:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day.year}-{day.month:02d}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case _:
            return "ever"


def accept_by(
    reference: AgreementReference, *, kind: str, pool: str, person: str, level: str, segment: str | None, now: int
) -> int | None:
    """Until when the person is to answer, if the offer were read at ``now``; None: nothing was promised."""
    agreement: CompiledAgreement = reference.agreement
    rule = agreement.slas.target("accept", queue=kind, level=level, segment=segment)
    if rule is None:
        return None
    hours = agreement.calendar_for(person=person, pool=pool, rule=rule, absences=reference.away(person))
    try:
        return rule.target.deadline(now, hours)
    except NeverOpenError:
        return None

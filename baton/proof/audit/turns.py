"""Whether a routed record kept the rules of the pool: the numbers it shows say whose turn it was,
and nobody is overloaded."""

from collections.abc import Callable
from fractions import Fraction

from baton.contracts.routing import LeadRouted
from baton.proof.audit.findings import Finding, Invariant, Place

_BY_TURN = ("in_turn", "in_turn:asked_again", "in_turn:rejecters_asked_again")


def check_turn(routed: LeadRouted, place: Place, add: Callable[[Finding], None]) -> None:
    """The record's own candidates are the evidence. Who was asked for by name (claim, assign,
    owner) is nobody's turn.

    The quota rule: among the eligible who are below their target (``score * weight < 1``), or among
    all if nobody is, the smallest score wins (Balinski and Young, 1975).
    """
    chosen = next(
        (candidate for candidate in routed.candidates if candidate.person == routed.owner), None
    )
    if chosen is None or routed.trace_cut or not by_turn(routed.rule):
        return
    if chosen.excluded is not None:
        add(_unfair(f"{chosen.person} was chosen and is excluded: {chosen.excluded}", place))
        return
    if chosen.capacity is not None and chosen.load >= chosen.capacity:
        words = f"{chosen.person} holds {chosen.load} of {chosen.capacity} and was given another"
        add(Finding(invariant=Invariant.CAPACITY, words=words, place=place))
    eligible = {
        candidate.person: Fraction(candidate.score)
        for candidate in routed.candidates
        if candidate.excluded is None and candidate.weight > 0
    }
    weights = {candidate.person: candidate.weight for candidate in routed.candidates}
    due = {person: score for person, score in eligible.items() if score * weights[person] < 1}
    best = min((due or eligible).values())
    if eligible[chosen.person] != best or (due and chosen.person not in due):
        others = sorted(person for person, score in (due or eligible).items() if score == best)
        add(
            _unfair(
                f"{chosen.person} ({chosen.score}) was chosen, but it was the turn of "
                f"{', '.join(others)} ({best})",
                place,
            )
        )


def by_turn(rule: str) -> bool:
    """Whether ``rule`` is that of the turn, and nobody was asked for by name."""
    return rule.endswith(_BY_TURN)


def _unfair(words: str, place: Place) -> Finding:
    return Finding(invariant=Invariant.TURNS, words=words, place=place)

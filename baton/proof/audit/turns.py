"""Whether a routed record kept the rules of the pool: the numbers it shows say whose turn it was,
and nobody is overloaded."""

from collections.abc import Callable
from fractions import Fraction

from baton.contracts.routing import LeadRouted
from baton.proof.audit.findings import Finding, Invariant, Place

REJECTERS_AGAIN = "in_turn:rejecters_asked_again"
WITHOUT_SKILLS_REJECTERS = "in_turn:without_skills,rejecters_asked_again"
ASKS_REJECTERS = frozenset({REJECTERS_AGAIN, WITHOUT_SKILLS_REJECTERS})
"""The rules by which somebody is asked again who said no."""
BY_TURN = frozenset(
    {
        "in_turn",
        "in_turn:asked_again",
        "in_turn:without_skills",
        "in_turn:without_skills,asked_again",
        *ASKS_REJECTERS,
    }
)
"""The rules of a turn. Whoever was to have the lead and could not have it is named before it:
``colleague:ann:absent;in_turn``."""


def check_turn(routed: LeadRouted, place: Place, add: Callable[[Finding], None]) -> None:
    """The record's own candidates are the evidence. Who was asked for by name (claim, assign,
    owner) is nobody's turn.

    The quota rule: among the eligible who are below their target (``score * weight < 1``), or among
    all if nobody is, the smallest score wins (Balinski and Young, 1975).
    """
    chosen = next((shown for shown in routed.candidates if shown.person == routed.owner), None)
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
    return turn_rule(rule) in BY_TURN


def turn_rule(rule: str) -> str:
    """``rule`` without the person who was to have the lead and could not have it."""
    return rule.rpartition(";")[2]


def _unfair(words: str, place: Place) -> Finding:
    return Finding(invariant=Invariant.TURNS, words=words, place=place)

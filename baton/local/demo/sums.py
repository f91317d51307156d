"""Whether what came in and what came out add up. Pure: counts go in, a verdict comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the log has, by kind.

    ``sent`` lines, of which ``poison`` cannot be taken; ``keyed`` records of intake, ``distinct``
    events among them, ``accepted`` events, acts and commands that came out of identity, each once;
    ``twice`` accepted ids that are there more than once; ``uncaused`` accepted ids that nothing of
    what came in accounts for. ``uncallable`` leads that were handed to a person without an e-mail
    address and a telephone number. ``first_handoffs`` qualifications whose first attempt was
    routed, held, watched or suppressed.
    """

    sent: int
    poison: int
    keyed: int
    distinct: int
    accepted: int
    twice: int
    dead: int
    qualified: int
    first_handoffs: int
    routed: Mapping[str, int] = field(default_factory=dict)
    violated: Mapping[str, int] = field(default_factory=dict)
    recycled: Mapping[str, int] = field(default_factory=dict)
    clocks_ended_twice: int = 0
    uncaused: int = 0
    uncallable: int = 0

    @property
    def duplicates(self) -> int:
        """Records that were the same event again."""
        return self.keyed - self.distinct


def faults(sums: Sums) -> list[str]:
    """Every sum that does not add up, in words; none: all is well."""
    rules = (
        (
            sums.sent == sums.keyed + sums.dead,
            f"{sums.sent} sent, but {sums.keyed} taken and {sums.dead} dead-lettered",
        ),
        (
            sums.dead == sums.poison,
            f"{sums.poison} could not be taken, but {sums.dead} are dead letters",
        ),
        (
            sums.accepted == sums.distinct,
            f"{sums.distinct} different events taken, but {sums.accepted} accepted",
        ),
        (sums.twice == 0, f"{sums.twice} events were accepted twice"),
        (sums.uncaused == 0, f"{sums.uncaused} events were accepted that nobody sent"),
        (
            sums.qualified == sums.first_handoffs,
            f"{sums.qualified} qualified, but {sums.first_handoffs} of them handed off",
        ),
        (sums.clocks_ended_twice == 0, f"{sums.clocks_ended_twice} clocks ended twice"),
        (
            sums.uncallable == 0,
            f"{sums.uncallable} leads were handed to a person without a way to reach them",
        ),
        (sums.qualified > 0, "no lead qualified"),
        (sum(sums.routed.values()) > 0, "no lead was routed"),
    )
    return [words for holds, words in rules if not holds]


def differences(sums: Sums, board: Mapping[str, Any]) -> list[str]:
    """Every sum of the board that is not that of the log, in words. Goals apart: those of a month
    are the same ones in the year before."""
    violated = dict(sums.violated)
    seen = dict(board.get("violated") or {})
    violated.pop("goal", None)
    seen.pop("goal", None)
    of_log: dict[str, object] = {
        "qualified": sums.qualified,
        "dead": sums.dead,
        "routed": dict(sums.routed),
        "recycled": dict(sums.recycled),
        "violated": violated,
    }
    of_board: dict[str, Any] = {**board, "violated": seen}
    return [
        f"{name}: the log has {expected}, the board {of_board.get(name)}"
        for name, expected in of_log.items()
        if of_board.get(name) != expected
    ]

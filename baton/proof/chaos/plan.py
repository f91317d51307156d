"""Which faults, in which order, at which moments: made from a seed. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What is done to the system."""

    KILL = "kill -9 of a worker"
    PAUSE = "a worker stopped beyond its session and continued"
    ROLL = "rolling restart of a service"
    STORM = "rebalance storm: workers come and go"
    BROKER_KILL = "kill -9 of the broker, and its restart"
    BROKER_FREEZE = "the broker frozen for ten seconds"
    AGREEMENT = "another agreement published"


_WEIGHTS = {
    Fault.KILL: 60,
    Fault.PAUSE: 12,
    Fault.ROLL: 6,
    Fault.STORM: 4,
    Fault.BROKER_KILL: 4,
    Fault.BROKER_FREEZE: 4,
}
_ONCE_AT_LEAST = (Fault.PAUSE, Fault.ROLL, Fault.STORM, Fault.BROKER_KILL, Fault.BROKER_FREEZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One fault, when (a share of the run, 0 to 1) and against which of the candidates (a number to
    be taken modulo)."""

    at: float
    fault: Fault
    target: int


def plan(*, kills: int, seed: int) -> list[Blow]:
    """``kills`` faults in the order of time, and an agreement in the middle. Each kind comes at
    least once from eight faults on."""
    random = Random(seed)
    kinds = list(_ONCE_AT_LEAST) if kills >= len(_ONCE_AT_LEAST) + 3 else []
    kinds += random.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=kills - len(kinds))
    random.shuffle(kinds)
    blows = [
        Blow(
            at=(number + random.random()) / len(kinds),
            fault=fault,
            target=random.randrange(1 << 30),
        )
        for number, fault in enumerate(kinds)
    ]
    return sorted([*blows, Blow(at=0.5, fault=Fault.AGREEMENT, target=0)], key=lambda blow: blow.at)

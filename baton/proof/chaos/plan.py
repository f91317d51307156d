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
    BROKER_KILL = "kill -9 of a broker, and its restart"
    BROKER_FREEZE = "a broker frozen for ten seconds"
    PARTITION = "a broker parted from the others by the network"
    AGREEMENT = "another agreement published"
    UPGRADE = "rolling upgrade from the former version"
    BACKUP = "everything stopped, backed up, deleted and restored"


_WEIGHTS = {
    Fault.KILL: 60,
    Fault.PAUSE: 12,
    Fault.ROLL: 6,
    Fault.STORM: 4,
    Fault.BROKER_KILL: 4,
    Fault.BROKER_FREEZE: 4,
}
_SEVERAL_BROKERS = {Fault.BROKER_KILL: 12, Fault.BROKER_FREEZE: 8, Fault.PARTITION: 12}
_AGREEMENT_AT, _UPGRADE_AT, _BACKUP_AT = 0.5, 0.35, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One fault, when (a share of the run, 0 to 1) and against which of the candidates (a number to
    be taken modulo)."""

    at: float
    fault: Fault
    target: int


def plan(
    *, kills: int, seed: int, brokers: int = 1, upgrade: bool = False, backup: bool = False
) -> list[Blow]:
    """``kills`` faults in the order of time, and an agreement in the middle. Every kind comes at
    least once where there is room for all. ``upgrade`` and ``backup``: at their moments."""
    random = Random(seed)
    weights = _WEIGHTS if brokers == 1 else _WEIGHTS | _SEVERAL_BROKERS
    others: list[Fault] = [kind for kind in weights if kind is not Fault.KILL]
    kinds = others if kills >= len(others) + 3 else []
    kinds += random.choices(list(weights), weights=list(weights.values()), k=kills - len(kinds))
    random.shuffle(kinds)
    blows = [
        Blow(
            at=(number + random.random()) / len(kinds),
            fault=fault,
            target=random.randrange(1 << 30),
        )
        for number, fault in enumerate(kinds)
    ]
    blows.append(Blow(at=_AGREEMENT_AT, fault=Fault.AGREEMENT, target=0))
    if upgrade:
        blows.append(Blow(at=_UPGRADE_AT, fault=Fault.UPGRADE, target=0))
    if backup:
        blows.append(Blow(at=_BACKUP_AT, fault=Fault.BACKUP, target=0))
    return sorted(blows, key=lambda blow: blow.at)

"""What is asked of a run, and what it came to."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from baton.proof.audit.findings import Report
from baton.proof.chaos.pace import Pace
from baton.proof.chaos.plan import Blow, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for. ``agreement``: the YAML it begins with. ``kills`` faults while ``events``
    lines come in over ``seconds``, or over longer where the system cannot keep up. ``keep``: leave
    the broker's data where they are. ``former``: the root of the version that the workers begin
    with. ``backup``: everything is stopped, backed up, deleted and restored on the way.
    ``on_disk``: each worker keeps its state in a directory of its own."""

    agreement: Path
    kills: int
    events: int
    seconds: float
    seed: int
    workers: int = 2
    partitions: int = 4
    pace: Pace = Pace()  # noqa: RUF009 - frozen
    keep: bool = False
    brokers: int = 1
    former: Path | None = None
    backup: bool = False
    on_disk: bool = False

    @property
    def blows(self) -> list[Blow]:
        """The faults, in the order of time."""
        return plan(
            kills=self.kills,
            seed=self.seed,
            brokers=self.brokers,
            upgrade=self.former is not None,
            backup=self.backup,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. ``wrong`` has everything that is not as promised; empty: sound.
    ``unknown``: lines that were sent again since nobody said what became of them. ``backlog``:
    offsets that had piled up when the faults were over; they took ``seconds["recovered"]``.
    ``skipped``: faults that this machine does not allow. ``seconds``: by part of the run."""

    report: Report
    faults: Counter[str]
    sent: int
    acknowledged: int
    by_way: dict[str, int]
    unknown: int
    unacknowledged: int
    poison: int
    backlog: int
    worker_starts: int
    witnessed: int
    seconds: dict[str, float]
    skipped: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def as_document(self) -> dict[str, object]:
        """For scripts."""
        plain = (
            "sent",
            "acknowledged",
            "by_way",
            "unknown",
            "unacknowledged",
            "poison",
            "backlog",
            "worker_starts",
            "witnessed",
            "seconds",
            "skipped",
        )
        return {
            **{name: getattr(self, name) for name in plain},
            "sound": not self.wrong,
            "faults": dict(self.faults),
            "checked": dict(self.report.checked),
            "broken": {invariant.value: count for invariant, count in self.report.broken.items()},
            "wrong": self.wrong,
        }

"""How a system came through once the faults were over, and whether that was soon enough."""

from dataclasses import dataclass

from baton.proof.chaos.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """``backlog``: offsets that had piled up. They took ``seconds``, of which the machine gave
    ``given_s`` (:mod:`baton.proof.chaos.machine_time`)."""

    backlog: int
    seconds: float
    given_s: float

    def late(self, pace: Pace) -> list[str]:
        """What is wrong with that; empty where it was within the bound."""
        bound_s = pace.recovery_bound_s(self.backlog)
        if self.given_s <= bound_s:
            return []
        text = (
            f"what had piled up when the faults were over ({self.backlog:,} offsets) took "
            f"{self.seconds:.0f} s, of which the machine gave {self.given_s:.0f} s; the bound is "
            f"{bound_s:.0f} s"
        )
        return [text]

"""How long things take in a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds. ``session_s``: a worker that is silent so long loses its tasks; ``pause_s`` is
    longer. ``part_s``: for so long a broker is parted from the others. ``recovery_s``: when the
    faults are over, what had piled up must be processed in that time, and a second for every
    ``recovery_rate`` offsets of it, as the machine gives them (``machine_time.py``).
    ``answers_s``: for so long after the last line of the script people go on answering.
    ``calm_s``: nothing new came for so long, or ``calm_limit_s`` have passed. ``patience_s``:
    without any headway for so long, as the machine gives it, a run has failed."""

    session_s: float = 6.0
    pause_s: float = 12.0
    freeze_s: float = 10.0
    part_s: float = 12.0
    recovery_s: float = 30.0
    recovery_rate: float = 300.0
    storm_turns: int = 4
    answers_s: float = 60.0
    calm_s: float = 12.0
    calm_limit_s: float = 60.0
    poll_s: float = 2.0
    report_s: float = 15.0
    patience_s: float = 600.0

    def recovery_bound_s(self, behind: int) -> float:
        """In which time so many offsets have to be processed."""
        return self.recovery_s + behind / self.recovery_rate


QUICK = Pace(
    session_s=4.0,
    pause_s=6.0,
    freeze_s=3.0,
    storm_turns=2,
    answers_s=20.0,
    calm_s=3.0,
    calm_limit_s=15.0,
    poll_s=0.5,
    patience_s=120.0,
)
"""For a small run among the tests."""

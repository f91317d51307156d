"""What a fact or a key adds to a metric: the value that reducers and fact measures hand to the
engine.

The engine applies amounts when the batch that caused them is committed. It does not know what they
count; :mod:`baton.contracts.fact_metrics` and the reducers say that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Amount:
    """``labels``: label values in the order of the metrics catalogue.

    A counter grows by ``value``. A gauge becomes ``value`` if ``sets``, else it is the sum of the
    amounts of all keys.
    """

    metric: str
    labels: tuple[str, ...] = ()
    value: float = 1
    sets: bool = False


Measure = Callable[[Any], Amount | None]
Measures = Mapping[str, Measure]
"""By topic: the function that says what a published fact counts as."""

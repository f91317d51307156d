"""Whether a controller has written down that a broker is gone, as its log shows: no request of
Kafka's protocol does.

A broker that is not *fenced* is taken for alive by whoever reads the metadata, and so for the
leader of its partitions.
"""

import re
from collections.abc import Iterable

_ACTIVE = "Performing controller activation"
_STATE = re.compile(r"Replayed .*\bfenced=(-1|1|true|false)\b")
"""``RegisterBrokerRecord`` has true and false, ``BrokerRegistrationChangeRecord`` 1 for fenced, -1
for not any more, 0 for no change."""


def is_fenced(log: Iterable[str]) -> bool:
    """Whether the only broker of a cluster is fenced, or was never there: the last that the lines
    say, once the controller has read all it had written."""
    active, fenced = False, True
    for line in log:
        active = active or _ACTIVE in line
        if found := _STATE.search(line):
            fenced = found[1] in ("1", "true")
    return active and fenced

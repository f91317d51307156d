"""``python -m services.delivery.concierge.feed_reading FROM_MS UNTIL_MS ZONE``: a calendar feed on
standard input, its busy times as JSON on standard output, or exit code 1 and the reason.

A process of its own: reading a large feed takes seconds of computing, which would hold up the
answers to open forms, and one that takes too long can be ended.
"""

from __future__ import annotations

import json
import os
import sys

from baton.agreement.wall_time import zone_named
from baton.sources.busy_times import busy_in
from baton.sources.calendar_feed import MAX_FEED_BYTES, CalendarWrong


def main() -> int:
    """Read, print."""
    os.nice(10)
    from_ms, until_ms, zone = int(sys.argv[1]), int(sys.argv[2]), zone_named(sys.argv[3])
    feed = sys.stdin.buffer.read(MAX_FEED_BYTES + 1)
    try:
        busy = busy_in(feed, from_ms=from_ms, until_ms=until_ms, zone=zone)
    except CalendarWrong as error:
        sys.stdout.write(str(error))
        return 1
    json.dump([(span.from_ms, span.until_ms) for span in busy], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

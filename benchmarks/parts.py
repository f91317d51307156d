"""The things that are measured, by name. ``python -m benchmarks.parts NAME OPTIONS`` measures one
in this process and prints its JSON."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Mapping

PARTS: Mapping[str, str] = {
    "fill": "filling:measured",
    "loop": "loop:measured",
    "engine": "engine:measured",
    "faust": "faust_agent:measured",
    "streams": "streams:measured",
    "restore_fill": "restoring:filled",
    "restore": "restoring:measured",
    "whole": "whole:measured",
    "chain": "chain:measured",
    "concierge": "concierge:measured",
    "concierge_caller": "concierge:call",
    "hop": "hop:measured",
    "hops": "hops:measured",
    "hop_worker": "hop:work",
    "core": "engine_core:measured",
    "lead": "lead_reducer:measured",
    "codec": "codec:measured",
    "agreement": "agreement:measured",
    "intake": "intake:measured",
}


def main() -> None:
    """Measure the one that is named."""
    # what a part has started ends with it
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    module, function = PARTS[sys.argv[1]].split(":")
    found = getattr(importlib.import_module(f"benchmarks.{module}"), function)(
        json.loads(sys.argv[2])
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()

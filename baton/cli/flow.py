"""All services together, for the commands that run or read the whole flow: simulate, demo, audit.

Services do not know each other, and no module of the library imports one; here they are found by name.
"""

import importlib
from functools import cache
from typing import Any

from baton.contracts.topics import REDUCERS
from baton.engine.reducer import Reducer
from baton.engine.service import Service

SERVICES = tuple(dict.fromkeys(REDUCERS.values()))


@cache
def service_of(name: str) -> Service:
    """The service called ``name``."""
    service: Service = importlib.import_module(f"services.{name}.app").SERVICE
    return service


def all_reducers() -> tuple[Reducer[Any, Any], ...]:
    """Every reducer, in the order of the flow; raises LookupError where the catalogue and the services do not agree."""
    found = {reducer.name: reducer for name in SERVICES for reducer in service_of(name).reducers}
    if found.keys() != REDUCERS.keys():
        raise LookupError(f"the catalogue and the services name different reducers: {sorted(found.keys() ^ REDUCERS.keys())}")
    return tuple(found[name] for name in REDUCERS)

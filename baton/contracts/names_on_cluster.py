"""Names on the cluster: those of the default namespace as they are, others with their namespace
before them."""

from __future__ import annotations

from typing import Final

DEFAULT_NAMESPACE: Final = "baton"


def physical(namespace: str, name: str) -> str:
    """The topic's name on the cluster: as it is in the default namespace, else with the namespace
    before it."""
    return name if namespace == DEFAULT_NAMESPACE else f"{namespace}.{name}"


def logical(namespace: str, name: str) -> str:
    """The inverse of :func:`physical`; raises ValueError for a topic of another namespace."""
    if namespace == DEFAULT_NAMESPACE:
        return name
    if not name.startswith(namespace + "."):
        raise ValueError(f"topic {name} is not of namespace {namespace}")
    return name[len(namespace) + 1 :]


def consumer_group(namespace: str, reducer: str) -> str:
    """The consumer group of a reducer; a task's transactional id is this and ``-<partition>``."""
    return f"{namespace}.{reducer}"

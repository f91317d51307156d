"""The catalogue of topics on a cluster: make what is missing, and say what differs.

Nothing that exists is ever changed here: a partition count that differs would send a key to another
task than the one that holds its state, so it is refused with an explanation, and a setting that
differs is reported for somebody to decide.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported there without saying so
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from baton.contracts.topics import TOPICS, TopicSpec, physical

_TIMEOUT_S = 30.0
_POLL_S = 0.05
_ALREADY_EXISTS = 36
_CLUSTER_REPLICATION = 3
_CLUSTER_MIN_ISR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which the cluster is not as the catalogue says."""

    topic: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, expected {self.expected}"


class TopicsDiffer(RuntimeError):
    """The cluster cannot be used as it is; the text names each difference and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the catalogue is laid out on a cluster. ``replication`` 3 also asks for
    ``min.insync.replicas`` 2."""

    namespace: str
    partitions: int
    replication: int = 1

    def partitions_of(self, spec: TopicSpec) -> int:
        """The number of partitions of one topic."""
        return spec.partitions or self.partitions

    def config_of(self, spec: TopicSpec) -> dict[str, str]:
        """The settings of one topic."""
        if self.replication < _CLUSTER_REPLICATION:
            return spec.config()
        return spec.config() | {"min.insync.replicas": str(_CLUSTER_MIN_ISR)}


def ensure_topics(
    client: Mapping[str, Any], layout: Layout, specs: Iterable[TopicSpec] = tuple(TOPICS.values())
) -> tuple[str, ...]:
    """Make the topics that are missing and return their names; raises :class:`TopicsDiffer` where
    one has other partitions.

    ``client``: options of a confluent-kafka client. Calling it again changes nothing.
    """
    admin = AdminClient(dict(client))
    wanted = tuple(specs)
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    wrong = tuple(_partition_differences(wanted, layout, existing))
    if wrong:
        raise TopicsDiffer(
            "partition counts are fixed when topics are made, because the partition of a key "
            "decides which task holds its"
            " state:\n  "
            + "\n  ".join(map(str, wrong))
            + "\nset BATON_PARTITIONS to what is there, or use a new BATON_NAMESPACE"
        )
    missing = [spec for spec in wanted if physical(layout.namespace, spec.name) not in existing]
    made = [
        NewTopic(
            physical(layout.namespace, spec.name),
            num_partitions=layout.partitions_of(spec),
            replication_factor=layout.replication,
            config=layout.config_of(spec),
        )
        for spec in missing
    ]
    if not made:
        return ()
    new = {
        name
        for name, future in admin.create_topics(made, operation_timeout=_TIMEOUT_S).items()
        if _settle(name, future)
    }
    _await_known(admin, {new_topic.topic for new_topic in made})
    return tuple(spec.name for spec in missing if physical(layout.namespace, spec.name) in new)


def compare_topics(
    client: Mapping[str, Any], layout: Layout, specs: Iterable[TopicSpec] = tuple(TOPICS.values())
) -> tuple[Difference, ...]:
    """Every difference between the cluster and the catalogue: missing topics, partitions,
    replication, settings."""
    admin = AdminClient(dict(client))
    wanted = tuple(specs)
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    missing = tuple(
        Difference(
            topic=physical(layout.namespace, spec.name),
            what="topic",
            expected="there",
            found="missing",
        )
        for spec in wanted
        if physical(layout.namespace, spec.name) not in existing
    )
    present = [spec for spec in wanted if physical(layout.namespace, spec.name) in existing]
    return (
        *missing,
        *_partition_differences(present, layout, existing),
        *_replication_differences(present, layout, existing),
        *_config_differences(admin, present, layout),
    )


def delete_topics(
    client: Mapping[str, Any], layout: Layout, specs: Iterable[TopicSpec] = tuple(TOPICS.values())
) -> None:
    """Remove the topics of a namespace, for tests and throw-away runs; what is not there is passed
    over."""
    admin = AdminClient(dict(client))
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    names = [name for spec in specs if (name := physical(layout.namespace, spec.name)) in existing]
    if names:
        for future in admin.delete_topics(names, operation_timeout=_TIMEOUT_S).values():
            future.result(timeout=_TIMEOUT_S)


def _settle(name: str, future: Any) -> bool:
    """Whether it was us who made the topic."""
    try:
        future.result(timeout=_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() != _ALREADY_EXISTS:
            raise TopicsDiffer(f"{name}: could not be made: {error.args[0].str()}") from error
        return False
    return True


def _await_known(admin: AdminClient, names: set[str]) -> None:
    """A controller answers before every broker has heard of the topic: wait until one that is asked
    has."""
    until = time.monotonic() + _TIMEOUT_S
    while not names <= admin.list_topics(timeout=_TIMEOUT_S).topics.keys():
        if time.monotonic() > until:
            raise TopicsDiffer(
                f"the cluster made topics that its brokers do not know after {_TIMEOUT_S:.0f} s"
            )
        time.sleep(_POLL_S)


def _partition_differences(
    specs: Sequence[TopicSpec], layout: Layout, existing: Mapping[str, Any]
) -> Iterable[Difference]:
    for spec in specs:
        name = physical(layout.namespace, spec.name)
        if name in existing and len(existing[name].partitions) != layout.partitions_of(spec):
            yield Difference(
                topic=name,
                what="number of partitions",
                expected=str(layout.partitions_of(spec)),
                found=str(len(existing[name].partitions)),
            )


def _replication_differences(
    specs: Sequence[TopicSpec], layout: Layout, existing: Mapping[str, Any]
) -> Iterable[Difference]:
    for spec in specs:
        name = physical(layout.namespace, spec.name)
        fewest = min(len(partition.replicas) for partition in existing[name].partitions.values())
        if fewest < layout.replication:
            yield Difference(
                topic=name,
                what="replication",
                expected=f"{layout.replication} or more",
                found=str(fewest),
            )


def _config_differences(
    admin: AdminClient, specs: Sequence[TopicSpec], layout: Layout
) -> Iterable[Difference]:
    by_name = {physical(layout.namespace, spec.name): spec for spec in specs}
    if not by_name:
        return
    described = admin.describe_configs(
        [ConfigResource(ResourceType.TOPIC, name) for name in by_name]
    )
    for resource, future in described.items():
        found = future.result(timeout=_TIMEOUT_S)
        for setting, expected in layout.config_of(by_name[resource.name]).items():
            value = str(found[setting].value)
            same = (
                float(value) == float(expected)
                if setting == "min.cleanable.dirty.ratio"
                else value == expected
            )
            if not same:
                yield Difference(topic=resource.name, what=setting, expected=expected, found=value)

"""The text of the embedded broker's files: its settings, each with its reason, and where its log
goes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_NODE = "1"
_YEARS_10_MINUTES = 10 * 365 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPorts:
    """The two ports of the node, both on the loopback: clients' and its own controller's."""

    clients: int
    controller: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One more way in, beside the plain one. ``protocol`` is Kafka's (``SASL_SSL``); ``settings``
    are the node's that go with it."""

    name: str
    port: int
    protocol: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One node of several: its number from 1, and where it listens. Each is broker and
    controller."""

    number: int
    host: str
    ports: BrokerPorts


def member_properties(data: Path, own: Member, members: Sequence[Member]) -> str:
    """``server.properties`` of one node of a cluster that keeps three copies of everything and
    acknowledges what two have."""
    voters = ",".join(
        f"{member.number}@{member.host}:{member.ports.controller}" for member in members
    )
    clients, controller = (
        f"{own.host}:{port}" for port in (own.ports.clients, own.ports.controller)
    )
    copies, needed = str(min(3, len(members))), str(min(2, len(members)))
    return _text(
        {
            **_shared(data),
            "node.id": str(own.number),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{clients},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{clients}",
            **_copies(copies, needed),
            # One that is silent for so long is taken for gone, and others lead its partitions.
            "broker.session.timeout.ms": "6000",
            "broker.heartbeat.interval.ms": "1000",
        }
    )


def server_properties(data: Path, ports: BrokerPorts, also: Listener | None = None) -> str:
    """``server.properties`` of a single KRaft node that keeps its data in ``data``."""
    settings = {**_settings(data, ports), **(_listening(ports, also) if also else {})}
    return _text(settings)


def controller_properties(data: Path, ports: BrokerPorts) -> str:
    """``server.properties`` of the controller of that node alone, as it runs before each start (see
    ``embedded.py``)."""
    settings = {
        "process.roles": "controller",
        "node.id": _NODE,
        "controller.quorum.voters": f"{_NODE}@127.0.0.1:{ports.controller}",
        "listeners": f"CONTROLLER://127.0.0.1:{ports.controller}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        # The broker of before is gone, and is to be taken for gone soon.
        "broker.session.timeout.ms": "500",
    }
    return _text(settings)


def _text(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _listening(ports: BrokerPorts, also: Listener) -> dict[str, str]:
    plain, secured = (
        f"PLAINTEXT://127.0.0.1:{ports.clients}",
        f"{also.name}://127.0.0.1:{also.port}",
    )
    return {
        "listeners": f"{plain},{secured},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"{plain},{secured}",
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{also.name}:{also.protocol}",
        **also.settings,
    }


def _settings(data: Path, ports: BrokerPorts) -> dict[str, str]:
    """Of the single node."""
    clients, controller = f"127.0.0.1:{ports.clients}", f"127.0.0.1:{ports.controller}"
    return {
        **_shared(data),
        "node.id": _NODE,
        "controller.quorum.voters": f"{_NODE}@{controller}",
        "listeners": f"PLAINTEXT://{clients},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{clients}",
        **_copies("1", "1"),
        # No partition may be without a leader while the node runs: for those a transaction
        # coordinator leaves the marker out that ends a transaction, and a batch is committed in a
        # part of its topics. So a node that was paused or starved does not lose its session (there
        # is nobody to take over), and one that stops does not hand over its partitions first. With
        # so long a session nothing may start the node on data that is there without fencing it
        # before.
        "broker.session.timeout.ms": str(3_600_000),
        "controlled.shutdown.enable": "false",
    }


def _copies(copies: str, needed: str) -> dict[str, str]:
    """How many nodes keep a record, and how many must have it before it is acknowledged."""
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": needed,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": needed,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": needed,
    }


def _shared(data: Path) -> dict[str, str]:
    """What every node has, alone or not."""
    return {
        "process.roles": "broker,controller",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        # The log's time is the only time that decides anything: the broker's, not the senders'.
        "log.message.timestamp.type": "LogAppendTime",
        # A stray client must not make a topic with one partition.
        "auto.create.topics.enable": "false",
        # A small machine: fewer internal partitions to make and to load.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        **_SMALL,
    }


_SMALL = {
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(32 << 20),
    "log.index.size.max.bytes": str(2 << 20),
    # Members join at once, and short sessions are allowed, so that a fault is seen soon.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # The transaction of a killed worker holds readers back: look for overdue ones every second.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # Committed offsets belong to the state; a machine that was off for a month must find them
    # again.
    "offsets.retention.minutes": str(_YEARS_10_MINUTES),
}


def log_properties(log: Path) -> str:
    """The log4j2 settings: warnings and what the server says of itself, in files that do not grow
    without end."""
    return f"""\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %m (%c{{1}})%n%throwable
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server
logger.server.level = info
# What became of transactions whose markers could not be written.
logger.transactions.name = kafka.coordinator.transaction.TransactionMarkerChannelManager
logger.transactions.level = info
# Which brokers are fenced: see fence.py.
logger.brokers.name = org.apache.kafka.controller.ClusterControlManager
logger.brokers.level = info
"""

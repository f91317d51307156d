"""A cluster that asks who comes and allows nothing unasked: TLS, SCRAM and ACLs, on a broker that
enforces them.

Each service is a principal of its own and has exactly the rights of the table in docs/OPERATING.md;
with these a lead comes all the way from the inbox to a sales tool, and a right too few is reported
by name.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.log import LogReader
from baton.contracts.acls import GATEWAY, READ, WRITE, Right, rights_of, topics_of
from baton.contracts.codec import codec_for
from baton.contracts.slas import SlaViolation
from baton.contracts.topics import REDUCERS, physical
from baton.local.broker.config import Listener
from baton.local.broker.embedded import EmbeddedBroker
from baton.local.broker.free_ports import free_port
from baton.local.up.preparing import prepare_cluster
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.settings import Settings, load_settings
from tests.kafka.conftest import DEMO_AGREEMENT
from tests.kafka.nursery import Nursery
from tests.patience import BROKER_READY_S

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

SERVICES = (*dict.fromkeys(REDUCERS.values()), GATEWAY, "insights", "delivery")
PATIENCE_S = 90.0
ROUTED = ("leads.routed.sdr.v1", "leads.routed.sales.v1")
LINE = {
    "id": "hand-1",
    "source": "web",
    "kind": "engagement",
    "occurred_at": datetime.now(UTC).isoformat(),
    "identifiers": {"email": "ann@acme.example"},
    "engagement": {"act": "demo_request"},
    "profile": {"title": "Head of Operations", "country": "DE", "employees": "250"},
}
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
}


@dataclass(frozen=True)
class Secured:
    """``plain``: the way in of who may do anything; ``settings_of`` a principal go by TLS and
    SCRAM."""

    plain: str
    secured: str
    ca: Path

    def settings_of(self, principal: str, namespace: str, home: Path) -> Settings:
        return Settings(
            bootstrap=self.secured,
            namespace=namespace,
            home=home,
            partitions=1,
            security_protocol="SASL_SSL",
            sasl_username=principal,
            sasl_password=_password(principal),
            ssl_ca_file=self.ca,
        )

    def environment_of(self, principal: str) -> dict[str, str]:
        return {
            "BATON_BOOTSTRAP": self.secured,
            "BATON_SECURITY_PROTOCOL": "SASL_SSL",
            "BATON_SASL_USERNAME": principal,
            "BATON_SASL_PASSWORD": _password(principal),
            "BATON_SSL_CA_FILE": str(self.ca),
        }


def _password(principal: str) -> str:
    return f"secret of {principal}"


def _pem(folder: Path) -> tuple[Path, Path]:
    """The broker's key and certificate in one file, as Kafka wants them, and that of who signed."""
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1", "localhost")
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    store, signer = folder / "broker.pem", folder / "ca.pem"
    chain = b"".join(cert_chain_pem.bytes() for cert_chain_pem in issued.cert_chain_pems)
    store.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    ca.cert_pem.write_to_path(str(signer))
    return store, signer


@pytest.fixture(scope="module")
def cluster(broker_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with ACLs: whoever comes by the plain listener may do anything, everybody else what
    they are given."""
    folder = tmp_path_factory.mktemp("secured")
    store, signer = _pem(folder)
    port = free_port()
    asks = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.asking.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.asking.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }
    also = Listener(name="ASKING", port=port, protocol="SASL_SSL", settings=asks)
    broker = EmbeddedBroker(
        folder / "broker", cache=broker_cache, also=also, ready_timeout_s=BROKER_READY_S
    )
    try:
        plain = broker.start()
        _make_principals(AdminClient({"bootstrap.servers": plain}), (*SERVICES, "outside", "tool"))
        yield Secured(plain=plain, secured=f"127.0.0.1:{port}", ca=signer)
    finally:
        broker.remove()


def _make_principals(admin: AdminClient, names: tuple[str, ...]) -> None:
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    made = [
        UserScramCredentialUpsertion(name, how, _password(name).encode(), uuid.uuid4().bytes)
        for name in names
    ]
    for future in admin.alter_user_scram_credentials(made).values():
        future.result(30)


def _allow(plain: str, principal: str, rights: tuple[Right, ...]) -> None:
    bindings = [
        AclBinding(
            RESOURCES[right.resource],
            right.name,
            ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
            f"User:{principal}",
            "*",
            AclOperation[operation.upper()],
            AclPermissionType.ALLOW,
        )
        for right in rights
        for operation in right.operations
    ]
    admin = AdminClient({"bootstrap.servers": plain})
    for future in admin.create_acls(list(dict.fromkeys(bindings))).values():
        future.result(30)


def _outsiders(namespace: str) -> dict[str, tuple[Right, ...]]:
    """Who sends, and who subscribes."""
    tool = [
        Right(resource="topic", name=physical(namespace, topic), operations=READ)
        for topic in ROUTED
    ]
    return {
        "outside": (
            Right(resource="topic", name=physical(namespace, "leads.inbox.v1"), operations=WRITE),
        ),
        "tool": (*tool, Right(resource="group", name="tool", operations=READ)),
    }


Running = Callable[[str], AbstractContextManager[System]]


@pytest.fixture
def running(
    nursery: Nursery, cluster: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """``with running(namespace) as system``: each service as the principal of its name."""
    yield lambda namespace: _running(nursery, cluster, namespace, tmp_path, monkeypatch)
    load_settings.cache_clear()


@contextmanager
def _running(
    nursery: Nursery,
    cluster: Secured,
    namespace: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[System]:
    for name, value in {
        "BATON_BOOTSTRAP": cluster.plain,
        "BATON_NAMESPACE": namespace,
        "BATON_HOME": str(home),
        "BATON_PARTITIONS": "1",
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_AGREEMENT": str(DEMO_AGREEMENT),
    }.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    said: list[str] = []
    system = System(
        load_settings(),
        prepare=lambda reached: prepare_cluster(reached, said.append),
        commands=lambda settings: [
            replace(
                service_command,
                environment={
                    **service_command.environment,
                    **cluster.environment_of(service_command.name),
                },
            )
            for service_command in service_commands(settings)
        ],
        say=said.append,
        spawn=nursery.popen,
    )
    with system.running():
        yield system


def test_with_the_rights_of_the_table_a_lead_comes_all_the_way_and_nobody_may_do_more(
    cluster: Secured, running: Running, tmp_path: Path
) -> None:
    namespace = "secured"
    for service in SERVICES:
        _allow(cluster.plain, service, rights_of(service, namespace))
    for principal, rights in _outsiders(namespace).items():
        _allow(cluster.plain, principal, rights)
    with running(namespace):
        _send(
            cluster.settings_of("outside", namespace, tmp_path),
            physical(namespace, "leads.inbox.v1"),
            json.dumps(LINE),
        )
        tool = Consumer(
            confluent_options(cluster.settings_of("tool", namespace, tmp_path))
            | {
                "group.id": "tool",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        tool.subscribe([physical(namespace, topic) for topic in ROUTED])
        message, until = None, time.monotonic() + PATIENCE_S
        while message is None and time.monotonic() < until:
            message = tool.poll(1.0)
        tool.close()
        assert message is not None, "nothing was routed"
        assert message.error() is None
        breach = _breach(cluster.plain, namespace)  # of a lead; a goal may be far behind today
        assert (breach.clock, breach.unproven) == ("accept", False), (
            "the watcher cannot see how far the groups before it are"
        )
        for principal in (*SERVICES, "outside", "tool"):
            settings = cluster.settings_of(principal, namespace, tmp_path)
            with pytest.raises(PermissionError):
                _send(settings, physical(namespace, "baton.agreements.v1"), "forged")


def _breach(plain: str, namespace: str) -> SlaViolation:
    """The first broken promise about a lead; nobody takes the lead, so there will be one."""
    topic, until = "leads.sla-violations.v1", time.monotonic() + PATIENCE_S
    with LogReader({"bootstrap.servers": plain}, namespace, follows=True) as reader:
        for record in reader.read(
            {topic: [0]}, follow=True, until=lambda: time.monotonic() > until
        ):
            assert record.value is not None
            reported = codec_for(SlaViolation).decode(record.value)
            if reported.kind == "breach" and reported.lead_id is not None:
                return reported
    raise AssertionError("no promise was ever broken")


def _send(settings: Settings, topic: str, value: str) -> None:
    """Raises PermissionError where the cluster says so."""
    reported: list[KafkaError | None] = []
    producer = Producer(confluent_producer_options(settings) | {"enable.idempotence": False})
    producer.produce(
        topic, value.encode(), key=b"k", on_delivery=lambda error, _: reported.append(error)
    )
    assert producer.flush(30) == 0
    error = reported[0]
    if error is not None:
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error
        raise PermissionError(error.str())


def test_a_right_too_few_is_reported_by_name(
    cluster: Secured, running: Running, tmp_path: Path
) -> None:
    namespace = "lacking"
    lacking = physical(namespace, topics_of("scorer").reads[0])
    for service in SERVICES:
        rights = rights_of(service, namespace)
        kept = tuple(right for right in rights if service != "scorer" or right.name != lacking)
        _allow(cluster.plain, service, kept)
    with (
        pytest.raises(Exception, match="scorer"),
        running(namespace),
    ):
        pass
    log = (tmp_path / "logs" / "scorer.log").read_text()
    assert "TopicAuthorizationFailed" in log
    assert lacking in log

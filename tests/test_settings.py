"""The settings: what is refused, what client are given, and that no secret is printed."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from baton.cli.main import words_of
from baton.clients import NoBroker, client_options, confluent_options, confluent_producer_options
from baton.settings import Settings

SASL = {
    "bootstrap": "a:9093, b:9093",
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "PLAIN",
    "sasl_username": "baton",
    "sasl_password": "s3cret",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("BATON_"):
            monkeypatch.delenv(name)


def test_plain_clients_get_the_address_only() -> None:
    given = Settings(bootstrap="localhost:9092")
    assert client_options(given) == {
        "bootstrap_servers": "localhost:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert confluent_options(given) == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "PLAINTEXT",
        "log_level": 2,
    }


def test_name_password_and_tls_reach_both_kinds_of_clients() -> None:
    given = Settings(**SASL)
    options = client_options(given)
    context = options.pop("ssl_context")
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert options == {
        "bootstrap_servers": "a:9093,b:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "baton",
        "sasl_plain_password": "s3cret",
    }
    assert confluent_options(given) == {
        "bootstrap.servers": "a:9093,b:9093",
        "security.protocol": "SASL_SSL",
        "log_level": 2,
        "sasl.mechanism": "PLAIN",
        "sasl.username": "baton",
        "sasl.password": "s3cret",
    }


def test_our_own_certificate_reaches_librdkafka() -> None:
    given = Settings(
        bootstrap="a:1",
        security_protocol="SSL",
        ssl_ca_file=Path("/ca"),
        ssl_cert_file=Path("/cert"),
        ssl_key_file=Path("/key"),
        ssl_key_password="pw",
    )
    assert confluent_options(given) == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SSL",
        "log_level": 2,
        "ssl.ca.location": "/ca",
        "ssl.certificate.location": "/cert",
        "ssl.key.location": "/key",
        "ssl.key.password": "pw",
    }


def test_a_producer_sends_keys_where_javas_would() -> None:
    assert confluent_producer_options(Settings(bootstrap="a:1"))["partitioner"] == "murmur2_random"


def test_secrets_are_stars_wherever_settings_are_printed() -> None:
    given = Settings(**SASL)
    assert given.masked()["sasl_password"] == "******"
    assert given.masked()["sasl_username"] == "baton"
    assert "s3cret" not in f"{given!r} {given} {given.masked()} {given.model_dump_json()}"


def test_without_an_address_a_client_says_how_to_have_one() -> None:
    with pytest.raises(NoBroker, match="baton up"):
        client_options(Settings())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bootstrap": "localhost"}, "BATON_BOOTSTRAP: Value error, expected host:port"),
        ({"bootstrap": "a:9092,b"}, "BATON_BOOTSTRAP: Value error, expected host:port"),
        ({"namespace": "Sales!"}, "BATON_NAMESPACE: String should match pattern"),
        ({"partitions": 0}, "BATON_PARTITIONS: Input should be greater than or equal to 1"),
        ({"broker_port": 70_000}, "BATON_BROKER_PORT: Input should be less than or equal to 65535"),
        ({"log_level": "loud"}, "BATON_LOG_LEVEL: String should match"),
        (
            {"security_protocol": "SASL_SSL"},
            "SASL_SSL needs BATON_SASL_USERNAME and BATON_SASL_PASSWORD",
        ),
        (
            {"ssl_cert_file": Path("/cert")},
            "BATON_SSL_CERT_FILE and BATON_SSL_KEY_FILE go together",
        ),
    ],
)
def test_a_wrong_setting_is_named_as_it_is_set(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    assert said in words_of(caught.value)


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**{**SASL, "sasl_mechanism": "hunter2"})
    assert "hunter2" not in words_of(caught.value)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_BOOTSTRAP", "")
    assert Settings().embedded


@pytest.mark.parametrize(
    ("brokers", "asked", "copies"), [(1, None, 1), (2, None, 2), (5, None, 3), (5, 2, 2)]
)
def test_topics_have_three_copies_where_there_are_brokers_for_it(
    brokers: int, asked: int | None, copies: int
) -> None:
    assert Settings(replication=asked).copies(brokers) == copies


def test_a_topic_has_one_partition_on_the_embedded_broker_and_four_on_a_cluster() -> None:
    embedded, cluster = Settings(), Settings(bootstrap="kafka:9092")
    assert (embedded.partition_count, cluster.partition_count) == (1, 4)
    assert Settings(partitions=6).partition_count == 6
    reached = embedded.reached_at("127.0.0.1:9092")
    assert (reached.bootstrap, reached.partition_count) == ("127.0.0.1:9092", 1), (
        "with its address in them the settings still say what the embedded broker has"
    )

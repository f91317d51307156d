"""Where every Kafka client of Baton learns where the cluster is and how to authenticate: the one
place where settings become options.

Both libraries in use have their own words for the same things. Neither function connects.
"""

import ssl
from typing import Any

from baton.settings import Settings

_LIBRDKAFKA_ERRORS = 2
NO_BROKER = (
    "no Kafka is known: start one with `baton up` or `baton broker start`, or set BATON_BOOTSTRAP"
)


class NoBroker(RuntimeError):
    """Nothing says where a Kafka cluster is; the text says how to have one."""


def bootstrap_of(settings: Settings) -> str:
    """The cluster's addresses; raises :class:`NoBroker` where none are known."""
    if settings.bootstrap is None:
        raise NoBroker(NO_BROKER)
    return settings.bootstrap


def client_options(settings: Settings) -> dict[str, Any]:
    """Options of any aiokafka client (producer, consumer, admin)."""
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap_of(settings),
        "security_protocol": settings.security_protocol.value,
    }
    if settings.security_protocol.has_tls:
        options["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.has_sasl:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism.value,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": _secret(settings.sasl_password),
        }
    return options


def confluent_options(settings: Settings) -> dict[str, Any]:
    """Options of any confluent-kafka client."""
    options: dict[str, Any] = {
        "bootstrap.servers": bootstrap_of(settings),
        "security.protocol": settings.security_protocol.value,
        # what fails is raised or called back; its own lines on stderr are not ours
        "log_level": _LIBRDKAFKA_ERRORS,
    }
    if settings.security_protocol.has_tls:
        files = {
            "ssl.ca.location": settings.ssl_ca_file,
            "ssl.certificate.location": settings.ssl_cert_file,
            "ssl.key.location": settings.ssl_key_file,
            "ssl.key.password": _secret(settings.ssl_key_password),
        }
        options |= {name: str(value) for name, value in files.items() if value is not None}
    if settings.security_protocol.has_sasl:
        options |= {
            "sasl.mechanism": settings.sasl_mechanism.value,
            "sasl.username": settings.sasl_username,
            "sasl.password": _secret(settings.sasl_password),
        }
    return options


def confluent_producer_options(settings: Settings) -> dict[str, Any]:
    """Options of a confluent-kafka producer: Java's partitioner (librdkafka's own would send keys
    elsewhere), and no loss."""
    return confluent_options(settings) | {
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "acks": "all",
    }


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=None if settings.ssl_ca_file is None else str(settings.ssl_ca_file)
    )
    if settings.ssl_cert_file is not None and settings.ssl_key_file is not None:
        context.load_cert_chain(
            settings.ssl_cert_file, settings.ssl_key_file, _secret(settings.ssl_key_password)
        )
    return context


def _secret(value: Any) -> str | None:
    return None if value is None else str(value.get_secret_value())

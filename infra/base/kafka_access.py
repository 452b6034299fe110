"""How clients get into Kafka: password (SASL) and encryption (TLS) in the words of each client library."""

from __future__ import annotations

import ssl
from typing import Any

from infra.base.settings import Settings

#: Seconds that a broker has to say which brokers there are.
_ASK_SECONDS = 2.0


def protocol(settings: Settings) -> str:
    """Kafka's name for it: ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``."""
    return ("SASL_" if settings.kafka_user else "") + ("SSL" if settings.kafka_tls else "PLAINTEXT")


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What a broker's certificate is checked with; None: not encrypted. Raises OSError for a file that is no PEM."""
    return ssl.create_default_context(cafile=settings.kafka_ca or None) if settings.kafka_tls else None


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Arguments for every client of aiokafka: where Kafka is, and how to get in."""
    found: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": protocol(settings),
        "ssl_context": tls_context(settings),
    }
    if settings.kafka_user:
        found |= {
            "sasl_mechanism": settings.kafka_sasl,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password,
        }
    return found


def librdkafka_options(settings: Settings) -> dict[str, str]:
    """The same as properties of librdkafka: for confluent-kafka, and for ``kcat -F``."""
    found = {"bootstrap.servers": settings.kafka, "security.protocol": protocol(settings)}
    if settings.kafka_tls and settings.kafka_ca:
        found["ssl.ca.location"] = settings.kafka_ca
    if settings.kafka_user:
        found |= {
            "sasl.mechanisms": settings.kafka_sasl,
            "sasl.username": settings.kafka_user,
            "sasl.password": settings.kafka_password,
        }
    return found


def java_options(settings: Settings) -> dict[str, str]:
    """The same for Kafka's own tools: ``kafka-topics.sh --command-config``. Without bootstrap servers."""
    found = {"security.protocol": protocol(settings)}
    if settings.kafka_tls and settings.kafka_ca:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": settings.kafka_ca}
    if settings.kafka_user:
        module = "plain.PlainLoginModule" if settings.kafka_sasl == "PLAIN" else "scram.ScramLoginModule"
        found |= {
            "sasl.mechanism": settings.kafka_sasl,
            "sasl.jaas.config": login(module, settings.kafka_user, settings.kafka_password),
        }
    return found


def login(module: str, user: str, password: str, **more: str) -> str:
    """A line of JAAS, in which quotes and backslashes are escaped."""
    values = {"username": user, "password": password, **more}
    words = [f'{name}="{escaped(value)}"' for name, value in values.items()]
    return f"org.apache.kafka.common.security.{module} required {' '.join(words)};"


def escaped(text: str) -> str:
    """As JAAS, and argument files of Java, want it within double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def brokers(settings: Settings) -> int:
    """How many brokers Kafka names to a client that knows the password; 0 when nobody answers, or not to us.

    A broker that its controller has not admitted yet is not among them. Takes up to some seconds.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # It says every failed attempt on standard error otherwise.
    client = AdminClient({**librdkafka_options(settings), "log_level": 0, "socket.connection.setup.timeout.ms": 2000})
    try:
        return len(client.list_topics(timeout=_ASK_SECONDS).brokers)
    except KafkaException:
        return 0

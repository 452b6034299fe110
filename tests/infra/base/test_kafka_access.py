"""Who gets into Kafka: nobody without the password, every client with it, over TLS too. Tests
``infra/base/kafka_access.py`` and the passwords of ``infra/embedded/kafka.py``."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
import trustme
from aiokafka import TopicPartition
from confluent_kafka import Consumer
from cryptography.hazmat.primitives import serialization

from infra.base import kafka
from infra.base.kafka_access import aiokafka_options, brokers, java_options, librdkafka_options
from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from infra.ops.commands.cli_connect import _lines


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """A broker with its topics, as ``up`` makes it."""
    found = EmbeddedKafka(tmp_path_factory.mktemp("broker") / "kafka", heap="384m")
    try:
        await asyncio.to_thread(found.start)
        await kafka.ensure_topics(load(found.access(), partitions=1, feed_partitions=1))
        yield found
    finally:
        found.kill()


def strangers(settings: Settings) -> list[Settings]:
    """Who has no password, and who guesses one."""
    return [
        msgspec.structs.replace(settings, kafka_user=user, kafka_password="guess") for user in ("", "klatsch", "eve")
    ]


async def test_all_clients_get_in_with_the_password(broker: EmbeddedKafka) -> None:
    settings = load(broker.access())
    assert settings.kafka_sasl == "SCRAM-SHA-256" and len(settings.kafka_password) == 32
    producer = kafka.producer(settings)
    await producer.start()
    await producer.send_and_wait("klatsch.signals", b"1", partition=0)
    await producer.stop()
    consumer = kafka.consumer(settings)
    await consumer.start()
    consumer.assign([place := TopicPartition("klatsch.signals", 0)])
    consumer.seek(place, 0)
    assert (await consumer.getone()).value == b"1"
    await kafka.close(consumer)
    assert await asyncio.to_thread(brokers, settings) == 1


async def test_kcat_gets_in_as_distributions_have_it(broker: EmbeddedKafka, tmp_path: Path) -> None:
    if shutil.which("kcat") is None:
        text = "needs kcat: install it to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    lines = _lines("kcat", load(broker.access()), embedded=True)
    (tmp_path / "kafka.conf").write_text("\n".join(lines))
    command = ["kcat", "-F", str(tmp_path / "kafka.conf"), "-L", "-J"]
    found = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert "klatsch.rooms" in {topic["topic"] for topic in msgspec.json.decode(found.stdout)["topics"]}, found.stderr


async def test_nobody_gets_in_without_it(broker: EmbeddedKafka) -> None:
    for stranger in strangers(load(broker.access())):
        assert await asyncio.to_thread(brokers, stranger) == 0
        plain = msgspec.structs.replace(stranger, kafka_sasl="PLAIN")
        assert await asyncio.to_thread(brokers, plain) == 0
    # The controller's port could change topics and settings.
    for one in strangers(load(broker.access(), kafka=f"127.0.0.1:{broker.controller_port}")):
        assert await asyncio.to_thread(brokers, one) == 0


async def test_the_password_is_in_no_command_line_and_in_no_file_that_others_read(broker: EmbeddedKafka) -> None:
    password = broker.access()["KLATSCH_KAFKA_PASSWORD"]
    assert broker._process is not None and broker._process.pid is not None
    assert password not in " ".join(psutil.Process(broker._process.pid).cmdline())
    holders = [file for file in broker.data.rglob("*") if file.is_file() and password.encode() in file.read_bytes()]
    assert {file.name for file in holders} == {"password", "server.properties"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in holders} == {0o600}
    assert stat.S_IMODE(broker.data.stat().st_mode) == 0o700


async def test_data_that_is_older_than_the_password_is_kept_and_guarded(tmp_path: Path) -> None:
    old = EmbeddedKafka(tmp_path / "kafka", heap="384m", open_to_all=True)
    await asyncio.to_thread(old.start)
    settings = load(old.access(), partitions=1, feed_partitions=1)
    await kafka.ensure_topics(settings)
    producer = kafka.producer(settings)
    await producer.start()
    await producer.send_and_wait("klatsch.rooms", b"old", partition=0)
    await producer.stop()
    await asyncio.to_thread(old.stop)
    new = EmbeddedKafka(tmp_path / "kafka", port=old.port, controller_port=old.controller_port, heap="384m")
    try:
        await asyncio.to_thread(new.start)
        settings = load(new.access(), partitions=1, feed_partitions=1)
        assert settings.kafka_sasl == "PLAIN"
        await kafka.ensure_topics(settings)
        assert await kafka.end_offsets(settings, "klatsch.rooms", 1) == {0: 1}
        for stranger in strangers(settings):
            assert await asyncio.to_thread(brokers, stranger) == 0
    finally:
        new.kill()


async def test_over_tls_clients_check_whom_they_talk_to(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    (tmp_path / "broker.pem").write_bytes(_pkcs8(certificate) + certificate.cert_chain_pems[0].bytes())
    broker = EmbeddedKafka(
        tmp_path / "kafka",
        heap="384m",
        overrides={
            "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
            "listener.name.client.ssl.keystore.type": "PEM",
            "listener.name.client.ssl.keystore.location": str(tmp_path / "broker.pem"),
            "listener.name.client.ssl.truststore.type": "PEM",
            "listener.name.client.ssl.truststore.location": str(tmp_path / "ca.pem"),
        },
    )
    process = broker.prepare()
    tls = {"kafka_tls": True, "kafka_ca": str(tmp_path / "ca.pem")}
    settings = load(broker.access(), partitions=1, feed_partitions=1, **tls)
    try:
        process.spawn()
        await asyncio.to_thread(process.wait_until, lambda: brokers(settings) == 1)
        await kafka.ensure_topics(settings)
        assert await kafka.end_offsets(settings, "klatsch.rooms", 1) == {0: 0}
        reader = Consumer({**librdkafka_options(settings), "group.id": "none"})
        assert "klatsch.rooms" in (await asyncio.to_thread(reader.list_topics, timeout=10)).topics
        reader.close()
        wrong = msgspec.structs.replace(settings, kafka_ca=str(tmp_path / "other.pem"))
        assert await asyncio.to_thread(brokers, wrong) == 0
        assert await asyncio.to_thread(brokers, msgspec.structs.replace(settings, kafka_tls=False)) == 0
    finally:
        broker.kill()


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """The private key in the only form that Kafka reads."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, no_password)


def test_the_words_of_each_client() -> None:
    plain = Settings(kafka="a:1")
    assert librdkafka_options(plain) == {"bootstrap.servers": "a:1", "security.protocol": "PLAINTEXT"}
    assert aiokafka_options(plain)["security_protocol"] == "PLAINTEXT"
    assert java_options(plain) == {"security.protocol": "PLAINTEXT"}
    sasl = Settings(kafka="a:1", kafka_user="ann", kafka_password='q"\\', kafka_sasl="SCRAM-SHA-512")
    assert java_options(sasl)["sasl.jaas.config"] == (
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="q\\"\\\\";'
    )
    assert librdkafka_options(sasl)["sasl.mechanisms"] == aiokafka_options(sasl)["sasl_mechanism"] == "SCRAM-SHA-512"


def test_settings_show_no_secrets() -> None:
    text = repr(Settings(secret="5ec7", kafka_password="9a55", postgres="postgresql://me:0d3b@db/x"))
    assert "5ec7" not in text and "9a55" not in text and "0d3b" not in text and "postgresql://db/x" in text

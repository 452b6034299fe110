"""The embedded parts, started and ended in every way; data outlives each of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from infra.base import kafka
from infra.base.settings import Settings, load
from infra.embedded.accounts import reachable_copy, server_account
from infra.embedded.java import NoJava, find_java, java_version
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.lifeline import still_there
from infra.embedded.ports import PortInUse, free_port, is_free
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.process import Process, ProcessError, accepts
from tests.deadline import until


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres")
    yield server
    server.remove()


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_kafka_keeps_what_was_acknowledged_through_kill_and_restart(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka")
    try:
        await asyncio.to_thread(broker.start)
        settings = load(broker.access())
        async with kafka.admin(settings) as admin:
            await admin.create_topics([NewTopic("kept", 1, 1)])
        producer = kafka.producer(settings, request_timeout_ms=40_000)
        await producer.start()
        for number, end in enumerate((broker.kill, broker.stop)):
            await producer.send_and_wait("kept", b"%d" % number, partition=0)
            await asyncio.to_thread(end)
            assert not accepts("127.0.0.1", broker.port)
            await asyncio.to_thread(broker.start)
        await producer.stop()
        assert await read(settings, TopicPartition("kept", 0), 2) == [b"0", b"1"]
    finally:
        broker.kill()


async def read(settings: Settings, partition: TopicPartition, count: int) -> list[bytes]:
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        async with asyncio.timeout(30):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_postgres_keeps_what_was_committed_through_kill_and_restart(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.start)
    assert await ask(postgres.dsn, "select current_database()") == "klatsch"
    await ask(postgres.dsn, "create table kept (number int)")
    for end in (postgres.kill, postgres.stop):
        await ask(postgres.dsn, "insert into kept select count(*) from kept")
        await asyncio.to_thread(end)
        await asyncio.to_thread(postgres.start)
    assert await ask(postgres.dsn, "select array_agg(number order by number) from kept") == [0, 1]
    assert await ask(postgres.dsn, "select lower('ÄÖ') || length('☕')") == "äö1"


async def test_postgres_wants_its_password(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.start)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(f"postgresql://postgres:guess@127.0.0.1:{postgres.port}/klatsch", "select 1")
    assert (postgres.data / "password").stat().st_mode & 0o777 == 0o600


async def test_half_made_folders_are_made_again(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    postgres.prepare()
    (postgres.home / "cluster").rename(postgres.home / "cluster.new")
    (postgres.home / "cluster.new" / "PG_VERSION").unlink()
    await asyncio.to_thread(postgres.start)
    assert await ask(postgres.dsn, "select 1") == 1
    broker = EmbeddedKafka(tmp_path / "kafka")
    half = tmp_path / "kafka" / "log.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("cluster.id=")
    broker.prepare()
    assert not half.exists()
    assert (tmp_path / "kafka" / "log" / "meta.properties").read_text().count("cluster.id=") == 1


async def test_postgres_starts_though_its_old_process_id_is_somebody_elses(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.start)
    postgres.kill()
    file = postgres.home / "cluster" / "postmaster.pid"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    await asyncio.to_thread(postgres.start)
    assert await ask(postgres.dsn, "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for Postgres")
def test_programs_that_the_server_user_cannot_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = server_account()
    assert account
    hidden, shared = tmp_path / "hidden", tmp_path / "shared"
    (hidden / "programs" / "bin").mkdir(parents=True)
    shutil.copy("/bin/true", hidden / "programs" / "bin" / "true")
    hidden.chmod(0o700)
    monkeypatch.setattr("infra.embedded.accounts.SHARED", shared)
    found = reachable_copy(account, hidden, ["programs"], "programs/bin/true")
    assert found.parent == shared
    assert (found / "programs/bin/true").stat().st_mode & 0o005 == 0o005
    assert reachable_copy(account, hidden, ["programs"], "programs/bin/true") == found
    assert reachable_copy(account, Path("/"), ["bin"], "bin/sh") == Path("/")


def test_java_comes_from_the_package_or_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = find_java()
    assert java_version(bundled) >= 17
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoJava, match=r"no Java 17 or newer.*bin/java \(version 11\)"):
        find_java()
    monkeypatch.setenv("PATH", str(bundled.parent))
    assert find_java() == bundled


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", overrides={"log.retention.ms": "soon"})
    with pytest.raises(ProcessError, match="soon"):
        broker.start()
    assert not broker.ready()


def test_a_child_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = Process("child", ["/bin/sh", "-c", "echo no such thing >&2; exit 7"], tmp_path / "log")
    child.spawn()
    with pytest.raises(ProcessError, match=r"child ended with exit code 7[^$]*no such thing"):
        child.wait_until(lambda: False, 10)


def test_a_child_that_does_not_listen_is_killed_with_its_family(tmp_path: Path) -> None:
    child = Process("child", ["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"], tmp_path / "log")
    child.spawn()
    until(lambda: (tmp_path / "log").read_text().strip().isdigit())
    grandchild = psutil.Process(int((tmp_path / "log").read_text()))
    child.stop(grace=0.2)
    assert child.exit_code == -signal.SIGKILL
    assert still_there([grandchild], 5) == []


PARENT = """
import json, sys, time
from pathlib import Path
from infra.embedded.process import Process
folder = Path(sys.argv[1])
children = [
    Process("meek", ["sleep", "600"], folder / "meek"),
    Process("deaf", ["/bin/sh", "-c", "trap '' TERM; sleep 600 & wait; wait"], folder / "deaf", grace=0.5),
]
for child in children:
    child.spawn()
print(json.dumps([child.pid for child in children]), flush=True)
time.sleep(600)
"""


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    children = [psutil.Process(pid) for pid in json.loads(parent.stdout.readline())]
    family = [one for child in children for one in (child, *child.children(recursive=True))]
    parent.kill()
    parent.communicate()
    assert still_there(family, 10) == []


def test_a_port_in_use_names_port_and_process() -> None:
    port = free_port()
    assert is_free(port)
    listener = subprocess.Popen(
        [sys.executable, "-c", f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"]
    )
    try:
        until(lambda: accepts("127.0.0.1", port))
        assert not is_free(port)
        assert f"port {port} (api) is in use by process {listener.pid}" in str(PortInUse(port, "api", "choose another"))
    finally:
        listener.kill()
        listener.wait()

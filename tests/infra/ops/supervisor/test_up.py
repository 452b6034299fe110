"""``klatsch up`` whole, in a process of its own: start, status, restart, kill, stop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from infra.base.settings import Settings, environment, without_password
from infra.embedded.jars import cache_folder
from infra.embedded.lifeline import still_there
from infra.embedded.ports import free_port, is_free
from infra.ops import cli
from infra.ops.supervisor.parts import ANALYTICS, CONTROLLER, KAFKA, POSTGRES, PROJECT, RELAY
from tests.deadline import until

#: A first start takes about 10 s on two cores, more when other tests run beside it.
START_SECONDS = 120.0
#: Distance of gRPC's port from the API's.
GRPC = Settings(port=0).grpc_listen


class Up:
    """``klatsch up`` on a data folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("KLATSCH_")}
        self.environment["KLATSCH_CACHE"] = str(cache_folder())
        self.data = folder / "data"
        self.port = _free_base()
        self._said = folder / "said"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "infra.ops.cli", name, "--data", str(self.data), *arguments],
            capture_output=True, text=True, check=False, timeout=60, env=self.environment,
        )  # fmt: skip

    def begin(self) -> subprocess.Popen[bytes]:
        """Starts it; does not wait."""
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.ops.cli", "up", "--data", str(self.data), "--port", str(self.port)],
                stdout=said, stderr=said, env=self.environment,
            )  # fmt: skip
        return self._process

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it and waits until it says that it is ready."""
        process = self.begin()
        until(lambda: "Ready after" in self.said or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, self.said
        return process

    @property
    def said(self) -> str:
        return self._said.read_text()

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return answer

    def family(self) -> list[psutil.Process]:
        """The process and all below it."""
        assert self._process
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def clear(self) -> None:
        """As root the database may have gone where its user can reach it; pytest removes only its own folder."""
        linked = self.data / "postgres" / "server"
        if linked.is_symlink():
            shutil.rmtree(linked.resolve())


def _free_base() -> int:
    offsets = (PROJECT, ANALYTICS, GRPC, RELAY, KAFKA, POSTGRES, CONTROLLER)
    while True:
        base = free_port()
        if all(is_free(base + offset) for offset in offsets):
            return base


def test_help_names_every_port_that_is_taken() -> None:
    _, option = get_args(cli.Port)
    offsets = [ANALYTICS, CONTROLLER, GRPC, KAFKA, POSTGRES, PROJECT, RELAY]
    assert [int(found) for found in re.findall(r"\+(\d+)", option.help)] == sorted(offsets)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    found = Up(tmp_path)
    yield found
    found.close()
    found.clear()


def test_up_serves_shows_its_parts_and_leaves_nothing(up: Up) -> None:
    assert up.command("status").returncode == 3
    process = up.start()
    assert f"http://127.0.0.1:{up.port}/ " in up.said
    assert re.search(rf"^ +127\.0\.0\.1:{up.port + GRPC} +gRPC without TLS", up.said, re.MULTILINE)
    status = up.status()
    assert status["running"] is True
    assert status["data"] == str(up.data)
    parts = {part["name"]: part for part in status["parts"]}
    assert {"kafka", "postgres", "api", "project"} <= parts.keys()
    assert [part for part in parts.values() if not part["healthy"]] == []
    assert parts["kafka"]["address"] == f"127.0.0.1:{up.port + KAFKA}"
    assert parts["postgres"]["address"] == f"postgresql://127.0.0.1:{up.port + POSTGRES}/klatsch"
    assert_secrets_are_shown_only_to_who_asks(up)
    assert parts["api"]["address"] == f"http://127.0.0.1:{up.port}"
    family = up.family()
    assert {part["pid"] for part in parts.values()} <= {member.pid for member in family}
    until(lambda: up.status()["lag"] == 0)
    second = up.command("up", "--port", str(up.port))
    assert (second.returncode, f"process {process.pid}" in second.stderr) == (1, True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert still_there(family, 5) == []
    assert up.command("status").returncode == 3


def assert_secrets_are_shown_only_to_who_asks(up: Up) -> None:
    conf = dict(line.split("=", 1) for line in up.command("connect", "kcat").stdout.splitlines())
    assert (conf["security.protocol"], conf["sasl.username"]) == ("SASL_PLAINTEXT", "klatsch")
    assert len(AdminClient({**conf}).list_topics(timeout=10).brokers) == 1
    java = up.command("connect", "java").stdout
    assert "ScramLoginModule" in java and conf["sasl.password"] in java
    variables = shlex.split(up.command("connect", "env").stdout)
    (dsn,) = (word.removeprefix("KLATSCH_POSTGRES=") for word in variables if word.startswith("KLATSCH_POSTGRES="))
    secrets = [conf["sasl.password"], urlsplit(dsn).password or "", (up.data / "secret").read_text().strip()]
    assert all(len(secret) >= 32 for secret in secrets)
    logs = "".join(file.read_text(errors="replace") for file in (up.data / "logs").iterdir())
    for said in (up.said, up.command("status").stdout, up.command("status", "--json").stdout, logs):
        assert not [secret for secret in secrets if secret in said]


async def test_up_uses_the_kafka_and_postgres_that_are_named(up: Up, settings: Settings) -> None:
    up.environment |= environment(settings)
    await asyncio.to_thread(up.start)
    parts = {part["name"]: part for part in (await asyncio.to_thread(up.status))["parts"]}
    named = {name: (part["address"], part["pid"]) for name, part in parts.items() if name in ("kafka", "postgres")}
    assert named == {"kafka": (settings.kafka, None), "postgres": (without_password(settings.postgres), None)}
    assert all(part["healthy"] for part in parts.values())
    assert not (up.data / "kafka").exists()
    assert not (up.data / "postgres").exists()
    await asyncio.to_thread(up.close)


def test_up_recovers_from_being_killed(up: Up) -> None:
    process = up.start()
    secret = (up.data / "secret").read_text()
    family = up.family()
    process.kill()
    process.wait()
    up.start()
    assert still_there(family, 0) == []
    assert (up.data / "secret").read_text() == secret
    family = up.family()
    assert up.command("down").stdout == "Stopped.\n"
    assert still_there(family, 5) == []
    assert up.command("down").stdout.startswith("Not running")


def test_killed_parts_are_started_again(up: Up) -> None:
    process = up.begin()
    # The worker for emotions asks the API for its account before it is ready: the API is needed while others start.
    until(lambda: re.search(r"api +ready in", up.said) is not None or process.poll() is not None, START_SECONDS)
    before = {"api": json.loads((up.data / "run" / "api.pid").read_text())["pid"]}
    os.kill(before["api"], signal.SIGKILL)
    until(lambda: "Ready after" in up.said or process.poll() is not None, START_SECONDS)
    assert process.poll() is None, up.said

    def all_new_and_well() -> bool:
        parts = {part["name"]: part for part in up.status()["parts"]}
        new = all(parts[name]["pid"] != pid for name, pid in before.items())
        return new and all(part["healthy"] for part in parts.values())

    until(all_new_and_well, START_SECONDS)
    before = {
        part["name"]: part["pid"] for part in up.status()["parts"] if part["name"] in ("kafka", "postgres", "api")
    }
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(all_new_and_well, START_SECONDS)


@pytest.mark.parametrize("part", ["kafka", "postgres", "project"])
def test_a_signal_at_any_moment_of_the_start_leaves_nothing(up: Up, part: str) -> None:
    process = up.begin()
    until(lambda: (up.data / "run" / f"{part}.pid").exists() or process.poll() is not None, START_SECONDS)
    family = up.family()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, up.said
    assert still_there(family, 5) == []


def test_a_port_in_use_is_named_before_anything_starts(up: Up) -> None:
    taken = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(up.port + POSTGRES), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: not is_free(up.port + POSTGRES))
        answer = up.command("up", "--port", str(up.port))
        assert answer.returncode == 1
        assert f"port {up.port + POSTGRES} (postgres) is in use by process {taken.pid}" in answer.stderr
        assert not (up.data / "kafka").exists()
    finally:
        taken.kill()
        taken.wait()

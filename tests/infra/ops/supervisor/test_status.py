"""What ``status`` says, in words: of parts, of the disk, and by its exit code."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Thread
from typing import ClassVar

import pytest
from msgspec.structs import replace
from rich.console import Console

from infra.base.disk import Disk, disk
from infra.embedded.ports import free_port
from infra.embedded.process import how_ended
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.readiness import waited, words
from infra.ops.supervisor.status import PartStatus, Status, show, status

GB = 10**9
FLOOR = 64 * 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    found = DataFolder(tmp_path)
    with found.locked():
        yield found


def said(found: Status) -> str:
    """What people see."""
    output = io.StringIO()
    show(found, Console(file=output, width=300))
    return output.getvalue()


def ended() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


def test_stores_that_do_not_answer_are_told_of_in_words(folder: DataFolder) -> None:
    kafka, postgres = free_port(), free_port()
    folder.write_state({
        "pid": os.getpid(),
        "parts": [
            {"name": "kafka", "address": f"127.0.0.1:{kafka}", "pid": ended()},
            {"name": "postgres", "address": f"postgresql://u:secret@127.0.0.1:{postgres}/k", "pid": None},
        ],
        "environment": {},
    })  # fmt: skip
    found = status(folder.path)
    assert [part.detail for part in found.parts] == [
        f"Kafka is not reachable at 127.0.0.1:{kafka}; it is being started again",
        f"Postgres is not reachable at postgresql://127.0.0.1:{postgres}/k; others operate it: look there, and at the "
        "network",
    ]
    assert found.exit_code == 1
    assert "it is being started again" in said(found)


def test_a_start_is_no_running_of_before(folder: DataFolder) -> None:
    folder.write_state({"pid": os.getpid() + 1, "parts": [{"name": "kafka"}], "environment": {}})
    found = status(folder.path)
    assert (found.running, found.parts, found.exit_code) == (True, [], 1)
    assert "Starting" in said(found)


def test_a_start_that_goes_on_is_not_well(folder: DataFolder) -> None:
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"postgresql://127.0.0.1:{listening.getsockname()[1]}/k"
        state = {
            "pid": os.getpid(),
            "environment": {},
            "parts": [{"name": "postgres", "address": address, "pid": None}],
        }
        for whole, code in ((False, 1), (True, 0)):
            folder.write_state({**state, "whole": whole})
            found = status(folder.path)
            assert ([part.healthy for part in found.parts], found.exit_code) == ([True], code)
            assert ("Starting: 1 part runs" in said(found)) is not whole


def test_what_was_started_again_and_what_lags_is_said() -> None:
    parts = [
        PartStatus(name="analytics", address="", pid=1, healthy=False, detail="progress: no progress for 61 s"),
        PartStatus(name="api", address="", pid=2, healthy=True, detail="", restarts=2, ended="ended with exit code 1"),
    ]
    found = Status(running=True, parts=parts, lag=1, emotions_lag=40, usage_lag=3, data="/srv", disks=[])
    assert "no progress for 61 s" in said(found) and found.exit_code == 1
    assert "started again 2 times since 'up'; the one before ended with exit code 1" in said(found)
    assert "Read models lag by: 1 event. Emotions lag by: 40 events, usage by: 3 events." in said(found)


@pytest.mark.parametrize(("minutes", "told"), [(14, True), (16, False)])
def test_a_start_again_is_told_of_while_it_is_news(minutes: int, told: bool) -> None:
    at = f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    ended = f"{how_ended(-9)} at {at}"
    part = PartStatus(name="api", address="", pid=2, healthy=True, detail="", restarts=1, ended=ended)
    found = said(Status(running=True, parts=[part], lag=1, data="/srv", disks=[]))
    line = f"started again once since 'up'; the one before was killed (signal 9) at {at}"
    assert (line in found, "started again" in found) == (told, told)


class _Metrics(BaseHTTPRequestHandler):
    """A role that goes on telling what it last knew."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(
            b'klatsch_projector_lag_events{projector="read_models"} 0.0\n'
            b"klatsch_emotions_lag_records 0.0\nklatsch_usage_lag_records 0.0\n"
        )

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the screen of the tests."""


@pytest.mark.parametrize(("gone", "lag"), [("kafka", "unknown"), ("postgres", "unknown"), ("", "0 events")])
def test_a_lag_is_not_known_without_a_store(folder: DataFolder, gone: str, lag: str) -> None:
    with socket() as listening, ThreadingHTTPServer(("127.0.0.1", 0), _Metrics) as roles:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        Thread(target=roles.serve_forever).start()
        role = f"http://127.0.0.1:{roles.server_port}"
        store = {"postgres": f"postgresql://127.0.0.1:{listening.getsockname()[1]}/k"}
        addresses = {**store, **({gone: f"postgresql://127.0.0.1:{free_port()}/k"} if gone else {})}
        parts = [{"name": name, "address": at, "pid": None} for name, at in addresses.items()]
        parts += [{"name": name, "address": role, "pid": None} for name in ("project", "analytics")]
        folder.write_state({"pid": os.getpid(), "parts": parts, "environment": {}})
        _Metrics.asked.clear()
        try:
            found = said(status(folder.path))
        finally:
            roles.shutdown()
        # Each of the two is asked once, also of the lags of two workers.
        assert _Metrics.asked.count("/metrics") == (0 if gone else 2)
        assert f"Read models lag by: {lag}. Emotions lag by: {lag}, usage by: {lag}." in found


def test_nothing_runs(tmp_path: Path) -> None:
    found = status(tmp_path / "none")
    assert (found.running, found.exit_code) == (False, 3)
    # What is free changes while others write.
    assert [replace(one, free=0) for one in found.disks] == [replace(disk(tmp_path / "none", FLOOR), free=0)]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"kafka": {"ok": False, "error": "TimeoutError: "}, "postgres": {"ok": True}}, "kafka: TimeoutError"),
        (
            {
                "kafka": {"ok": False, "error": "Kafka does not answer"},
                "feed": {"ok": False, "error": "Odd:\nDETAIL: x"},
            },
            "Kafka does not answer; feed: Odd: DETAIL: x",
        ),
        ({"shards": {"ok": False, "owned": 24, "open": 2}}, "shards: 2 of 24 are open"),
        (
            {"feed": {"ok": False, "state": "away", "error": None}, "hub": {"ok": False}},
            "feed: away; hub: not ready",
        ),
        ({}, "it says that it is not ready, and to whom has no token not why"),
    ],
)
def test_readiness_is_put_into_words(document: dict[str, object], text: str) -> None:
    assert words(json.dumps({"ok": False, "parts": document}).encode()) == text


def test_what_is_no_document_of_readiness_is_shown() -> None:
    assert (waited(b'{"ok":false,"waits":"room"}'), waited(b'{"ok":true}'), waited(b"<html>")) == ("room", "", "")
    assert words(b"<html>Bad gateway") == "expected the document of /readyz, got '<html>Bad gateway'"


@pytest.mark.parametrize(
    ("free", "text", "exit_code"),
    [
        (11 * GB, "Disk of /srv/klatsch: 11.0 GB of 100.0 GB free (11%)", 0),
        (9 * GB, "is nearly full: 9.0 GB of 100.0 GB free (9%)", 0),
        (FLOOR - 1, "is full: 67 MB of 100.0 GB free (0%), expected at least 67 MB. Nothing but log-ins", 1),
    ],
)
def test_room_on_the_disk(free: int, text: str, exit_code: int) -> None:
    api = PartStatus(name="api", address="", pid=1, healthy=True, detail="")
    room = Disk(folder="/srv/klatsch", total=100 * GB, free=free, floor=FLOOR)
    found = Status(running=True, parts=[api], lag=0, data="/srv/klatsch", disks=[room])
    assert text in said(found)
    assert found.exit_code == exit_code


FILL = """
mount -t tmpfs -o size=64m none "$1" && head -c 60000000 /dev/zero > "$1/filled" &&
exec "$2" -c 'import sys; from pathlib import Path; from infra.base.disk import disk
found = disk(Path(sys.argv[1]) / "not" / "there", 64000000); print(found.total, found.full, found.warning)' "$1"
"""


def test_a_disk_that_is_full_is_seen(tmp_path: Path) -> None:
    # In a mount namespace of its own, which ends with it.
    alone = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a mount namespace, and so no small disk")
    root = Path(__file__).resolve().parents[4]
    answer = subprocess.run(
        [*alone, "sh", "-c", FILL, "sh", str(tmp_path), sys.executable],
        capture_output=True, text=True, check=False, cwd=root, timeout=60,
    )  # fmt: skip
    if "mount:" in answer.stderr:
        pytest.skip(f"this user may not mount a small disk: {answer.stderr.strip()}")
    expected = f"{64 * 1024 * 1024} True the disk of {tmp_path}/not/there is full: 7 MB of 67 MB free"
    assert answer.stdout.startswith(expected), answer

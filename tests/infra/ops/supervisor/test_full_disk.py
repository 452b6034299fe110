"""``klatsch up`` on a real disk that gets full: refused before it is written, said, over when there is room.
Tests ``infra/base/disk_watch.py`` and ``infra/ops/supervisor/status.py``."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.deadline import until
from tests.infra.ops.supervisor.test_up import Up

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300m", "none", str(path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("expected the program 'mount', for a small disk")
    if done.returncode:
        pytest.skip(f"this user may not mount a small disk: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.fixture
def up(disk: Path) -> Iterator[Up]:
    found = Up(disk)
    yield found
    found.close()
    found.clear()


def call(up: Up, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{up.port}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_full_disk_is_said_and_gone_on_from(up: Up, disk: Path) -> None:
    up.start()
    token = call(up, "POST", "/v1/users", body={"username": "ada", "name": "Ada"})[1]["token"]
    room = call(up, "POST", "/v1/rooms", token, {"type": "public", "name": "Full", "members": []})[1]["room"]["id"]

    def send(text: str) -> tuple[int, Any]:
        path = f"/v1/rooms/{room}/messages"
        return call(up, "POST", path, token, {"client_id": text, "type": "text", "content": {"text": text}})

    assert send("before")[0] == 201
    # Less than the floor of 64 MiB is left, but enough for what is under way.
    filled = disk / "filled"
    filled.write_bytes(bytes(_free(disk) - 48 * MIB))
    # The disk is looked at once a second.
    # Each with a key of its own: what was taken is answered again.
    meanwhile = map(str, count())
    until(lambda: send(f"meanwhile-{next(meanwhile)}")[0] == 507)
    assert send("refused")[1]["type"] == "urn:klatsch:problem:insufficient_storage"
    status, read = call(up, "GET", f"/v1/rooms/{room}/messages", token)
    assert status == 200 and "before" in [message["content"].get("text") for message in read["messages"]]
    said = up.command("status")
    assert said.returncode == 1
    assert f"the disk of {up.data} is full" in said.stdout and "make it larger" in said.stdout
    # Nothing has ended of it.
    assert [part["name"] for part in up.status()["parts"] if not part["healthy"]] == []
    assert "ended with exit code" not in up.said
    filled.unlink()
    until(lambda: send("refused")[0] == 201)
    assert up.command("status").returncode == 0


def test_a_restart_on_a_full_disk_keeps_the_reads(tmp_path: Path) -> None:
    up = Up(tmp_path)
    try:
        up.start()
        token = call(up, "POST", "/v1/users", body={"username": "ada", "name": "Ada"})[1]["token"]
        up.close()
        # Whatever is free is too little.
        up.environment["KLATSCH_DISK_FLOOR"] = str(1 << 60)
        process = up.begin()
        until(lambda: f"the disk of {up.data} is full" in up.said, 30.0)
        until(lambda: "Ready after" in up.said or process.poll() is not None, 120.0)
        assert process.poll() is None, up.said
        assert "make it larger" in up.said
        assert call(up, "GET", "/v1/users/me", token)[1]["user"]["username"] == "ada"
        assert call(up, "POST", "/v1/rooms", token, {"type": "public", "name": "Full", "members": []})[0] == 507
        if "faust-streaming" in {one.name for one in distributions()}:
            assert "analytics waits for room on the disk" in up.said
            assert "account: waits for room on the disk" in up.command("status").stdout.replace("\n", " ")
    finally:
        up.close()
        up.clear()


def _free(disk: Path) -> int:
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize

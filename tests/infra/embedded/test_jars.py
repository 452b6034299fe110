"""Kafka's jars: the lock file's promise holds for what is downloaded and for what lies there already."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded import jars
from infra.embedded.jars import Jar

BYTES = b"a jar" * 1000


class Repository:
    """A Maven repository on this machine: files below ``root``, and what was asked of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []

    def put(self, jar: Jar, content: bytes) -> None:
        folder = self.root / jar.group.replace(".", "/") / jar.artifact / jar.version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / jar.name).write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    found = Repository(tmp_path / "repository")
    found.root.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            found.asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(found.root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KLATSCH_MAVEN", f"http://127.0.0.1:{server.server_port}/")
    yield found
    server.shutdown()
    server.server_close()


def jar(artifact: str, content: bytes = BYTES) -> Jar:
    return Jar("org.example", artifact, "1.0", hashlib.sha256(content).hexdigest(), len(content))


def test_fetches_what_is_missing_and_counts_its_bytes(repository: Repository, tmp_path: Path) -> None:
    wanted, where = [jar("one"), jar("two")], tmp_path / "jars"
    counted: list[int] = []
    for one in wanted:
        repository.put(one, BYTES)
    jars.fetch(wanted, where, counted.append)
    assert jars.missing(wanted, where) == []
    assert sum(counted) == 2 * len(BYTES)
    assert sorted(path.name for path in where.glob("[!.]*")) == ["one-1.0.jar", "two-1.0.jar"]


@pytest.mark.parametrize("damage", [b"", BYTES[:-1], b"b jar" + BYTES[5:]], ids=["empty", "short", "changed"])
def test_a_damaged_jar_is_fetched_again(repository: Repository, tmp_path: Path, damage: bytes) -> None:
    wanted = [jar("one"), jar("two")]
    for one in wanted:
        repository.put(one, BYTES)
        (tmp_path / one.name).write_bytes(BYTES)
    (tmp_path / "two-1.0.jar").write_bytes(damage)
    assert jars.missing(wanted, tmp_path) == [wanted[1]]
    jars.fetch(jars.missing(wanted, tmp_path), tmp_path)
    assert (tmp_path / "two-1.0.jar").read_bytes() == BYTES
    assert not [path for path in repository.asked if "one" in path]


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    wanted, where = jar("one"), tmp_path / "jars"
    counted: list[int] = []
    repository.put(wanted, b"c jar" * 1000)
    with pytest.raises(jars.DownloadError, match=f"expected 5000 bytes with SHA-256 {wanted.sha256}.*KLATSCH_MAVEN"):
        jars.fetch([wanted], where, counted.append)
    assert list(where.glob("[!.]*")) == []
    assert sum(counted) == 0


def test_a_missing_jar_names_it_and_keeps_the_others(repository: Repository, tmp_path: Path) -> None:
    repository.put(jar("one"), BYTES)
    with pytest.raises(jars.DownloadError, match=r"org.example:two:1.0 could not be fetched"):
        jars.fetch([jar("two"), jar("one")], tmp_path)
    assert jars.missing([jar("one")], tmp_path) == []


def test_a_cancelled_download_ends_and_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.put(jar("one"), BYTES)
    cancelled, where = threading.Event(), tmp_path / "jars"
    cancelled.set()
    with pytest.raises(jars.Cancelled):
        jars.fetch([jar("one")], where, cancelled=cancelled)
    assert list(where.glob("[!.]*")) == []


def test_what_a_killed_download_left_is_removed(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "part-killed").mkdir()
    (tmp_path / "part-killed" / "one-1.0.jar").write_bytes(b"half")
    repository.put(jar("one"), BYTES)
    jars.fetch([jar("one")], tmp_path)
    assert [path.name for path in tmp_path.glob("part-*")] == []


def test_the_lock_file_holds_a_broker_and_a_binding_for_its_log() -> None:
    names = {one.artifact: one for one in jars.locked_jars()}
    assert names["kafka_2.13"].version == jars.kafka_version() == names["kafka-clients"].version
    assert "log4j-slf4j-impl" in names
    assert len(names) == len(jars.locked_jars())


def test_a_bad_line_of_the_lock_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kafka.lock"
    file.write_text("# comment\norg.example:one 12 abc\n")
    with pytest.raises(ValueError, match=r"kafka.lock:2: expected 'group:artifact:version sha256 size'"):
        jars.locked_jars(file)

"""Kafka's jars: fetched once from Maven Central as ``infra/kafka.lock`` says, checked at every start."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from events.core.errors import KlatschError

LOCK_FILE = Path(__file__).parent.parent / "kafka.lock"

#: Called with the bytes that have arrived since the last call.
Progress = Callable[[int], None]

_DOWNLOADS_AT_ONCE = 6
_TRIES = 3
#: Seconds without a byte after which a download counts as failed.
_SILENCE = 30


class DownloadError(KlatschError):
    """A jar could not be fetched, or is not the one that the lock file names; the text says what to do."""


class Cancelled(KlatschError):
    """The download was cancelled by its caller."""


class Jar(NamedTuple):
    """One line of the lock file: ``group:artifact:version sha256 size``."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(path: Path = LOCK_FILE) -> list[Jar]:
    """The jars that the broker needs. Raises ValueError for a line that is not one."""
    jars = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            coordinates, sha256, size = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, sha256, int(size)))
        except ValueError as error:
            raise ValueError(f"{path}:{number}: expected 'group:artifact:version sha256 size', got {line!r}") from error
    return jars


def kafka_version() -> str:
    """The version of the broker in the lock file."""
    return next(jar.version for jar in locked_jars() if jar.artifact.startswith("kafka_"))


def cache_folder() -> Path:
    """Where jars are kept: KLATSCH_CACHE, else the user's cache, else (no home to write to) the Python prefix."""
    given = os.environ.get("KLATSCH_CACHE")
    if given:
        return Path(given)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "klatsch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(sys.prefix) / "share" / "klatsch"
    return folder if os.access(folder, os.W_OK) else Path(sys.prefix) / "share" / "klatsch"


def folder() -> Path:
    """Where the jars of the lock file's version are kept."""
    return cache_folder() / f"kafka-{kafka_version()}"


def missing(jars: list[Jar], where: Path) -> list[Jar]:
    """The jars that are not in the folder, or not with the bytes that the lock file promises."""
    with ThreadPoolExecutor(4) as pool:
        good = pool.map(lambda jar: _is(jar, where / jar.name), jars)
        return [jar for jar, is_good in zip(jars, good, strict=True) if not is_good]


def _is(jar: Jar, path: Path) -> bool:
    try:
        if path.stat().st_size != jar.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def fetch(
    wanted: list[Jar], where: Path, progress: Progress = lambda _: None, cancelled: threading.Event | None = None
) -> None:
    """Downloads the jars into the folder; each appears under its name only when its checksum is right.

    Raises DownloadError, or Cancelled soon after the event is set.
    """
    where.mkdir(parents=True, exist_ok=True)
    cancelled = cancelled or threading.Event()
    with _alone(where), tempfile.TemporaryDirectory(prefix="part-", dir=where) as staging:
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            jobs = [pool.submit(_fetch_one, jar, Path(staging), where, progress, cancelled) for jar in wanted]
        for job in jobs:
            job.result()


@contextmanager
def _alone(where: Path) -> Iterator[None]:
    """Two starts at once: the second one waits, and removes what a killed one left half-done."""
    with (where / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in where.glob("part-*"):
            shutil.rmtree(left_over)
        yield


def _fetch_one(jar: Jar, staging: Path, where: Path, progress: Progress, cancelled: threading.Event) -> None:
    if _is(jar, where / jar.name):
        progress(jar.size)
        return
    problem = ""
    for attempt in range(_TRIES):
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            if cancelled.is_set():
                raise Cancelled
            counted += size
            progress(size)

        try:
            part = _download(jar, staging / f"{jar.name}-{attempt}", count)
        except OSError as error:
            problem = str(error)
        else:
            if _is(jar, part):
                part.replace(where / jar.name)
                return
            problem = _describe_mismatch(jar, part)
        progress(-counted)
    raise DownloadError(
        f"{jar.group}:{jar.artifact}:{jar.version} could not be fetched ({_TRIES} tries): {problem}. "
        "Check the network or the proxy, or name another Maven repository in KLATSCH_MAVEN, and start again; "
        "what has arrived is kept."
    )


def _download(jar: Jar, repository: Path, count: Progress) -> Path:
    """One download through jgo, which knows where Maven Central is; its own checksum test only warns."""
    import requests
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def report(name: str, size: int) -> Iterator[Progress]:
        yield count

    mirror = os.environ.get("KLATSCH_MAVEN", "").rstrip("/")
    context = MavenContext(
        resolver=PythonResolver(progress_callback=report),
        repo_cache=repository,
        local_repos=[],
        remote_repos={"mirror": mirror} if mirror else None,
        timeout=_SILENCE,
    )
    try:
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (requests.RequestException, RuntimeError) as error:
        raise OSError(f"{jar.name}: {error}") from error


def _describe_mismatch(jar: Jar, path: Path) -> str:
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    return (
        f"checksum mismatch: expected {jar.size} bytes with SHA-256 {jar.sha256}, "
        f"got {path.stat().st_size} with {actual}"
    )

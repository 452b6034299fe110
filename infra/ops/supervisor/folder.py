"""The data folder of an installation: its format, its lock, its secret, and where things stand in it."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import orjson

from events.core.errors import KlatschError

#: Version of the folder's layout. Raise it when an older Klatsch could no longer use the folder.
FORMAT = 1
#: Logs of earlier starts that are kept beside each log.
_OLD_LOGS = 3


class FolderError(KlatschError):
    """The data folder cannot be used; the text says expected, actual and what to do."""


class AlreadyRunning(FolderError):
    """Another process runs the installation of this folder."""


class DataFolder:
    """Paths of one installation. Nothing is written before ``locked``."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.kafka = self.path / "kafka"
        self.postgres = self.path / "postgres"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder where it is missing and holds it for the length of the block.

        The lock belongs to the process, so one that was killed leaves none. Raises FolderError, AlreadyRunning.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._refuse_strangers()
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise FolderError(
                f"data folder {self.path} cannot be written ({error}); name another with --data"
            ) from error
        with lock:
            if not _take(lock):
                raise AlreadyRunning(
                    f"Klatsch is already running on {self.path} (process {self.owner() or 'unknown'}); see it with "
                    f"'klatsch status', stop it with 'klatsch down', or start another with --data and --port"
                )
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._claim()
            self.logs.mkdir(mode=0o700, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            yield

    def owner(self) -> int | None:
        """Id of the process that holds the lock now. Raises FolderError where the path is a file."""
        try:
            with (self.path / "lock").open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = lock.read().strip()
                    return int(text) if text.isdigit() else None
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise FolderError(
                f"expected a data folder, got {self.path}, which is a file or lies in one; name a folder with --data"
            ) from error
        return None

    def _refuse_strangers(self) -> None:
        if (self.path / "format").exists():
            return
        strangers = sorted(item.name for item in self.path.iterdir() if item.name not in ("lock", "format.new"))
        if strangers:
            raise FolderError(
                f"{self.path} is not empty and not a Klatsch data folder (it holds {', '.join(strangers[:3])}, and no "
                "file 'format'); name an empty or a new one with --data"
            )

    def _claim(self) -> None:
        """Writes the format file into a new folder; refuses one that another release has made."""
        file = self.path / "format"
        if file.exists():
            check_format(self.path, file.read_text())
            return
        write_atomically(file, orjson.dumps({"klatsch": "data folder", "format": FORMAT}).decode() + "\n")

    def secret(self) -> str:
        """The key that signs tokens: 32 random bytes as hex, made once."""
        file = self.path / "secret"
        if not file.exists():
            write_atomically(file, secrets.token_hex(32) + "\n")
        text = file.read_text().strip()
        if len(text) != 64:
            raise FolderError(
                f"{file}: expected 64 hex digits, found {len(text)} characters; restore it from a backup, or remove it "
                "to have a new one made (everybody must then log in again)"
            )
        return text

    def log(self, name: str) -> Path:
        """A fresh log file; those of earlier starts become ``name.log.1``, ``.2`` ..."""
        log = self.logs / f"{name}.log"
        if log.exists() and log.stat().st_size:
            for number in range(_OLD_LOGS, 1, -1):
                older = self.logs / f"{name}.log.{number - 1}"
                if older.exists():
                    older.replace(self.logs / f"{name}.log.{number}")
            log.replace(self.logs / f"{name}.log.1")
        return log

    def write_state(self, state: dict[str, Any]) -> None:
        """What runs, for ``klatsch status`` and ``klatsch import``. Readable by the owner only: it has passwords."""
        write_atomically(self.run / "state.json", orjson.dumps(state, option=orjson.OPT_INDENT_2).decode() + "\n")

    def read_state(self) -> dict[str, Any] | None:
        """The last written state; None when there is none."""
        try:
            state: dict[str, Any] = orjson.loads((self.run / "state.json").read_text())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise FolderError(f"{self.run} belongs to another user ({error}); run this as that user") from error
        return state


def _take(lock: TextIO) -> bool:
    """Whether the lock could be had within half a second; ``owner`` holds it for a moment when it looks."""
    deadline = time.monotonic() + 0.5
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def check_format(path: Path, text: str) -> None:
    """Raises FolderError when the text of a format file is not one that this code can use."""
    try:
        found = orjson.loads(text)["format"]
    except (ValueError, TypeError, KeyError):
        raise FolderError(
            f'{path / "format"} is damaged: expected {{"format": {FORMAT}}}, found {text[:80]!r}; restore it, or name '
            "another folder with --data"
        ) from None
    if found != FORMAT:
        raise FolderError(
            f"data folder {path} has format {found}, this Klatsch knows {FORMAT}: "
            + ("update Klatsch" if isinstance(found, int) and found > FORMAT else "migrate it with an older release")
            + ", or name another folder with --data"
        )


def write_atomically(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, so that a reader sees the old text or the new, never half."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

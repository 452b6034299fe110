"""Room on the disks of an installation's data: how much there is, and when that is too little."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from infra.base.settings import Settings

#: Share of the disk below which is warned.
LOW = 0.10
#: Share of the floor below which also what is let through on a full disk is refused.
RESERVE = 0.25
#: Bytes above the floor that must be free before what was refused for want of room is taken again: a file of Postgres'
#: log. Without them what is tidied up would open and close it by turns.
ENOUGH = 16 * 1024 * 1024
#: Seconds after which who was refused may try again: somebody has to make room first.
RETRY_SECONDS = 10.0


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A file system with data on it, in bytes; ``free`` are those that this user may still fill."""

    folder: str
    total: int
    free: int
    #: Bytes below which nothing more is taken in (KLATSCH_DISK_FLOOR).
    floor: int

    @property
    def full(self) -> bool:
        """Whether what would be stored is refused."""
        return self.free < self.floor

    @property
    def spent(self) -> bool:
        """Whether also that is refused which is let through on a full disk: a quarter of the floor is left for what was
        acknowledged before."""
        return self.free < RESERVE * self.floor

    @property
    def low(self) -> bool:
        """Whether somebody should act."""
        return self.full or self.free < LOW * self.total

    @property
    def state(self) -> str:
        """``full``, ``low`` or ``good``."""
        return "full" if self.full else "low" if self.low else "good"

    @property
    def text(self) -> str:
        """``1.2 GB of 40.0 GB free (3%)``."""
        share = self.free / self.total if self.total else 0.0
        return f"{_size(self.free)} of {_size(self.total)} free ({share:.0%})"

    @property
    def warning(self) -> str:
        """What is wrong and what to do; empty where all is well."""
        if self.full:
            return (
                f"the disk of {self.folder} is full: {self.text}, expected at least {_size(self.floor)}. Nothing but "
                "log-ins, log-outs, passwords and blocks is taken in until there is room (507 insufficient_storage); "
                "what is there can be read. Delete what is not needed on that disk, or make it larger; it then "
                "goes on by itself"
            )
        if self.low:
            return (
                f"the disk of {self.folder} is nearly full: {self.text}, expected at least {LOW:.0%}. Make room before "
                "it is full: nobody can send then"
            )
        return ""


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def disk(folder: Path, floor: int) -> Disk:
    """Of the file system that holds a folder, or its nearest parent that exists. Raises OSError."""
    found = _existing(folder)
    usage = shutil.disk_usage(found)
    return Disk(folder=str(folder), total=usage.total, free=usage.free, floor=floor)


def disks(folders: Iterable[Path], floor: int) -> list[Disk]:
    """One of each file system, named after the first of its folders. Raises OSError."""
    found: dict[int, Disk] = {}
    for folder in folders:
        device = _existing(folder).stat().st_dev
        if device not in found:
            found[device] = disk(folder, floor)
    return list(found.values())


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def folders(settings: Settings) -> list[Path]:
    """The folders that KLATSCH_DISKS names."""
    return [Path(folder) for folder in settings.disks.split(os.pathsep) if folder]

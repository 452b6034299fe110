"""Room on the disk of a data folder: how much there is, and when that is too little."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

#: Share of the disk below which is warned. A broker that cannot write ends, and nobody can send.
LOW = 0.10
#: Bytes below which a disk counts as full: a broker makes files of 10 MiB for each index of a new segment.
FULL = 32 * 1024 * 1024


class Disk(msgspec.Struct, frozen=True):
    """Bytes of the file system, and those that this user may still fill."""

    total: int
    free: int

    @property
    def full(self) -> bool:
        """Whether nothing more can be stored, or soon not."""
        return self.free < FULL

    @property
    def low(self) -> bool:
        """Whether somebody should act."""
        return self.full or self.free < LOW * self.total

    @property
    def text(self) -> str:
        """``1.2 GB of 40.0 GB free (3 %)``."""
        share = self.free / self.total if self.total else 0.0
        return f"{self.free / 1e9:.1f} GB of {self.total / 1e9:.1f} GB free ({share:.0%})"

    def warning(self, folder: Path | str) -> str:
        """What is wrong and what to do; empty where all is well."""
        if self.full:
            return (
                f"the disk of {folder} is full: {self.text}. Nothing can be stored until there is room: delete what "
                "is not needed, or make the disk larger; what has ended is then started again by itself"
            )
        if self.low:
            return (
                f"the disk of {folder} is nearly full: {self.text}, expected at least {LOW:.0%}. Make room before it "
                "is full: nobody can send then"
            )
        return ""


def disk(folder: Path) -> Disk:
    """Of the file system that holds a folder, or its nearest parent that exists. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return Disk(usage.total, usage.free)

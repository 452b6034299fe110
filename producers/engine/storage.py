"""Whether there is room for what a command adds: asked before anything is written."""

from __future__ import annotations

from msgspec.structs import replace

from infra.base.disk import RETRY_SECONDS
from infra.base.disk_watch import DiskWatch
from producers.commands import CommandEnvelope, Unavailable


def lack(disks: DiskWatch, *, vital: bool) -> Unavailable | None:
    """``insufficient_storage`` where there is no room; None: there is.

    ``vital``: it is small and about security (CommandType.vital), so that the room below the floor is for it too.
    """
    full = disks.full
    if full is None or (vital and not full.spent):
        return None
    return Unavailable("insufficient_storage", sentence(full.floor, full.free), RETRY_SECONDS)


def sentence(floor: int, free: int) -> str:
    """What is expected of a disk and what there is, both in bytes."""
    return (
        f"expected {floor / 1e6:.0f} MB free on a disk of this installation, got {free / 1e6:.0f} MB; "
        "nothing was changed, and what is there can be read. Its operator makes room"
    )


def check(disks: DiskWatch, *, vital: bool = False) -> None:
    """Raises what is lacking: for what is written without a shard's owner.

    A broker that finds its disk full in the middle of a write ends, and nobody knows what it has stored.
    """
    if (lacking := lack(disks, vital=vital)) is not None:
        raise lacking


def within(envelope: CommandEnvelope, disks: DiskWatch, *, vital: bool, open: bool) -> CommandEnvelope:
    """The order as its shard's owner may decide it: on a full disk it may come to nothing that has to be written.

    What has happened before, what changes nothing and what is refused are answered as ever. Raises what is lacking
    where that would take long, as the shard is not ``open``, or where hardly anything is left.
    """
    lacking = lack(disks, vital=vital)
    if lacking is None:
        return envelope
    if not open or disks.full is None or disks.full.spent:
        raise lacking
    return replace(envelope, no_room=(lacking.code, lacking.detail, lacking.retry_after))

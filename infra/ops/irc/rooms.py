"""Which of the files that a call names become which channel's room, and which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from infra.ops.irc import files
from infra.ops.irc.files import File
from infra.ops.irc.logs import BadLog, Log, NoLog, opened, parts
from infra.ops.irc.meter import Meter
from infra.ops.irc.plan import ImportPlan, Piece

_ONE = "name the files of one network only, or rename them if they are of one"
_EMPTY = "empty"
_OTHER = "of another channel"
_AMBIGUOUS = "naming no channel, among files of several; name the file alone, with --channel"
_PRIVATE = "naming no channel; it may be a private conversation (if it is none, name the file alone, with --channel)"


class ChannelLogs(NamedTuple):
    """The logs of one channel, oldest first, and the latest time that their lines may have."""

    channel: str
    logs: list[Log]
    limit: datetime

    def plan(self, user: Callable[[str], str]) -> tuple[ImportPlan, Iterator[Piece]]:
        """A plan without lines, and what fills it: piece by piece, the same whenever it is asked for. Raises BadLog."""
        plan = ImportPlan(self.channel, user)
        return plan, (plan.add(part) for log in self.logs for part in parts(log, self.limit))


class Sorted(NamedTuple):
    """``rooms``: channel, in lower case -> its files, oldest first; ``left_out``: why -> files."""

    rooms: dict[str, list[Log]]
    left_out: dict[str, list[Path]]


def sort(paths: Iterable[Path], channel: str = "", encoding: str = "", meter: Meter | None = None) -> Sorted:
    """Sorts the files among ``paths`` and in the folders among them; ``channel``: only that one. Raises BadLog."""
    left_out: dict[str, list[Path]] = {}
    logs, there = [], files.find(paths)
    if meter is not None:
        meter.stage("files", len(there), "files")
    for file in there:
        log = _opened(file, encoding, left_out)
        if meter is not None:
            meter.advance(1)
        if log is not None:
            logs.append(log)
    rooms = _rooms(logs, channel.lower(), left_out)
    if not rooms:
        raise BadLog(_nothing(channel, logs, left_out))
    for name, found in rooms.items():
        found.sort(key=lambda log: (log.day, log.file.name))
        _check_names(name, found)
    return Sorted(rooms, left_out)


def _opened(file: File, encoding: str, left_out: dict[str, list[Path]]) -> Log | None:
    """A file as a log. In a folder, one that no name says to be a log may be something else."""
    try:
        log = opened(file, encoding)
    except NoLog as error:
        if file.given or file.day is not None or "#" in file.path.name:
            raise
        left_out.setdefault(f"no log: {error.found.partition(', such as')[0]}", []).append(file.path)
        return None
    if log is None:
        left_out.setdefault(_EMPTY, []).append(file.path)
    return log


def _rooms(logs: Sequence[Log], channel: str, left_out: dict[str, list[Path]]) -> dict[str, list[Log]]:
    told = [(log, told_channel(log)) for log in logs]
    names = Counter(name for log, name in told if name)
    rooms: dict[str, list[Log]] = {}
    for log, name in told:
        into = name or _heir(log, channel, names)
        if not into:
            why = _AMBIGUOUS if log.form.public and names else _PRIVATE
            left_out.setdefault(why, []).append(log.file.path)
        elif channel and into != channel:
            left_out.setdefault(_OTHER, []).append(log.file.path)
        else:
            rooms.setdefault(into, []).append(log)
    return dict(sorted(rooms.items()))


def told_channel(log: Log) -> str:
    """The channel that a log is of, as its lines and names tell; ``""`` when they tell none.

    Names tell, and lines say where in a name the channel ends: ``#tea.example.log`` is of #tea if its lines are.
    """
    common = log.channels.most_common(1)[0][0] if log.channels else ""
    name = log.file.channel
    if log.private:
        return ""
    if name and common and name.startswith(common) and not name[len(common) : len(common) + 1].isalnum():
        return common
    return name or common


def _heir(log: Log, channel: str, names: Counter[str]) -> str:
    """The channel of a file that names none. Nobody's private conversation may get into a public room."""
    if log.private:
        return ""
    if log.form.public:
        return channel or (next(iter(names)) if len(names) == 1 else "")
    return "" if names else channel


def _check_names(channel: str, logs: Iterable[Log]) -> None:
    """A file's name is part of what tells a line from all others, and what stands before the ``#`` is a network."""
    known: dict[str, Path] = {}
    for log in logs:
        other = known.setdefault(log.file.name, log.file.path)
        if other != log.file.path:
            raise BadLog(f"{channel}: expected files of different names, got {other} and {log.file.path}; {_ONE}")
    networks = {files.network_of(log.file.path.name) for log in logs} - {""}
    if len(networks) > 1:
        raise BadLog(f"{channel}: expected files of one network, got {', '.join(sorted(networks))}; {_ONE}")


def _nothing(channel: str, logs: Sequence[Log], left_out: dict[str, list[Path]]) -> str:
    if not logs and not left_out:
        return "expected log files, found none"
    if _PRIVATE in left_out and not channel:
        return "expected a line or a name that tells the channel (joins do, and topics), found none; name it: --channel"
    others = ", ".join(sorted({told_channel(log) for log in logs} - {""}))
    why = "; ".join(f"{len(paths):,} {reason}" for reason, paths in left_out.items())
    wanted = f"logs of {channel}" if channel else "IRC logs"
    return f"expected {wanted}, found none: {why}" + (f"; found channels: {others}" if others else "")

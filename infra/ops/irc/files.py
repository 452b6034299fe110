"""Which files a call names: folders walked, and the day and the channel that names of files and folders tell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from infra.ops.irc.content import BadLog
from infra.ops.irc.forms.form import day as day_of_numbers
from infra.ops.irc.forms.form import month

#: IRC is not older.
_FIRST_YEAR = 1988
_NUMBERS = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)")
#: Eggdrop's: ``29Nov2020``.
_NAMED = re.compile(r"(?<!\d)(\d\d?)([A-Z][a-z]{2})(\d{4})(?!\d)")
#: Of a path: ``2013/01/31/name``, ``2013/01/31.txt``, ``2013-01-31/name``.
_FOLDERS = re.compile(r"(?:^|/)(\d{4})[-/](\d\d)[-/](\d\d)(?:/[^/]+|(?:\.[A-Za-z]+)?)$")
_ENDING = re.compile(r"\.(?:log|txt|weechatlog)$", re.IGNORECASE)


class File(NamedTuple):
    """A file that may be a log.

    ``name``: what names it in the keys of orders: its own name, with the day where only folders tell that.
    ``day``, ``channel`` (lower case, ``""``): what its name or its folders tell. ``given``: the call names it, not a
    folder of it.
    """

    path: Path
    name: str
    day: date | None
    channel: str
    given: bool


def find(paths: Iterable[Path]) -> list[File]:
    """The files among ``paths`` and in the folders among them, at any depth, each once; hidden ones are left out.

    Raises BadLog.
    """
    found: dict[Path, File] = {}
    for path in paths:
        folder = path.is_dir()
        for file in _walk(path) if folder else [path]:
            place = file.resolve()
            _check_text(place)
            found.setdefault(place, _file(place, given=not folder))
    return list(found.values())


def _check_text(path: Path) -> None:
    """Raises BadLog for a path that is not UTF-8: channels, days and the keys of orders are made from these names."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise BadLog(f"expected names of files and folders in UTF-8, got {shown}; rename it") from None


def _walk(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise BadLog(f"{folder} cannot be read: {error.strerror}; run this as its owner, or name others") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            # A link may lead back to where it stands.
            if not entry.is_symlink():
                yield from _walk(entry)
        elif entry.is_file():
            yield entry


def _file(path: Path, given: bool) -> File:
    day, name = day_of(path.name), path.name
    if day is None and (found := _FOLDERS.search(path.as_posix())):
        day = _day(found[1], found[2], found[3])
        name = name if day is None else f"{day}/{path.name}"
    return File(path, name, day, channel_of(path), given)


def day_of(name: str) -> date | None:
    """The day in a file's name; None when there is none."""
    for found in _NUMBERS.finditer(name):
        if (day := _day(found[1], found[3], found[4])) is not None:
            return day
    if (found_ := _NAMED.search(name)) and (number := month(found_[2])) is not None:
        return _day(found_[3], str(number), found_[1])
    return None


def channel_of(path: Path) -> str:
    """The channel in the name of a file, or of the nearest folder that has one; ``""`` when there is none."""
    if "#" in path.name:
        name = path.name[path.name.index("#") :]
        cuts = [found.start() for pattern in (_NUMBERS, _NAMED) if (found := pattern.search(name))]
        # What parts the name from the date is no part of the channel's.
        name = name[: min(cuts)].rstrip("._-") if cuts else _ENDING.sub("", name)
        if name.strip("#"):
            return name.lower()
    return next((folder.name.lower() for folder in path.parents if folder.name.startswith("#")), "")


def network_of(name: str) -> str:
    """What stands before the channel in a name, but for dates: ``irc.libera`` of ``irc.libera.#tea.weechatlog``."""
    before = name.partition("#")[0] if "#" in name else ""
    for pattern in (_NUMBERS, _NAMED):
        before = pattern.sub("", before)
    return before.strip("._- ")


def _day(year: str, number: str, of_month: str) -> date | None:
    return day_of_numbers(int(year), int(number), int(of_month)) if int(year) >= _FIRST_YEAR else None

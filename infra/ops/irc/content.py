"""What is in a log file: its lines as text, a few at a time, whatever its encoding and its line ends."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from events.core.errors import KlatschError
from infra.ops.irc.forms import HEAD

_CHUNK = 64 * 1024
#: Bytes of one line; IRC itself allows 512, and a longer one is cut here.
_LONGEST = 1024 * 1024
_UTF8, _UTF16 = codecs.BOM_UTF8, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}


class BadLog(KlatschError):
    """The files cannot be imported as they are; the text says expected, actual and what to do."""


class NoLog(BadLog):
    """A file that is no log which can be read; ``found`` is what it is instead."""

    def __init__(self, path: Path, expected: str, found: str, advice: str) -> None:
        super().__init__(f"{path}: expected {expected}, got {found}; {advice}")
        self.found = found


class Text(NamedTuple):
    """A line without its end. ``damaged``: it was no UTF-8, and has U+FFFD where it could not be read."""

    text: str
    damaged: bool


def head(path: Path) -> list[str]:
    """The lines of a file's beginning. Raises BadLog."""
    return [line.text for line in islice(texts(path), HEAD)]


def texts(path: Path, encoding: str = "") -> Iterator[Text]:
    """The lines of a file; ``encoding`` is that of lines that are no UTF-8. Raises BadLog."""
    try:
        with path.open("rb") as file:
            start = file.read(_CHUNK)
            _check(path, start)
            file.seek(len(_UTF8) if start.startswith(_UTF8) else 0)
            if start.startswith(_UTF16):
                recoded = codecs.EncodedFile(file, "utf-8", "utf-16", errors="replace")
                wide = start.decode("utf-16", errors="replace").encode(errors="replace")
                yield from (_text(line, encoding) for line in _split(recoded, _end(wide)))
            else:
                yield from (_text(line, encoding) for line in _split(file, _end(start)))
    except OSError as error:
        raise BadLog(f"{path} cannot be read: {error.strerror}; run this as its owner, or name other files") from error


def _check(path: Path, start: bytes) -> None:
    for magic, kind in _PACKED.items():
        if start.startswith(magic):
            raise NoLog(path, "a text file", f"a packed one ({kind})", "unpack it first")
    if not start.startswith(_UTF16) and start.count(0) * 4 > len(start):
        raise NoLog(
            path, "UTF-8, or UTF-16 with a byte order mark", "a file full of NUL",
            "if it is a text, convert it: iconv -f UTF-16LE -t UTF-8",
        )  # fmt: skip


def _end(start: bytes) -> bytes:
    """What ends lines. A CR is a line's end only where there is nothing else: elsewhere it may stand inside one."""
    return b"\r" if b"\r" in start and b"\n" not in start else b"\n"


def _split(file: IO[bytes] | codecs.StreamRecoder, end: bytes) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(_CHUNK):
        *whole, rest = (rest + chunk).split(end)
        yield from whole
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
    if rest:
        yield rest


def _text(raw: bytes, encoding: str) -> Text:
    line = raw.removesuffix(b"\r")
    try:
        return Text(line.decode(), False)
    except UnicodeDecodeError:
        # Not by searching U+FFFD: some logs hold it from an earlier conversion.
        fits = _fits(line, encoding)
        return Text(line.decode(encoding) if fits else line.decode(errors="replace"), not fits)


def _fits(line: bytes, encoding: str) -> bool:
    try:
        return bool(encoding) and line.decode(encoding) is not None
    except UnicodeDecodeError:
        return False

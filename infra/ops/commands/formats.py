"""The files of an export: JSON Lines and Parquet, with what of a record it takes to write it again, byte by byte."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import msgspec

from events.core.positions import Shard
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.log import RawRecord

#: Endings of files, by format.
JSON_LINES, PARQUET = (".jsonl", ".ndjson"), (".parquet",)
#: Records of one group of rows in a Parquet file.
_GROUP = 50_000


class FileRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A record in a file. Bytes that are no text, and values that are no JSON on a line, stand there as base64."""

    topic: str
    partition: int
    offset: int
    #: Unix milliseconds at which it was appended.
    timestamp: int
    #: By the readers' rule.
    valid: bool
    headers: list[tuple[str, str]] = []
    key: str | None = None
    key_base64: str | None = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    value_base64: str | None = None


class BadFile(CannotDo):
    """A file that is no export; the text says where, expected and actual."""


def row_of(raw: RawRecord) -> FileRow:
    """A record as it stands in a file."""
    key, value = raw.key, raw.value
    text = _text(key)
    plain = value is not None and _is_json(value)
    return FileRow(
        topic=raw.shard.topic,
        partition=raw.shard.partition,
        offset=raw.offset,
        timestamp=raw.timestamp,
        valid=raw.valid,
        # Header values of ours are ASCII; latin-1 keeps all others as they are.
        headers=[(name, header.decode("latin-1")) for name, header in raw.headers],
        key=text,
        key_base64=b64encode(key).decode() if key is not None and text is None else None,
        value=msgspec.Raw(value) if plain and value is not None else msgspec.UNSET,
        value_base64=b64encode(value).decode() if value is not None and not plain else None,
    )


def raw_of(row: FileRow, where: str) -> RawRecord:
    """The inverse. Raises BadFile."""
    try:
        key = row.key.encode() if row.key is not None else _bytes(row.key_base64)
        value = _bytes(row.value_base64) if row.value is msgspec.UNSET else bytes(row.value)
        headers = tuple((name, header.encode("latin-1")) for name, header in row.headers)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise BadFile(f"{where}: expected base64 and headers as an export writes them, got {error}") from error
    return RawRecord(Shard(row.topic, row.partition), row.offset, row.timestamp, key, value, headers, row.valid)


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _is_json(value: bytes) -> bool:
    # A value on more than one line would break the lines of the file, and blanks around it would be lost.
    if b"\n" in value or b"\r" in value or value != value.strip() or value == b"null":
        return False
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
        value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


class Output(Protocol):
    """A file that is being written."""

    def __enter__(self) -> Output: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, batch: Sequence[RawRecord]) -> None:
        """Adds records."""
        ...


def writer(path: Path, name: Path) -> Output:
    """A file at ``path``, in the format that the ending of ``name`` says. Raises CannotDo."""
    return ParquetOutput(path) if _format(name) == "parquet" else LinesOutput(path)


def read(path: Path) -> Iterator[RawRecord]:
    """The records of a file, in its order. Raises BadFile, or CannotDo for an ending that is not known."""
    return _read_parquet(path) if _format(path) == "parquet" else _read_lines(path)


def _format(path: Path) -> str:
    if path.suffix in JSON_LINES:
        return "lines"
    if path.suffix in PARQUET:
        return "parquet"
    raise CannotDo(f"expected a file that ends in {', '.join(JSON_LINES + PARQUET)}, got {path.name}")


class LinesOutput:
    """JSON Lines: an object a record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> LinesOutput:
        self._file = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, batch: Sequence[RawRecord]) -> None:
        self._file.write(self._encoder.encode_lines([row_of(raw) for raw in batch]))


def _read_lines(path: Path) -> Iterator[RawRecord]:
    decoder = msgspec.json.Decoder(FileRow)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = decoder.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                raise BadFile(f"{path}, line {number}: expected a record of an export, got {error}") from error
            yield raw_of(row, f"{path}, line {number}")


class ParquetOutput:
    """Parquet: a row a record; ``value`` is JSON text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrow, self._parquet = _pyarrow()
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> ParquetOutput:
        self._schema = _schema(self._arrow)
        self._file = self._parquet.ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._file.close()

    def write(self, batch: Sequence[RawRecord]) -> None:
        for raw in batch:
            row = msgspec.structs.asdict(row_of(raw))
            row["headers"] = [{"name": name, "value": value} for name, value in row["headers"]]
            row["value"] = None if row["value"] is msgspec.UNSET else bytes(row["value"]).decode()
            self._waiting.append(row)
        if len(self._waiting) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(self._arrow.Table.from_pylist(self._waiting, schema=self._schema))
            self._waiting = []


def _read_parquet(path: Path) -> Iterator[RawRecord]:
    arrow, parquet = _pyarrow()
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for group in file.iter_batches(batch_size=_GROUP // 10):
                for row in group.to_pylist():
                    number += 1
                    row["headers"] = [(header["name"], header["value"]) for header in row["headers"]]
                    row["value"] = msgspec.UNSET if row["value"] is None else msgspec.Raw(row["value"].encode())
                    yield raw_of(FileRow(**row), f"{path}, row {number}")
    except (arrow.ArrowException, KeyError, TypeError) as error:
        raise BadFile(f"{path}, row {number}: expected a record of an export, got {error!r}") from error


def _schema(arrow: Any) -> Any:
    header = arrow.struct([("name", arrow.string()), ("value", arrow.string())])
    return arrow.schema(
        [
            ("topic", arrow.dictionary(arrow.int32(), arrow.string())), ("partition", arrow.int32()),
            ("offset", arrow.int64()), ("timestamp", arrow.int64()), ("valid", arrow.bool_()),
            ("headers", arrow.list_(header)), ("key", arrow.string()), ("key_base64", arrow.string()),
            ("value", arrow.string()), ("value_base64", arrow.string()),
        ]
    )  # fmt: skip


def _pyarrow() -> tuple[Any, Any]:
    """The package that knows Parquet, which only some need. Raises CannotDo."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise CannotDo(
            "expected the package pyarrow for Parquet, which is not installed; install it where Klatsch runs with: "
            "pip install 'pyarrow>=21,<27', or name a file that ends in .jsonl"
        ) from error
    return pyarrow, pyarrow.parquet

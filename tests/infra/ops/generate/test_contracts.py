"""Old logs stay readable, and the generated contracts are those of this code."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from events.core.log import TermFilter
from events.core.records import Event, EventType, Registry, Upcaster
from events.registry import REGISTRY
from infra.ops.generate import contracts, files, main, refusals, texts
from infra.ops.generate.files import json_text, tree

GOLDEN = tree("schemas/golden")


class Renamed(Event, frozen=True, kw_only=True):
    name: str


class RenamedWithReason(Event, frozen=True, kw_only=True):
    name: str
    reason: str


class RenamedWithDefault(Event, frozen=True, kw_only=True):
    name: str
    reason: str = ""


class Titled(Event, frozen=True, kw_only=True):
    title: str


def registry(struct: type[Event], version: int = 1, upcasters: tuple[Upcaster, ...] = (), **sample: str) -> Registry:
    """A registry of one event type, ``room.renamed``."""
    like = REGISTRY.events["room.renamed"]
    row = like._replace(
        struct=struct,
        sample=struct(**sample),
        version=version,
        upcasters=upcasters,
        fold=lambda record, state: {},
        sets=(),
    )
    return Registry((row,), tuple(REGISTRY.entities.values()))


V1 = registry(Renamed, name="Ada")
LIFT = (Upcaster(1, lambda data: {**data, "reason": "unknown"}),)
EVENTS_V1 = {path: text for path, text in contracts.schemas(V1).items() if "events/" in path}
GOLDEN_V1, _ = contracts.goldens({}, V1)


def following(new: Registry) -> list[str]:
    """What is refused when ``new`` follows V1, whose schema and golden record are committed."""
    after = {**EVENTS_V1, **{path: text for path, text in contracts.schemas(new).items() if "events/" in path}}
    _, errors = contracts.goldens(GOLDEN_V1, new)
    return errors + contracts.readable(GOLDEN_V1, new) + contracts.history(EVENTS_V1, after, new)


@pytest.mark.parametrize("path", GOLDEN)
def test_golden_records_are_valid_for_their_schema(path: str) -> None:
    sample = json.loads(GOLDEN[path])
    _validate("schemas/envelope.json", sample["value"])
    _validate(path.replace("golden", "events"), sample["value"]["data"])


def _validate(schema: str, value: Any) -> None:
    document = json.loads((files.ROOT / schema).read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema.validate(value, document, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", GOLDEN)
def test_golden_records_decode_to_the_same_data(path: str) -> None:
    sample = json.loads(GOLDEN[path])
    record = REGISTRY.decode(msgspec.json.encode(sample["value"]), sample["topic"], 3, 42)
    assert record.type == Path(path).parent.name
    assert record.stream == sample["value"]["subject"]
    assert msgspec.to_builtins(record.data).items() >= sample["value"]["data"].items()


@pytest.mark.parametrize("path", GOLDEN)
def test_readers_admit_golden_records(path: str) -> None:
    headers = [(name, text.encode()) for name, text in json.loads(GOLDEN[path])["headers"].items()]
    assert TermFilter(41).admits(42, headers)


@pytest.mark.parametrize("row", REGISTRY.events.values(), ids=lambda row: row.name)
def test_every_version_has_its_files(row: EventType) -> None:
    for version in range(1, row.version + 1):
        assert (files.ROOT / contracts.schema_path(row, version)).is_file()
        assert (files.ROOT / contracts.golden_path(row, version)).is_file()


def test_generated_files_are_fresh() -> None:
    assert files.stale(texts()) == [], "write them with: ./klatsch schemas"
    assert refusals(texts()) == []


#: UTF-8 that was read as if it were of one byte a character: a first byte, and one that only follows another.
_TWICE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]|\u00e2\u20ac")


def test_no_generated_file_is_encoded_twice() -> None:
    assert _TWICE.search("a \u00b7 b".encode().decode("latin-1"))
    found = {path: match[0] for path, text in texts().items() if (match := _TWICE.search(text)) is not None}
    assert found == {}


def test_check_tells_stale_files(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("infra.ops.generate.texts", lambda: {**texts(), "schemas/openapi.json": "{}\n"})
    assert main(check=True) == 1
    assert "schemas/openapi.json: is stale" in capsys.readouterr().err


def test_the_same_again_is_fine() -> None:
    assert following(V1) == []


def test_a_version_never_changes() -> None:
    found = following(registry(RenamedWithDefault, name="Ada", reason=""))
    assert any("raise the row's version to 2" in line for line in found)
    assert any("a version never changes" in line for line in found)


def test_a_new_optional_field_is_a_new_version() -> None:
    assert following(registry(RenamedWithDefault, 2, name="Ada", reason="why")) == []


def test_a_new_required_field_needs_an_upcaster() -> None:
    found = following(registry(RenamedWithReason, 2, name="Ada", reason="why"))
    assert any("room.renamed 1 -> 2: data.reason: required" in line for line in found)
    assert any("golden/room.renamed/1.json: an old record can no longer be read" in line for line in found)
    assert following(registry(RenamedWithReason, 2, LIFT, name="Ada", reason="why")) == []


def test_a_field_is_never_removed() -> None:
    lift = (Upcaster(1, lambda data: {"title": data["name"]}),)
    found = following(registry(Titled, 2, lift, title="Ada"))
    assert found == ["room.renamed 1 -> 2: data.name: the field was removed; keep it, or make a new event type"]


def test_a_version_is_never_skipped() -> None:
    found = following(registry(RenamedWithDefault, 3, name="Ada", reason="why"))
    assert any("schemas/events/room.renamed/3.json: expected it and the version before it" in line for line in found)


def test_a_type_is_never_removed() -> None:
    gone = "schemas/events/room.sold/1.json"
    assert contracts.history({gone: "{}"}, EVENTS_V1, V1) == [
        f"{gone}: was removed, but such events are in logs; restore it"
    ]


def test_a_fold_that_fails_on_an_old_record_is_told() -> None:
    def fold(record: Any, state: Any) -> Any:
        raise KeyError("room")

    row = V1.events["room.renamed"]._replace(fold=fold)
    (line,) = contracts.readable(GOLDEN_V1, Registry((row,), tuple(REGISTRY.entities.values())))
    assert "an old record can no longer be read: KeyError" in line


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Mapping[str, str]], None]:
    """Commits files in a repository of the test's own."""

    def commit(texts: Mapping[str, str]) -> None:
        for path, text in texts.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        _git(tmp_path, "init", "-q")
        _git(tmp_path, "add", ".")
        _git(tmp_path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Schemas")

    return commit


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_the_last_commit_counts(tmp_path: Path, repository: Callable[[Mapping[str, str]], None]) -> None:
    path = "schemas/golden/room.renamed/1.json"
    repository({path: json_text({"value": 1})})
    (tmp_path / path).write_text(json_text({"value": 2}))
    assert files.committed("schemas/golden", tmp_path) == {path: json_text({"value": 1})}


def test_without_git_nothing_is_committed(tmp_path: Path) -> None:
    assert files.committed("schemas/golden", tmp_path / "nowhere") is None

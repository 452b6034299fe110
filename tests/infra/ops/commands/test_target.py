"""Which installation an operator's command acts on, and the token that it prints for programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.core.tokens import verify
from api.support.problems import Problem
from events.core.clock import now, to_datetime
from infra.base.settings import Settings, environment, load
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.target import choose, installation
from infra.ops.supervisor.folder import DataFolder, FolderError

FOLDER = Path("/srv/klatsch")
RUNNING = load({"KLATSCH_KAFKA": "here:1", "KLATSCH_POSTGRES": "postgresql://here/x", "KLATSCH_SECRET": "a" * 64})
OTHER = {
    "KLATSCH_KAFKA": "there:1", "KLATSCH_POSTGRES": "postgresql://there/x", "KLATSCH_PREFIX": "other",
    "KLATSCH_SCHEMA": "other", "KLATSCH_SECRET": "b" * 64, "KLATSCH_API": "http://there:8400",
}  # fmt: skip
SAME = environment(RUNNING)


@pytest.mark.parametrize(
    ("running", "variables", "given", "kafka", "notice"),
    [
        (RUNNING, {}, False, "here:1", ""),
        (RUNNING, SAME, False, "here:1", ""),
        (RUNNING, {"KLATSCH_KAFKA": "here:1"}, False, "here:1", ""),
        (
            RUNNING,
            OTHER,
            False,
            "there:1",
            "of KLATSCH_* (topics other.* at there:1, schema other), not on the one that",
        ),
        (RUNNING, {"KLATSCH_POSTGRES": "postgresql://there/x"}, False, "127.0.0.1:8410", "not on the one that runs on"),
        (RUNNING, OTHER, True, "here:1", "on /srv/klatsch, as --data says; KLATSCH_KAFKA, KLATSCH_POSTGRES, KLATSCH_P"),
        (RUNNING, SAME, True, "here:1", ""),
        (None, OTHER, False, "there:1", ""),
        (None, {"KLATSCH_KAFKA": "there:1"}, False, None, ""),
        (None, OTHER, True, None, ""),
        (None, {}, False, None, ""),
    ],
)
def test_what_was_named_wins_over_what_was_found(
    running: Settings | None, variables: dict[str, str], given: bool, kafka: str | None, notice: str
) -> None:
    settings, said = choose(running, variables, FOLDER, given=given)
    assert (settings and settings.kafka) == kafka
    assert notice in said and bool(said) == bool(notice) and "\n" not in said


@pytest.mark.parametrize("name", ["KLATSCH_PREFIX", "KLATSCH_SCHEMA", "KLATSCH_SECRET", "KLATSCH_API"])
def test_half_an_installation_is_none(name: str) -> None:
    with pytest.raises(CannotDo, match=f"two: one runs on /srv/klatsch, and {name} names another"):
        choose(RUNNING, {name: OTHER[name]}, FOLDER, given=False)
    settings, said = choose(RUNNING, {name: OTHER[name]}, FOLDER, given=True)
    assert settings == RUNNING and name in said


def test_where_nothing_runs_there_is_nothing_to_act_on(tmp_path: Path) -> None:
    with pytest.raises(CannotDo, match=r"expected an installation that runs on .*, found none"):
        installation(tmp_path, given=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder on which this process seems to run an installation."""
    data = DataFolder(tmp_path / "data")
    with data.locked():
        data.write_state({"pid": os.getpid(), "parts": [], "environment": environment(RUNNING)})
        yield data.path


def klatsch(*arguments: str | Path, **variables: str) -> tuple[int, str, str]:
    """Exit code, what it printed, and what it said beside."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KLATSCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "infra.ops.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60, env={**clean, **variables},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_says_which_installation_it_is(folder: Path) -> None:
    found = {"KLATSCH_DATA": str(folder)}
    code, printed, said = klatsch("connect", "env", **found)
    assert (code, said) == (0, "") and "KLATSCH_KAFKA=here:1" in printed
    code, printed, said = klatsch("connect", "env", **found, **OTHER)
    assert code == 0 and "KLATSCH_KAFKA=there:1" in printed and len(said.splitlines()) == 1
    assert said.startswith("klatsch: acting on the installation of KLATSCH_*") and str(folder) in said
    code, printed, said = klatsch("connect", "env", "--data", folder, **OTHER)
    assert code == 0 and "KLATSCH_KAFKA=here:1" in printed and "as --data says" in said
    nowhere = folder / "nowhere"
    for command in (("connect", "env"), ("undo", "--by", "ada", "--from", "1h"), ("events", "import", __file__)):
        code, printed, said = klatsch(*command, "--data", nowhere, **OTHER)
        assert code == 1 and "error: expected" in said and str(nowhere) in said.replace("\n", "") and not printed
    code, _, said = klatsch("undo", "--by", "ada", "--from", "1h", **found, KLATSCH_PREFIX="other")
    assert code == 1 and "KLATSCH_PREFIX names another" in said


def test_kcat_gets_into_another_cluster_by_what_that_cluster_takes(folder: Path) -> None:
    access = {"KLATSCH_KAFKA_USER": "ann", "KLATSCH_KAFKA_PASSWORD": "p", "KLATSCH_KAFKA_SASL": "SCRAM-SHA-512"}
    code, printed, _ = klatsch("connect", "kcat", KLATSCH_DATA=str(folder), **OTHER, **access)
    assert code == 0 and "bootstrap.servers=there:1" in printed and "sasl.mechanisms=SCRAM-SHA-512" in printed


def test_a_token_is_printed_alone(folder: Path) -> None:
    code, printed, said = klatsch("token", "--data", folder)
    assert (code, said) == (0, "") and len(printed.splitlines()) == 1
    identity = verify(RUNNING, printed.strip())
    seconds = identity.expires - to_datetime(now()).timestamp()
    assert identity.role == "operator" and 800 < seconds <= 900
    _, printed, _ = klatsch("token", "--minutes", "60", KLATSCH_DATA=str(folder))
    assert 3500 < verify(RUNNING, printed.strip()).expires - to_datetime(now()).timestamp() <= 3600
    with pytest.raises(Problem):
        verify(load(OTHER), printed.strip())


def test_a_token_needs_the_secret_and_ends(folder: Path) -> None:
    code, printed, said = klatsch("token", KLATSCH_DATA=str(folder / "nowhere"))
    assert code == 1 and not printed and "expected an installation that runs on the data folder" in said
    for minutes in ("0", "1441", "x"):
        code, printed, said = klatsch("token", "--minutes", minutes, "--data", folder)
        assert code == 2 and not printed and "--minutes" in said


def test_an_installation_that_starts_is_no_other(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.locked():
        for state in (None, {"pid": os.getpid() + 1, "environment": SAME}, {"pid": os.getpid(), "environment": {}}):
            if state is not None:
                folder.write_state(state)
            with pytest.raises(FolderError, match="is still starting"):
                installation(folder.path, given=True)
        folder.write_state({"pid": os.getpid(), "environment": SAME})
        assert installation(folder.path, given=True)[0] == RUNNING

"""Whatever acts outside of the read models says so, and nothing that replays the log loads it.
Tests ``projectors/workers/``."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: Classes that read the log, or follow what it says, and are no Projector.
OTHERS = {
    "projectors.workers.emotion_worker.Worker",
    "projectors.workers.usage_worker.UsageWorker",
    "push.presence.last_seen.LastSeenWriter",
}
#: Modules that carry out what one of them does.
HANDS = {"projectors.feed.partition_writer", "projectors.workers.emotions"}


def declarations() -> dict[str, str | None]:
    """Each consumer -> its ``effects``; None where it declares none. Read from the source, so that none is missed."""
    found: dict[str, str | None] = {}
    for file in sorted([*ROOT.glob("projectors/**/*.py"), *ROOT.glob("push/**/*.py"), *ROOT.glob("api/**/*.py")]):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef):
                continue
            projector = any(isinstance(base, ast.Name) and base.id == "Projector" for base in node.bases)
            if projector or f"{module}.{node.name}" in OTHERS:
                found[f"{module}.{node.name}"] = _effects(node)
    return found


def _effects(node: ast.ClassDef) -> str | None:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id == "effects":
            assert isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
            return line.value.value
    return None


def forbidden() -> set[str]:
    """What replays may not import, directly or through others."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (found,) = [one for one in contracts if one["name"].startswith("A replay has no effects")]
    assert "allow_indirect_imports" not in found and "ignore_imports" not in found
    return set(found["forbidden_modules"])


def test_every_consumer_says_what_it_does_outside() -> None:
    found = declarations()
    assert found.keys() > {
        *OTHERS,
        "projectors.feed.projector.FeedProjector",
        "projectors.read_models.projector.ReadModels",
    }
    assert [name for name, effects in found.items() if effects is None] == []


def test_who_has_effects_is_out_of_a_replays_reach() -> None:
    acting = {name.rpartition(".")[0] for name, effects in declarations().items() if effects} | HANDS
    refused = forbidden()
    assert acting
    assert [module for module in acting if not _within(module, refused)] == []


def _within(module: str, packages: set[str]) -> bool:
    """Whether it is one of them, or stands in one."""
    parts = module.split(".")
    return any(".".join(parts[:n]) in packages for n in range(1, len(parts) + 1))


@pytest.mark.parametrize(
    "replay",
    ["projectors.rebuild.run", "projectors.rebuild.worker", "projectors.verify.run", "projectors.as_of.rooms",
     "projectors.as_of.people", "projectors.as_of.folding", "projectors.read_models.redrive"],
)  # fmt: skip
def test_a_replay_loads_nothing_that_acts(replay: str) -> None:
    """Not even by an import within a function's module that a linter would not see."""
    code = f"import sys, {replay}; print(*sorted(sys.modules), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert replay in modules
    assert {one for one in modules if _within(one, forbidden())} == set()

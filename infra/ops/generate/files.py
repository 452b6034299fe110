"""Generated files as text: written where they are stale, or only compared."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

#: Text of each file by its path from the root.
Files = dict[str, str]


def json_text(value: Any) -> str:
    """JSON as it stands in a generated file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def stale(files: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Paths whose text on disk is another, or which are missing."""
    return [path for path, text in files.items() if read(path, root) != text]


def write(files: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Writes what is stale; returns those paths."""
    paths = stale(files, root)
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], encoding="utf-8")
    return paths


def read(path: str, root: Path = ROOT) -> str | None:
    """A file's text; None when it is not there."""
    target = root / path
    return target.read_text(encoding="utf-8") if target.is_file() else None


def tree(folder: str, root: Path = ROOT) -> Files:
    """All JSON files below a folder."""
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted((root / folder).rglob("*.json"))
    }


@cache
def committed(folder: str, root: Path = ROOT) -> Mapping[str, str] | None:
    """The JSON files below a folder as the last commit has them; None where there is no git or no commit."""
    try:
        names = _git(root, "ls-tree", "-r", "--name-only", "HEAD", folder).splitlines()
        return {name: _git(root, "show", f"HEAD:./{name}") for name in names if name.endswith(".json")}
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True, timeout=60)
    return done.stdout.decode()

"""Codes that the source names where it raises something, found by reading it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from api.support.problems import Problem
from events.core.errors import KlatschError
from producers.commands import Refused, Unavailable
from producers.engine.shard import ShardOwner
from push.transports import http as push_http

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("events", "producers", "projectors", "push", "api", "infra")
#: What takes a code first, by the name under which it stands in the source.
TAKES_A_CODE = {"Refused": Refused, "Problem": Problem, "Unavailable": Unavailable, "_Refused": push_http._Refused}


class Raised(NamedTuple):
    """A place that names a code, or passes one on."""

    kind: str
    path: str
    line: int
    code: str | None
    expression: str


def module(path: str) -> ModuleType:
    """The module of a file of ours."""
    return importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def trees() -> Iterator[tuple[str, ast.Module]]:
    """All source files with what stands in them."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _raised(path: str, node: ast.AST) -> Raised | None:
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in TAKES_A_CODE and name != ShardOwner._put_off.__name__:
        return None
    # The hub's Unavailable takes a text.
    if isinstance(node.func, ast.Name) and getattr(module(path), name) is not TAKES_A_CODE[name]:
        return None
    first = node.args[0]
    code = str(first.value) if isinstance(first, ast.Constant) else None
    return Raised(name, path, node.lineno, code, ast.unparse(first))


#: All such places.
RAISED = [one for path, tree in trees() for node in ast.walk(tree) if (one := _raised(path, node)) is not None]


def codes_of(kind: type[KlatschError]) -> set[str]:
    """All codes that the source names with a class."""
    return {one.code for one in RAISED if one.code is not None and TAKES_A_CODE.get(one.kind) is kind}

"""Tests are found by name: those of ``x/y.py`` stand in ``tests/x/test_y.py``, or say what they test.
Tests ``tests/``."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Without what npm has brought.
FILES = sorted(
    str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in file.parts
)
#: What the first lines say: ``Tests ``x/y.py`` and ``x/z/``.``; files and folders of the repository.
_TESTS = re.compile(r"\bTests ((?:``[^`]+``(?:, and |, | and )?)+)")
#: The benchmark stands among the tests: its own tests are beside what they test.
_BENCH = "tests/bench/"


def mirrored(path: str) -> list[str]:
    """The files of which a test's path says that it tests one: a module, or a folder of them."""
    folder, _, name = path.removesuffix(".py").rpartition("/")
    place = folder if f"{folder}/".startswith(_BENCH) else folder.removeprefix("tests").removeprefix("/")
    module = f"{place}/{name.removeprefix('test_')}".removeprefix("/")
    return [f"{module}.py", f"{module}/__init__.py"]


def named(docstring: str) -> list[str]:
    """The files and folders that a test's first lines name as what it tests."""
    return [
        name
        for found in _TESTS.findall(" ".join(docstring.split()))
        for name in re.findall(r"``([^`]+)``", found)
    ]  # fmt: skip


def fault(root: Path, path: str) -> str | None:
    """What is wrong with the place of a test file; None when its reader finds what it tests."""
    names = named(ast.get_docstring(ast.parse((root / path).read_text("utf-8"))) or "")
    gone = [name for name in names if not (root / name).exists()]
    if gone:
        return f"its first lines name {', '.join(gone)}, which is not there: name what it tests today"
    if names or any((root / module).is_file() for module in mirrored(path)):
        return None
    return (
        f"expected {' or '.join(mirrored(path))}, or first lines that say what it tests, found neither: move it, or "
        'write "Tests ``folder/module.py``." there'
    )


@pytest.mark.parametrize("path", FILES)
def test_what_a_file_tests_is_found_by_its_name(path: str) -> None:
    assert fault(ROOT, path) is None


@pytest.mark.parametrize(
    ("path", "docstring", "expected"),
    [
        ("tests/shop/orders/test_cart.py", "What a cart holds.", None),
        ("tests/shop/test_orders.py", "A folder as a whole.", None),
        ("tests/bench/test_load.py", "The bench's own, beside its module.", None),
        ("tests/system/test_kill.py", "Whatever dies. Tests\n``shop/orders/cart.py`` and ``shop/orders/``.", None),
        ("tests/shop/test_cart.py", "In another folder.", "expected shop/cart.py or shop/cart/__init__.py, or first"),
        ("tests/shop/orders/test_cart_more.py", "See ``shop/orders/cart.py``.", "expected shop/orders/cart_more.py"),
        ("tests/test_load.py", "", "expected load.py or load/__init__.py"),
        ("tests/system/test_kill.py", "Tests ``shop/gone.py``, and ``shop/orders/``.", "name shop/gone.py, which is"),
        ("tests/shop/orders/test_cart.py", "Tests ``shop/cart.py``.", "name shop/cart.py, which is not there"),
    ],
)
def test_the_rule(path: str, docstring: str, expected: str | None, tmp_path: Path) -> None:
    for file in ("shop/orders/cart.py", "shop/orders/__init__.py", "tests/bench/load.py", path):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / path).write_text(f'"""{docstring}"""\n')
    said = fault(tmp_path, path)
    if expected is None:
        assert said is None
    else:
        assert said is not None and expected in said


def test_there_are_tests_to_look_at() -> None:
    assert len(FILES) > 200 and "tests/test_house.py" in FILES


#: A file that prose names, and a module; those that tests invent, and what migrations said on their day, aside.
_PATH = re.compile(
    r"(?<![\w./-])((?:events|producers|projectors|push|api|infra|schemas)/[\w/.-]+\.(?:py|sql|js|css|proto))\b"
)
_MODULE = re.compile(r"(?<![\w./\"'-])((?:events|producers|projectors|push|api|infra)(?:\.[A-Za-z_]\w*)+)")
PROSE = sorted(
    path
    for pattern in ("*/**/*.py", "docs/**/*.md", "*.md", "schemas/sql/*.sql")
    for path in ROOT.glob(pattern)
    if not {"tests", "clients", ".venv"} & set(path.parts) and not re.match(r"CHANGELOG|\d{4}_", path.name)
)


def _prose(path: Path) -> str:
    """What a file says to people: its comments and docstrings, or all of it."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return text
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, _DOCUMENTED)]
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    return "\n".join([*docstrings, *comments])


_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _bound(tree: ast.Module) -> set[str]:
    """The names that a module binds at its top."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign(targets=targets):
                found |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def _there(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        file = next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)
        if file is not None:
            rest = parts[length:]
            return not rest or rest[0] in _bound(ast.parse(file.read_text("utf-8")))
    return False


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_modules_that_prose_names_are_there(path: Path) -> None:
    prose = _prose(path)
    gone = [name for name in _PATH.findall(prose) if not (ROOT / name).exists() and "NNNN" not in name]
    if path.suffix == ".py":
        gone += [name for name in _MODULE.findall(prose) if not _there(name)]
    assert gone == []


def test_a_module_that_is_gone_is_found() -> None:
    assert _there("push.delivery.hub") and _there("push.delivery.hub.Hub")
    assert not _there("push.hub") and not _there("push.delivery.hub.Nowhere")

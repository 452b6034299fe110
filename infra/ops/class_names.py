"""``python -m infra.ops.class_names``: how many classes share their name with another class, and which.

One word with two meanings makes a reader open the wrong file. Classes of all folders of the server are counted, nested
and private ones too; those of tests are not.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("events", "producers", "projectors", "push", "api", "infra")
#: Percent of all classes that may share their name. It only ever goes down: lower it to what ``check`` prints.
BOUND = 2.0


class ClassNames(NamedTuple):
    """``classes``: how many there are; ``shared``: name -> where, for names that several classes have."""

    classes: int
    shared: dict[str, list[str]]

    @property
    def sharing(self) -> int:
        """How many classes have a name that another one has too."""
        return sum(map(len, self.shared.values()))

    @property
    def percent(self) -> float:
        return 100 * self.sharing / self.classes if self.classes else 0.0


def count(root: Path, folders: Sequence[str] = FOLDERS) -> ClassNames:
    """Counts the classes of the Python files in these folders of ``root``. Raises SyntaxError."""
    places: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            for name, line in _classes(file):
                places[name].append(f"{file.relative_to(root)}:{line}")
    shared = {name: where for name, where in sorted(places.items()) if len(where) > 1}
    return ClassNames(sum(map(len, places.values())), shared)


def _classes(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno


def report(found: ClassNames, bound: float) -> str:
    """What was counted, a line a shared name; and what to do when it is more than ``bound`` percent."""
    lines = [f"{name}: {', '.join(where)}" for name, where in found.shared.items()]
    lines.append(
        f"{found.sharing} of {found.classes} classes ({found.percent:.1f} %) share their name with another class; "
        f"at most {bound:g} % may"
    )
    if found.percent > bound:
        lines.append(
            "Say what is special about the class that you have added, such as RoomState instead of a second State; "
            "the lines above say where the others are."
        )
    return "\n".join(lines)


def main(root: Path) -> int:
    """Prints the report. Returns the exit code: 0, or 1 when too many classes share their names."""
    found = count(root)
    sys.stdout.write(f"{report(found, BOUND)}\n")
    return 1 if found.percent > BOUND else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))

"""Classes that share their names: planted ones are counted, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.ops import class_names


def plant(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_classes_of_one_name_are_found_wherever_they_stand(tmp_path: Path) -> None:
    plant(tmp_path, "api/turns.py", "class Turn:\n    class State: ...\n\n\nclass Only: ...\n")
    plant(tmp_path, "push/deep/er/turn.py", "if True:\n\n    class Turn(int): ...\n\n\nclass _Entry: ...\n")
    plant(tmp_path, "push/entry.py", "def f():\n    class _Entry: ...\n\n\nState = 1\n")
    # None is a class, or none of the server's.
    plant(tmp_path, "push/other.txt", "class Only: ...\n")
    plant(tmp_path, "tests/test_turn.py", "class Turn: ...\nclass Only: ...\n")
    found = class_names.count(tmp_path, ("api", "push", "no-such-folder"))
    assert found.shared == {
        "Turn": ["api/turns.py:1", "push/deep/er/turn.py:3"],
        "_Entry": ["push/deep/er/turn.py:6", "push/entry.py:2"],
    }
    assert (found.classes, found.sharing) == (6, 4)
    assert found.percent == pytest.approx(66.7, abs=0.1)


def test_the_report_names_them_and_says_what_to_do_above_the_bound() -> None:
    found = class_names.ClassNames(20, {"Turn": ["api/a.py:1", "push/b.py:2"]})
    said = "Turn: api/a.py:1, push/b.py:2\n2 of 20 classes (10.0 %) share their name with another class; at most "
    assert class_names.report(found, 10.0) == f"{said}10 % may"
    refused = class_names.report(found, 9.9)
    assert refused.startswith(f"{said}9.9 % may\nSay what is special about the class that you have added")


def test_the_exit_code_is_that_of_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert class_names.main(tmp_path) == 0
    assert capsys.readouterr().out.startswith("0 of 0 classes (0.0 %)")
    monkeypatch.setattr(class_names, "BOUND", 50.0)
    plant(tmp_path, "events/a.py", "class A: ...\nclass B: ...\n")
    plant(tmp_path, "infra/a.py", "class A: ...\nclass C: ...\n")
    assert class_names.main(tmp_path) == 0
    plant(tmp_path, "infra/b.py", "class C: ...\n")
    assert class_names.main(tmp_path) == 1
    assert "A: events/a.py:1, infra/a.py:1\nC: infra/a.py:2, infra/b.py:1\n4 of 5 classes" in capsys.readouterr().out


@pytest.mark.long
def test_the_bound_is_no_higher_than_needed() -> None:
    """When names have been mended the bound follows, or the next ones that are shared would pass."""
    found = class_names.count(Path(__file__).resolve().parents[3])
    assert found.classes > 500
    assert class_names.BOUND - 6 <= found.percent <= class_names.BOUND

"""Tables show systems side by side, with ratio and goal; the history keeps medians."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.bench import report
from tests.bench.test_figures import figure, results

_NAME = "send → ack, p50"


def test_a_table() -> None:
    ours = msgspec.structs.replace(figure(0, name=_NAME), values=[1.5, 1.25, 1800.0])
    floor = figure(0.5, name=_NAME, system="chain")
    other = figure(2.0, name="messages", better="neither")
    text = report.table(results(ours, floor, other))
    assert "commit 0123456789; 2 cores (Some)" in text
    assert "- **ours**: about\n- left out\n" in text
    assert text.endswith(
        "## latency\n\nOne sender.\n\n"
        "|  | ours | chain | ours : chain | goal |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| send → ack, p50, ms | 1.5 (1.25–1,800) | 0.5 | 3.00× | ≤ 2 ✓ |\n"
        "| messages, ms | 2 |  |  |  |\n"
    )


def test_a_goal_that_is_not_reached_says_so() -> None:
    assert report.goal(figure(3.0), 2.0) == "≤ 2 ✗"
    assert report.goal(figure(3.0, better="higher"), 2.0) == "≥ 2 ✓"


def test_a_table_without_ours_compares_nothing() -> None:
    text = report.table(results(figure(0.5, name=_NAME, system="chain")))
    assert "|  | chain |\n| --- | ---: |\n" in text


def test_roles_of_one_figure_stand_together() -> None:
    names = ("x: CPU, api", "x: memory, api", "x: CPU, server", "y: CPU, api")
    text = report.table(results(*(figure(1.0, name=name) for name in names)))
    shown = [line.split(" | ")[0] for line in text.splitlines() if line.startswith(("| x: ", "| y: "))]
    assert shown == ["| x: CPU, api, ms", "| x: CPU, server, ms", "| x: memory, api, ms", "| y: CPU, api, ms"]


def test_two_runs_beside_their_floors() -> None:
    floor = figure(0.5, name=_NAME, system="chain")
    before = results(figure(4.0, name=_NAME), floor, figure(1.0, name="gone"))
    after = results(figure(1.0, name=_NAME), msgspec.structs.replace(floor, values=[0.25]), figure(1.0, name="new"))
    assert report.changes(before, after).endswith(
        "## latency\n\n"
        "|  | before | after | after : before | before : chain | after : chain |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| send → ack, p50, ms | 4 | 1 | 0.25× | 8.00× | 4.00× |\n"
    )


def test_the_history_grows_by_a_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for value in (1.23456, 2.0):
        report.append(results(figure(value)), path)
    assert [one.figures for one in report.history(path)] == [
        {"latency": {"ours": {"ack, p50": value}}} for value in (1.235, 2.0)
    ]
    assert len(path.read_text().splitlines()) == 2

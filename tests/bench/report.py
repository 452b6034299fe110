"""Tables of results in Markdown, and the history file. Plots are in plots.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tests.bench.figures import Figure, Machine, Results
from tests.bench.scenarios import scenario

#: Goals of design 11 and of the issue, by scenario and figure, in the figure's unit. Those of ours.
GOALS = {
    ("latency", "send → ack, p50"): 2.0,
    ("latency", "send → receive, p50"): 4.5,
    ("throughput", "32 in 8 rooms, rpc: acknowledged"): 3900.0,
    ("throughput", "32 in 8 rooms, rpc: CPU, 1,000 messages, all roles"): 0.45,
    ("fanout", "room of 200: deliveries"): 62000.0,
    ("fanout", "room of 200: CPU, 10,000 deliveries, all roles"): 0.12,
    ("catchup", "500 missed: last delta, p50"): 10.0,
    ("catchup", "500 missed, before 50,000 of others: last delta, p50"): 10.0,
    ("catchup", "50,000 missed: last delta, p50"): 2000.0,
    ("connections", "memory an idle connection"): 40.0,
    ("connections", "connects a core, all roles"): 1000.0,
    ("models", "read models: events of a backlog"): 10_000.0,
    ("models", "rebuild: events a core"): 30_000.0,
    ("models", "history, page in the middle, in Postgres, p50"): 2.0,
    ("start", "later start until ready"): 10.0,
}
#: The system whose ratios are shown.
_OURS = "ours"


def table(results: Results) -> str:
    """Everything as Markdown: what ran, then a table for each scenario, systems side by side."""
    machine = results.machine
    lines = [
        f"{results.date}, commit {results.commit or 'unknown'}; {machine.cores} cores ({machine.processor}), "
        f"{machine.memory_gib:.0f} GiB, {machine.system}, {machine.python}; "
        f"{'quick, ' if results.quick else ''}medians of {results.repetitions}, with the lowest and highest.",
        "",
        *(f"- **{name}**: {about}" for name, about in results.systems.items()),
        *(f"- {note}" for note in results.notes),
    ]
    for name, about in results.scenarios.items():
        figures = [figure for figure in results.figures if figure.scenario == name]
        if figures:
            lines += ["", f"## {name}", "", f"{about[:1].upper()}{about[1:]}.", "", *_rows(name, figures)]
    return "\n".join(lines) + "\n"


def _rows(name: str, figures: Sequence[Figure]) -> list[str]:
    systems = list(dict.fromkeys(figure.system for figure in figures))
    titles = _grouped(dict.fromkeys((figure.name, figure.unit) for figure in figures))
    floor = getattr(scenario(name), "FLOOR", "")
    found = {(figure.system, figure.name): figure for figure in figures}
    compared = _OURS in systems and floor in systems
    goals = _OURS in systems and any((name, title) in GOALS for title, _ in titles)
    head = ["", *systems, *([f"{_OURS} : {floor}"] if compared else []), *(["goal"] if goals else [])]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for title, unit in titles:
        ours = found.get((_OURS, title))
        row = [title + (f", {unit}" if unit != "1" else "")]
        row += [cell(found.get((system, title))) for system in systems]
        if compared:
            row.append(ratio(ours, found.get((floor, title))))
        if goals:
            row.append(goal(ours, GOALS.get((name, title))))
        rows.append(row)
    return ["| " + " | ".join(row) + " |" for row in rows]


def _grouped(titles: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """In the order in which they came, but those beside each other that differ only in the last word (a role)."""
    groups: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for title, unit in titles:
        group, _, name = title.rpartition(": ")
        groups.setdefault(group, {}).setdefault(name.rpartition(", ")[0] or name, []).append((title, unit))
    return [title for stems in groups.values() for some in stems.values() for title in some]


def changes(before: Results, after: Results) -> str:
    """Two runs as Markdown: what both have of ours, and each beside the floor of its own run, where it has one.

    Machines have slow hours: where the floors differ as much as the figures do, nothing has changed.
    """
    lines = [f"Before: {before.date}, commit {before.commit}. After: {after.date}, commit {after.commit}."]
    for name in after.scenarios:
        floor = getattr(scenario(name), "FLOOR", "")
        rows = []
        for now in after.figures:
            then = before.figure(name, _OURS, now.name)
            if (now.scenario, now.system) == (name, _OURS) and then is not None and now.better != "neither":
                beside = [ratio(one, run.figure(name, floor, now.name)) for one, run in ((then, before), (now, after))]
                rows.append([f"{now.name}, {now.unit}", cell(then), cell(now), ratio(now, then), *beside])
        if rows:
            head = ["", "before", "after", "after : before", f"before : {floor}", f"after : {floor}"]
            wide = 6 if floor else 4
            rows = [head, ["---"] + ["---:"] * 5, *rows]
            lines += ["", f"## {name}", "", *("| " + " | ".join(row[:wide]) + " |" for row in rows)]
    return "\n".join(lines) + "\n"


def cell(figure: Figure | None) -> str:
    """The median, and its spread where there are several values."""
    if figure is None:
        return ""
    if len(figure.values) == 1:
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.low)}–{number(figure.high)})"


def number(value: float) -> str:
    """Three digits that count, thousands parted."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(ours: Figure | None, floor: Figure | None) -> str:
    """How many times the floor."""
    if ours is None or floor is None or not floor.median or ours.better == "neither":
        return ""
    return f"{ours.median / floor.median:.2f}×"


def goal(ours: Figure | None, wanted: float | None) -> str:
    """The goal, and whether it is reached."""
    if ours is None or wanted is None:
        return ""
    sign = "≥" if ours.better == "higher" else "≤"
    reached = ours.median >= wanted if ours.better == "higher" else ours.median <= wanted
    return f"{sign} {number(wanted)} {'✓' if reached else '✗'}"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history: medians by scenario, system and figure; no histograms."""

    date: str
    commit: str
    machine: Machine
    quick: bool
    repetitions: int
    figures: dict[str, dict[str, dict[str, float]]]


def record(results: Results) -> Record:
    """Of a run."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for figure in results.figures:
        names = figures.setdefault(figure.scenario, {}).setdefault(figure.system, {})
        names[figure.name] = float(f"{figure.median:.4g}")
    return Record(
        date=results.date, commit=results.commit, machine=results.machine, quick=results.quick,
        repetitions=results.repetitions, figures=figures,
    )  # fmt: skip


def append(results: Results, path: Path) -> None:
    """Adds a line to the history file."""
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(msgspec.json.encode(record(results)) + b"\n")


def history(path: Path) -> list[Record]:
    """All lines, the oldest first."""
    decoder = msgspec.json.Decoder(Record)
    return decoder.decode_lines(path.read_bytes())

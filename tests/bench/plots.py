"""Plots of growth as SVG: one for each dimension, legible on light and on dark paper."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.figures import Figure, Results

#: How the scenario "growth" names its figures: ``messages 10,000: send → ack, p50``.
_NAME = re.compile(r"(\w+) ([\d,]+): (.+)")


class Panel(NamedTuple):
    """One pair of axes: its title with the unit, and the figures that it shows, each under a short name."""

    title: str
    lines: Mapping[str, str]


_LATENCY = Panel("latency, p50, ms", {"send → ack, p50": "send → ack", "send → receive, p50": "send → receive"})
_TALK = Panel("acknowledged a second", {"32 in 8 rooms, rpc: acknowledged": "32 senders, 8 rooms"})
_CPU = Panel(
    "CPU seconds of 1,000 messages, all roles",
    {
        "32 in 8 rooms, rpc: CPU, 1,000 messages, all roles": "32 senders, 8 rooms",
        "CPU, 1,000 messages, all roles": "8 senders",
    },
)
#: What is plotted over each dimension, by its name in the figures; the second part is what the x axis says.
PLOTS: Mapping[str, tuple[str, Sequence[Panel]]] = {
    "messages": (
        "messages in the log",
        (
            _LATENCY,
            _TALK,
            _CPU,
            Panel(
                "projecting a backlog, events a second",
                {"read models: events of a backlog": "read models", "feed: events of a backlog": "feed"},
            ),
            Panel(
                "reading over HTTP, p50, ms",
                {
                    "history, page in the middle, p50": "page of history",
                    "room list with unread, p50": "list of rooms",
                    "search, common word, p50": "search, common",
                    "search, rare word, p50": "search, rare",
                },
            ),
        ),
    ),
    "members": (
        "members of the room, 8 of them connected",
        (_LATENCY, Panel("acknowledged a second", {"acknowledged, 8 senders": "8 senders"}), _CPU),
    ),
    "shards": ("shards of each topic", (_LATENCY, _TALK, _CPU)),
}

#: Between black and white; the lines' colours keep apart for those who do not tell red from green (Okabe and Ito).
_INK, _COLOURS = "#808890", ("#3d8fd1", "#e08214", "#1b9e77", "#cc6fa8")
_STYLE: Any = {
    "svg.fonttype": "none",
    # Without it ids differ each time, and with them the file.
    "svg.hashsalt": "klatsch",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlesize": 9,
    "axes.titlecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "grid.color": _INK,
    "grid.alpha": 0.25,
}


class Point(NamedTuple):
    """A size, and what was measured there."""

    size: int
    figure: Figure


def points(results: Results, dimension: str) -> dict[str, list[Point]]:
    """By the figure's name without its size: the measurements along a dimension, from small to large."""
    found: dict[str, list[Point]] = {}
    for figure in results.figures:
        named = _NAME.fullmatch(figure.name) if figure.scenario == "growth" else None
        if named is not None and named[1] == dimension:
            found.setdefault(named[3], []).append(Point(int(named[2].replace(",", "")), figure))
    return {name: sorted(line, key=lambda point: point.size) for name, line in found.items()}


def exponent(line: Sequence[Point]) -> float | None:
    """Of the power of the size that a measurement follows best: 0 is flat, 1 proportional. None for a single size."""
    logs: list[tuple[float, float]] = [
        (math.log(point.size), math.log(point.figure.median)) for point in line if point.figure.median > 0
    ]
    if len({x for x, _ in logs}) < 2:
        return None
    middle_x, middle_y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    above = sum((x - middle_x) * (y - middle_y) for x, y in logs)
    return float(above / sum((x - middle_x) ** 2 for x, _ in logs))


def write(results: Results, folder: Path) -> list[Path]:
    """A file for each dimension that was measured: ``growth-messages.svg`` ... Returns their paths."""
    written = []
    for dimension, (label, panels) in PLOTS.items():
        measured = points(results, dimension)
        shown = [panel for panel in panels if any(name in measured for name in panel.lines)]
        if shown:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"growth-{dimension}.svg"
            _draw(path, label, shown, measured)
            written.append(path)
    return written


def _draw(path: Path, label: str, panels: Sequence[Panel], measured: Mapping[str, Sequence[Point]]) -> None:
    # Slow to import, and only needed here.
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Sheet

    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    with rc_context(_STYLE):
        sheet = Sheet(figsize=(3.7 * columns, 2.5 * rows), layout="constrained")
        places = list(sheet.subplots(rows, columns, squeeze=False).flat)
        for axes, panel in zip(places, panels, strict=False):
            _panel(axes, panel, label, measured)
        for axes in places[len(panels) :]:
            axes.set_visible(False)
        sheet.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def _panel(axes: Any, panel: Panel, label: str, measured: Mapping[str, Sequence[Point]]) -> None:
    shown = [(title, measured[name]) for name, title in panel.lines.items() if name in measured]
    for colour, (title, line) in zip(_COLOURS, shown, strict=False):
        power = exponent(line)
        axes.errorbar(
            [point.size for point in line],
            [point.figure.median for point in line],
            yerr=[
                [point.figure.median - point.figure.low for point in line],
                [point.figure.high - point.figure.median for point in line],
            ],
            label=title if power is None else f"{title}, n^{power:.2f}",
            color=colour, marker="o", markersize=3, linewidth=1.2, capsize=2,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_title(panel.title)
    axes.set_xlabel(label)
    sizes = sorted({point.size for _, line in shown for point in line})
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.legend()

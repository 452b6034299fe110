"""The dashboard and the alert rules name metrics, and labels of them, that there are. Tests ``infra/grafana/``."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from infra.ops.generate.reference.system import _METRICS

FOLDER = Path(__file__).resolve().parent.parent.parent / "infra" / "grafana"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
#: What Prometheus adds to every series.
_ADDED = {"job", "instance", "le"}


def samples() -> dict[str, set[str]]:
    """The labels of every series, by its name."""
    found = {}
    for module in _METRICS:
        for _, metric in inspect.getmembers(module, lambda one: isinstance(one, MetricWrapperBase)):
            (described,) = metric.describe()
            for suffix in _SUFFIXES[described.type]:
                found[described.name + suffix] = {*metric._labelnames, *_ADDED}
    return found


def expressions(file: str) -> list[str]:
    text = (FOLDER / file).read_text()
    if file.endswith(".json"):
        return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    # An expression is the rest of its line, or the lines below that are further in.
    return re.findall(r"^        expr: ((?:\|\n(?:          .*\n)+)|.*)", text, re.MULTILINE)


@pytest.mark.parametrize("file", ["klatsch.json", "alerts.yaml"])
def test_every_metric_and_label_exists(file: str) -> None:
    known, found = samples(), expressions(file)
    assert len(found) >= 10
    for expression in found:
        names = re.findall(r"\bklatsch_\w+", expression)
        assert names or "up{" in expression
        assert set(names) <= known.keys()
        labels = set().union(_ADDED, *(known[name] for name in names))
        used = re.findall(r"[{,]\s*(\w+)\s*=[~\"]", expression)
        used += [label for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in re.findall(r"\w+", group)]
        assert set(used) <= labels, expression


def test_the_dashboard_shows_every_alert_and_fits_the_grid() -> None:
    panels = json.loads((FOLDER / "klatsch.json").read_text())["panels"]
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [(place["x"] + x, place["y"] + y) for place in places for x in range(place["w"]) for y in range(place["h"])]
    assert len(cells) == len(set(cells))
    shown = {name for one in expressions("klatsch.json") for name in re.findall(r"\bklatsch_\w+", one)}
    asked = {name for one in expressions("alerts.yaml") for name in re.findall(r"\bklatsch_\w+", one)}
    assert asked <= shown


def test_every_alert_says_what_to_do() -> None:
    text = (FOLDER / "alerts.yaml").read_text()
    alerts = text.split("- alert: ")[1:]
    assert len(alerts) == len(expressions("alerts.yaml"))
    for alert in alerts:
        assert re.search(r"severity: (page|ticket)", alert) and 'action: "' in alert and 'summary: "' in alert

"""``docs/reference/settings.md`` and ``metrics.md``: what operators set, and what they watch."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import msgspec
from prometheus_client.metrics import MetricWrapperBase

import api.support.metrics
import infra.base.disk_watch
import producers.metrics
import projectors.core.metrics
import push.metrics
import push.relay.metrics
from infra.base.settings import Settings
from infra.ops.generate import comments
from infra.ops.generate.reference.markdown import code, codes, page, table

_METRICS: tuple[ModuleType, ...] = (
    api.support.metrics, infra.base.disk_watch, producers.metrics, projectors.core.metrics, push.metrics,
    push.relay.metrics,
)  # fmt: skip
_SUFFIX = {"counter": "_total", "histogram": "_bucket, _sum, _count"}

_SETTINGS_INTRO = """\
Every role reads its configuration from the environment: `KLATSCH_` and the name of the field. What all processes of an
installation must agree on: `SECRET`, `PREFIX`, `SCHEMA`, `PARTITIONS`, `FEED_PARTITIONS`. `./klatsch up` sets what its
parts need; `KLATSCH_KAFKA` and `KLATSCH_POSTGRES` then mean servers of your own instead of the embedded ones."""


def settings_text() -> str:
    """The page of settings."""
    words = comments.fields(Settings)
    words.setdefault("host", "Address this process listens on.")
    words.setdefault("port", "Port this process listens on.")
    rows = [
        (code(f"KLATSCH_{field.name.upper()}"), _type(field.type), code(str(field.default)), words[field.name])
        for field in msgspec.structs.fields(Settings)
    ]
    return page("Settings", _SETTINGS_INTRO, table(("variable", "type", "default", "meaning"), rows))


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(code, get_args(annotation)))
    return str(annotation.__name__)


def metrics_text() -> str:
    """The page of metrics."""
    rows = []
    for module in _METRICS:
        for _, metric in inspect.getmembers(module, lambda one: isinstance(one, MetricWrapperBase)):
            (described,) = metric.describe()
            suffix = _SUFFIX.get(described.type, "")
            name = described.name + suffix if suffix == "_total" else described.name
            about = described.documentation.rstrip(".") + "."
            rows.append((code(name), described.type, codes(metric._labelnames), about))
    intro = "Every process serves its metrics in Prometheus' text format on `GET /metrics`. Times are in seconds."
    return page("Metrics", intro, table(("metric", "type", "labels", "meaning"), sorted(rows)))

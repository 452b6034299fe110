"""What a process of workers tells of its lag. Tests ``projectors/workers/health.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_USAGE_ALONE = """
from types import SimpleNamespace
from typing import NamedTuple
from prometheus_client import generate_latest
from projectors.workers.health import USAGE_LAG, Health

class Tp(NamedTuple):
    topic: str
    partition: int


tp = Tp("rooms", 0)
consumer = SimpleNamespace(assignment=lambda: {tp}, _committed_offset={tp: 5}, highwater=lambda _: 9)
app = SimpleNamespace(started=True, crashed=False, consumer=consumer, rebalancing=False, rebalancing_count=1)
health = Health(app, SimpleNamespace(waits="", failure=None, prepared=True), {"rooms"}, 1, gauge=USAGE_LAG)
for _ in range(2):
    print(*(line for line in generate_latest().decode().splitlines() if line.startswith("klatsch_")), sep="\\n")
    health.check()
"""


def test_a_lag_is_a_number_only_where_it_is_known() -> None:
    ran = subprocess.run([sys.executable, "-c", _USAGE_ALONE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "klatsch_emotions_lag_records NaN", "klatsch_usage_lag_records NaN",
        "klatsch_emotions_lag_records NaN", "klatsch_usage_lag_records 4.0",
    ]  # fmt: skip

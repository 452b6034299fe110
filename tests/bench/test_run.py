"""Systems take turns; a scenario meets only those that it can measure; a whole quick run finds every figure."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.ports import free_port
from infra.ops.supervisor.parts import ROOT
from tests.bench import figures
from tests.bench.run import Plan, steps
from tests.bench.scenarios import NAMES, Options, scenario
from tests.bench.system import NotHere
from tests.bench.systems import SYSTEMS
from tests.bench.systems.ours import Installation
from tests.parts import Parts

#: What the table of design 11 is made of, which a run must have found.
_WANTED = {
    "latency": {"send → ack, p50", "send → ack, p99", "send → receive, p50", "send → receive, p99"},
    "throughput": {
        f"32 in 8 rooms, rpc: {name}"
        for name in (
            "acknowledged", "ack, p50", "ack, p99", "receive, p50", "bytes on the wire, a message",
            "CPU, 1,000 messages, all roles", "CPU, 1,000 messages, generator",
        )
    },
    "fanout": {
        f"room of 200: {name}"
        for name in ("deliveries", "last receiver, p50", "last receiver, p99", "CPU, 10,000 deliveries, all roles")
    },
}  # fmt: skip


def _plan(names: list[str], systems: list[str], repeat: int) -> list[tuple[str, str]]:
    plan = Plan(names, systems, "", Options(repeat=repeat))
    return [(step.scenario.NAME, step.system) for step in steps(plan)]


def test_systems_take_turns_in_each_repetition() -> None:
    assert _plan(["latency", "fanout"], ["ours", "chain", "sockets"], 2) == [
        *[("latency", name) for name in ("ours", "chain", "sockets") * 2],
        *[("fanout", name) for name in ("ours", "sockets") * 2],
    ]


def test_what_prepares_at_great_cost_runs_once_and_for_ours_only() -> None:
    assert _plan(["catchup"], list(SYSTEMS), 3) == [("catchup", "ours")]


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_says_what_it_is(name: str) -> None:
    module = scenario(name)
    assert (module.NAME, asyncio.iscoroutinefunction(module.run)) == (name, True)
    assert len(module.ABOUT) > 20
    for system in (*getattr(module, "SYSTEMS", ()), *getattr(module, "WITHOUT", ()), getattr(module, "FLOOR", "ours")):
        assert system in SYSTEMS


async def test_an_installation_that_is_not_there() -> None:
    port = free_port()
    with pytest.raises(NotHere, match=f"expected an installation at 127.0.0.1:{port}"):
        async with Installation(f"http://127.0.0.1:{port}"):
            pass


def _bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=180, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["b9"], "SCENARIO: expected some of latency, throughput"),
        (["b1", "--system", "theirs"], "--system: expected some of ours, chain"),
        (["b1", "--before", "pyproject.toml"], "pyproject.toml: expected a result of 'klatsch bench --json'"),
    ],
)
def test_unknown_names(arguments: list[str], says: str) -> None:
    found = _bench(*arguments)
    assert found.returncode == 1
    assert says in found.stderr


def test_a_quick_run_of_ours_and_the_floors_finds_every_figure(parts: Parts, tmp_path: Path) -> None:
    systems = ("ours", "chain", "sockets")
    chosen = [word for name in systems for word in ("--system", name)]
    found = _bench(
        "--quick", *chosen, "--json", str(tmp_path / "run.json"), "--markdown", str(tmp_path / "run.md"),
        KLATSCH_KAFKA=parts.kafka, KLATSCH_POSTGRES=parts.postgres,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    results = figures.read(tmp_path / "run.json")
    missing = [
        (scenario, system, name)
        for scenario, names in _WANTED.items()
        for system in systems
        for name in names
        if (scenario, system) != ("fanout", "chain")
        and ((one := results.figure(scenario, system, name)) is None or not one.median > 0)
    ]
    assert missing == []
    assert (tmp_path / "run.md").read_text() == found.stdout
    assert found.stdout.count("## ") == len(_WANTED)

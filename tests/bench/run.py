"""A run: systems are started, scenarios repeated with systems in turn, and all ended; the results."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import msgspec
import psutil

from infra.ops.supervisor.parts import ROOT
from tests.bench.figures import Figure, Machine, Results, merged
from tests.bench.load import Crowd, NotDelivered
from tests.bench.progress import Progress
from tests.bench.scenarios import Options, scenario
from tests.bench.scenarios.throughput import send_for
from tests.bench.system import NotHere, System
from tests.bench.systems import SYSTEMS
from tests.bench.systems.ours import Installation
from tests.bench.systems.stores import Stores

#: Seconds for which each system is used before anything is measured, and by whom: 40,000 requests of Kafka's.
WARM_SECONDS, _WARMING = 20.0, [2] * 8


class Plan(NamedTuple):
    """What is to run."""

    scenarios: Sequence[str]
    systems: Sequence[str]
    #: Of a running installation, which then is "ours"; "": one is started.
    url: str
    options: Options


class Step(NamedTuple):
    """One call of a scenario's ``run``."""

    scenario: ModuleType
    system: str


def steps(plan: Plan) -> Iterator[Step]:
    """In order: each repetition goes once through the systems, so that a slow minute of the machine meets all."""
    for name in plan.scenarios:
        module = scenario(name)
        known = [system for system in plan.systems if measures(module, system)]
        repetitions = 1 if _once(module) else plan.options.repeat
        yield from (Step(module, system) for _ in range(repetitions) for system in known)


def measures(module: ModuleType, system: str) -> bool:
    """Whether a scenario is for that system."""
    return system in getattr(module, "SYSTEMS", (system,)) and system not in getattr(module, "WITHOUT", ())


def _once(module: ModuleType) -> bool:
    return getattr(module, "ONCE", False) is True


async def run(plan: Plan, folder: Path) -> Results:
    """The whole. ``folder`` takes what servers write. Raises what a system raises that fails; the others end."""
    planned = list(steps(plan))
    progress = Progress([step.scenario.NAME for step in planned])
    options = msgspec.structs.replace(plan.options, say=progress.say)
    notes: list[str] = []
    found: dict[str, list[list[Figure]]] = {}
    async with AsyncExitStack() as stack:
        stack.callback(progress.end)
        systems = await _started(plan, planned, folder, stack, progress, notes)
        if not options.quick and any(not _once(step.scenario) for step in planned):
            for name, system in systems.items():
                progress.note(f"warming up {name}")
                await _warmed(system)
        for step in planned:
            if step.system in systems:
                progress.step(step.system)
                try:
                    found.setdefault(step.scenario.NAME, []).append(
                        await step.scenario.run(systems[step.system], options)
                    )
                except NotDelivered as error:
                    raise NotDelivered(f"{step.scenario.NAME}, {step.system}: {error}") from error
                except NotHere as reason:
                    notes.append(f"{step.scenario.NAME}, {step.system}: {reason}")
            progress.done()
        progress.note("stopping what was started")
    return Results(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit(),
        machine=machine(),
        quick=options.quick,
        repetitions=options.repeat,
        systems={name: system.about for name, system in systems.items()},
        scenarios={step.scenario.NAME: step.scenario.ABOUT for step in planned},
        notes=list(dict.fromkeys(notes)),
        figures=[figure for repetitions in found.values() for figure in merged(repetitions)],
    )


async def _started(
    plan: Plan, planned: Sequence[Step], folder: Path, stack: AsyncExitStack, progress: Progress, notes: list[str]
) -> dict[str, System]:
    """The systems that are needed, in order; those that cannot run here are noted."""
    stores = Stores(folder)
    stack.push_async_callback(stores.close)
    found: dict[str, System] = {}
    for name in plan.systems:
        if not any(step.system == name for step in planned):
            continue
        own = folder / name
        own.mkdir()
        system: System = Installation(plan.url) if name == "ours" and plan.url else SYSTEMS[name](own, stores)
        progress.note(f"starting {name}")
        try:
            found[name] = await stack.enter_async_context(system)
        except NotHere as reason:
            notes.append(f"{name} is left out: {reason}")
    return found


async def _warmed(system: System) -> None:
    """Messages for a while: until Kafka's virtual machine has compiled what they need, each takes twice as long."""
    crowd = await Crowd.gathered(system, _WARMING)
    try:
        await send_for(system, crowd, WARM_SECONDS)
        await system.settled()
    finally:
        crowd.close()


def commit() -> str:
    """Of the checkout, as ``Results.commit`` has it."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def machine() -> Machine:
    """This one."""
    return Machine(
        cores=os.cpu_count() or 0,
        processor=_processor(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {sys.version.split()[0]}",
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

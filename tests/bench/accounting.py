"""What a block of work costs: CPU seconds and memory by role, bytes on disk. The scenarios say per what."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Self, TypeVar

import psutil

from infra.ops.supervisor.addresses import host_and_port, kafka_addresses
from tests.bench.system import System

#: The role of this process, which makes the load.
GENERATOR = "generator"
_T = TypeVar("_T", int, float)


def cpu(process: psutil.Process, others: Collection[int] = ()) -> float:
    """User and system seconds of a process, of those below it, and of those below it that have ended.

    Ended ones are in what the system keeps for their parent (Linux; elsewhere they are missing), so that a Postgres
    backend counts whether it lives on or not. ``others``: ids of processes that are counted by themselves.
    """
    try:
        times = process.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        return float(own) + sum(cpu(child, others) for child in process.children() if child.pid not in others)
    except psutil.NoSuchProcess:
        return 0.0


def memory(process: psutil.Process, others: Collection[int] = ()) -> int:
    """Bytes of a process and those below it. Shared pages count in parts (PSS) where the system tells, else fully."""
    try:
        try:
            own = process.memory_full_info().pss
        except (psutil.AccessDenied, AttributeError):
            own = process.memory_info().rss
        return int(own) + sum(memory(child, others) for child in process.children() if child.pid not in others)
    except psutil.NoSuchProcess:
        return 0


def listening(addresses: Mapping[str, int | str]) -> dict[str, list[psutil.Process]]:
    """The processes of this machine that listen on ports, or on those of local addresses, by role.

    Roles whose process cannot be seen are missing: it runs elsewhere, or belongs to another user.
    """
    try:
        owners = {
            one.laddr.port: one.pid
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.pid
        }
    except psutil.AccessDenied:
        return {}
    found = {role: owners.get(port) for role, address in addresses.items() if (port := _local_port(address))}
    return {role: [psutil.Process(pid)] for role, pid in found.items() if pid}


def _local_port(address: int | str) -> int:
    """0 for an address of another machine."""
    if isinstance(address, int):
        return address
    host, port = host_and_port(address, 5432) if "://" in address else kafka_addresses(address)[0]
    return port if host in ("127.0.0.1", "localhost", "::1") else 0


def allocated(folder: Path) -> int:
    """Bytes that the files below a folder take on disk; holes in sparse files do not count."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(base, name)).st_blocks * 512
            except FileNotFoundError:
                # Servers remove files while we look.
                continue
    return total


class Cost:
    """The cost of a ``with`` block: CPU seconds by role, this process as GENERATOR, and what disk and clock say."""

    def __init__(self, system: System) -> None:
        self._system = system
        #: Seconds by role, once the block has ended.
        self.cpu: dict[str, float] = {}
        #: Bytes by role at the end of the block.
        self.memory: dict[str, int] = {}
        self.seconds = 0.0
        #: Bytes that were added; None where they cannot be seen.
        self.disk: int | None = None

    @property
    def server_cpu(self) -> float:
        """Of all roles but the generator."""
        return sum(seconds for role, seconds in self.cpu.items() if role != GENERATOR)

    def __enter__(self) -> Self:
        self._disk = self._system.bytes_on_disk()
        self._processes: dict[str, Sequence[psutil.Process]] = {**self._system.processes()}
        self._before = self._by_role(cpu)
        self._own = _own_cpu()
        self._began = perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = perf_counter() - self._began
        self.cpu = {role: seconds - self._before[role] for role, seconds in self._by_role(cpu).items()}
        self.cpu[GENERATOR] = _own_cpu() - self._own
        self.memory = self._by_role(memory)
        after = self._system.bytes_on_disk()
        self.disk = None if after is None or self._disk is None else after - self._disk

    def _by_role(self, measure: Callable[[psutil.Process, Collection[int]], _T]) -> dict[str, _T]:
        ids = {process.pid for processes in self._processes.values() for process in processes}
        return {
            role: sum((measure(process, ids) for process in processes[1:]), measure(processes[0], ids))
            for role, processes in self._processes.items()
        }


def _own_cpu() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)

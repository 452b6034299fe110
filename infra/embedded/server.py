"""What the embedded servers have in common: a child process whose data outlives it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from infra.embedded.process import Process


class EmbeddedServer(ABC):
    """``start``, ``stop`` and ``kill`` as often as wanted, on the same port and the same data."""

    _process: Process | None = None

    @abstractmethod
    def _prepare(self) -> Process:
        """What ``prepare`` does for this kind of server."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers clients."""

    def prepare(self) -> Process:
        """Everything before the process is spawned. Raises what a user can mend: see ``infra.ops.errors``."""
        process = self._process = self._prepare()
        return process

    def start(self) -> None:
        """Prepares, starts and waits until it answers. Raises ProcessError and what ``prepare`` raises."""
        process = self.prepare()
        process.spawn()
        process.wait_until(self.ready)

    def stop(self) -> None:
        """Ends it in order."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process:
            self._process.kill()

    def restart(self) -> None:
        """Ends it in order and starts it again on the same port."""
        self.stop()
        self.start()

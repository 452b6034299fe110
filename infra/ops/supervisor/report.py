"""What ``klatsch up`` tells its user: one line for each thing done, bars while something is fetched."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class StartReport:
    """Lines on standard output; plain text when it is no terminal. Methods may be called from any thread."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._lock = threading.Lock()

    def line(self, name: str, text: str, detail: str = "") -> None:
        """``name  text  detail``, in columns."""
        with self._lock:
            self.console.print(
                f"  [bold]{name:<10}[/] {escape(text):<22} [dim]{escape(detail)}[/]".rstrip(), markup=True
            )

    def title(self, text: str) -> None:
        """A line that stands alone."""
        with self._lock:
            self.console.print(text, markup=False, style="bold")

    def text(self, text: str) -> None:
        """A line as it is."""
        with self._lock:
            self.console.print(text, markup=False)

    def problem(self, text: str) -> None:
        """Something that went wrong, and goes on."""
        with self._lock:
            self.console.print(text, markup=False, style="yellow")


class Download:
    """A progress bar for one download; on no terminal one line at its beginning and one at its end."""

    def __init__(self, report: StartReport, name: str, what: str, size: int) -> None:
        self._report, self._name, self._what, self._size = report, name, what, size
        self._bar = Progress(
            TextColumn(f"  [bold]{name:<10}[/] {what}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=report.console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Download:
        if self._report.console.is_terminal:
            self._task = self._bar.add_task(self._what, total=self._size)
            self._bar.start()
        else:
            self._report.line(self._name, "downloading", f"{self._what}, {self._size / 1e6:.0f} MB")
        return self

    def advance(self, size: int) -> None:
        """``size`` more bytes have come."""
        if self._task is not None:
            self._bar.advance(self._task, size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._bar.stop()
        if error is None:
            self._report.line(self._name, "downloaded", f"{self._what}, {self._size / 1e6:.0f} MB")

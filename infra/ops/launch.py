"""The launcher: makes ``.venv`` on the first start, then becomes ``python -m infra.ops.cli``. Standard library only."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != Path(__file__).resolve().parent]

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
#: Written last: an environment without it is half made. Names what the environment was made from and for.
MARKER = VENV / "klatsch.json"
#: Commands that need the ``dev`` extra.
DEVELOPER_COMMANDS = ("test", "bench", "check", "schemas")


def main() -> NoReturn:
    """Replaces this process by the command line, in an environment that has what it needs."""
    extras = ["dev"] if sys.argv[1:2] and sys.argv[1] in DEVELOPER_COMMANDS else []
    if not is_ready(extras):
        with _alone():
            if not is_ready(extras):
                install(extras)
    python = str(VENV / "bin" / "python")
    # -P: a folder named like one of ours in the caller's working directory must not be imported instead.
    os.execv(python, [python, "-P", "-m", "infra.ops.cli", *sys.argv[1:]])


def wanted(extras: list[str]) -> dict[str, str]:
    """What the marker must say."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return {"root": str(ROOT), "dependencies": digest, **{f"extra {extra}": digest for extra in extras}}


def is_ready(extras: list[str]) -> bool:
    """Whether the environment is whole, made for this checkout, and has the dependencies of today."""
    found = _marker()
    interpreter = found.get("interpreter", "")
    if os.path.realpath(VENV / "bin" / "python") != interpreter or not os.access(interpreter, os.X_OK):
        return False
    return all(found.get(name) == value for name, value in wanted(extras).items())


def _marker() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(MARKER.read_text())
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Two launchers at once: the second waits for the first, then finds its work done."""
    try:
        lock = (ROOT / ".venv.lock").open("w")
    except OSError as error:
        _fail(f"{ROOT} cannot be written ({error}), and .venv is not ready; run this once as a user who may")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is installing; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(extras: list[str]) -> None:
    """Makes the environment, or brings one that is whole up to date, and marks it."""
    before = _marker()
    interpreter = os.path.realpath(VENV / "bin" / "python")
    usable = before.get("root") == str(ROOT) and before.get("interpreter") == interpreter and Path(interpreter).exists()
    MARKER.unlink(missing_ok=True)
    if not usable:
        _make()
        before = {}
    kept = [name.removeprefix("extra ") for name in before if name.startswith("extra ")]
    extras = sorted({*extras, *kept})
    from_pip(requirements(extras))
    marker = {**wanted(extras), "interpreter": os.path.realpath(VENV / "bin" / "python")}
    fresh = MARKER.with_suffix(".new")
    fresh.write_text(json.dumps(marker, indent=1) + "\n")
    fresh.replace(MARKER)


def requirements(extras: list[str]) -> list[str]:
    """What pyproject.toml says the code needs. The code itself is not installed: it runs from the checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]


def _make() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _fail(
            f"{sys.executable} (Python {version}) comes without its venv module. Install it, then run this again:\n"
            f"  Debian, Ubuntu:  apt install python{version}-venv"
        )
    say(f"First start: making {VENV} ...")
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True, symlinks=True)
    packages = next((VENV / "lib").glob("python3*")) / "site-packages"
    (packages / "klatsch-checkout.pth").write_text(f"{ROOT}\n")


def from_pip(lines: list[str]) -> None:
    """Installs requirements; shows a bar for each download, and pip's own words only when it fails."""
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    # Older ones cannot tell how far a download has come.
    _run([*pip, "install", "--quiet", "pip>=24.1"])
    if lines:
        _run([*pip, "install", "--progress-bar", "raw", *lines])
    say("Python packages are installed.")


def _run(command: list[str]) -> None:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    assert process.stdout is not None
    said: list[str] = []
    show = Downloads()
    for line in process.stdout:
        if not show.line(line):
            said.append(line)
    show.clear()
    if process.wait() != 0:
        _fail(
            "installing Python packages failed. the end of its output:\n"
            + "".join(f"  {line}" for line in said[-20:])
            + "Check the network (proxy: HTTPS_PROXY, mirror: PIP_INDEX_URL) and run this again."
        )


class Downloads:
    """pip's output as one line that changes, on a terminal; else as a line for each larger package."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._name = ""

    def line(self, line: str) -> bool:
        """Shows what a line of pip's says; False for one that is worth keeping for an error message."""
        words = line.split()
        if words[:1] == ["Progress"] and len(words) == 4:
            self._bar(int(words[1]), int(words[3]))
            return True
        if words[:1] == ["Downloading"] and len(words) > 1:
            self._name = words[1].rpartition("/")[2].split("-", 1)[0]
            if not self._terminal and line.rstrip().endswith("MB)"):
                say(f"  downloading {self._name} {words[-2]} {words[-1]}")
        elif words[:1] == ["Installing"]:
            self.clear()
            say(f"  installing {len(words) - 3} packages ...")
        return False

    def _bar(self, done: int, size: int) -> None:
        if self._terminal and size:
            full = 30 * done // size
            bar = "━" * full + " " * (30 - full)
            sys.stderr.write(f"\r\x1b[K  {self._name[:24]:<24} {bar} {done / 1e6:5.1f} of {size / 1e6:.1f} MB")
            sys.stderr.flush()

    def clear(self) -> None:
        """Takes the changing line away."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def say(text: str) -> None:
    """One line for the user, beside the command's own output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _fail(text: str) -> NoReturn:
    say(f"klatsch: {text}")
    raise SystemExit(1)


if __name__ == "__main__":
    main()

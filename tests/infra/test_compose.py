"""Docker users get the versions that the embedded parts have, and every role. Tests ``infra/compose.yaml``."""

from __future__ import annotations

import re
from pathlib import Path

from infra.embedded.jars import kafka_version
from infra.embedded.postgres import VERSION
from infra.ops.supervisor.parts import GROUPS

INFRA = Path(__file__).resolve().parent.parent.parent / "infra"


def test_compose_runs_the_embedded_versions() -> None:
    images = dict(re.findall(r"^    image: ([\w/]+):(\S+)$", (INFRA / "compose.yaml").read_text(), re.MULTILINE))
    assert images == {"apache/kafka": kafka_version(), "postgres": str(VERSION)}


def test_compose_starts_the_groups_that_up_starts() -> None:
    commands = re.findall(r'command: \["serve", "--roles", "([\w,]+)"\]', (INFRA / "compose.yaml").read_text())
    assert commands == [group.roles for group in GROUPS]


def test_the_image_holds_every_folder_of_the_code() -> None:
    copied = set(re.findall(r"^COPY (\w+)/ \w+/$", (INFRA / "Dockerfile").read_text(), re.MULTILINE))
    root = INFRA.parent
    packages = {path.parent.name for path in root.glob("*/__init__.py")} - {"tests"}
    assert copied == packages | {"schemas"}

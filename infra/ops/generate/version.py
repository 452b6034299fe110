"""The version of this code, as pyproject.toml has it."""

from __future__ import annotations

import tomllib

from infra.ops.generate.files import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

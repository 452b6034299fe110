"""``python -m infra.ops.generate [--check]``."""

from __future__ import annotations

import argparse

from infra.ops.generate import main

parser = argparse.ArgumentParser(prog="infra.ops.generate", description="Write the generated contracts and reference.")
parser.add_argument("--check", action="store_true", help="only list what is stale or refused")
raise SystemExit(main(check=parser.parse_args().check))

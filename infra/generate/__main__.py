"""``python -m infra.generate [--check]``."""

from __future__ import annotations

import argparse

from infra.generate import main

parser = argparse.ArgumentParser(prog="infra.generate", description="Write the generated contracts and reference.")
parser.add_argument("--check", action="store_true", help="only list what is stale or refused")
raise SystemExit(main(check=parser.parse_args().check))

"""Runs pieces of Python one after the other, as at one prompt. Each is a line of JSON: ``code``, and its ``end``."""

import json
import sys
import traceback
from typing import Any

names: dict[str, Any] = {}
for line in sys.stdin:
    given = json.loads(line)
    failed = 0
    try:
        exec(given["code"], names)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        failed = 1
    print(given["end"], failed, flush=True)

"""``python -m infra.ops.missing``."""

from __future__ import annotations

from infra.ops.missing import main

raise SystemExit(main())

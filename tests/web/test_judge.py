"""What the console advises, without a browser: under node. Tests ``api/web/console/judge.js``."""

from __future__ import annotations

from tests.web.node import passes


def test_who_has_just_gone_is_waited_for_before_anything_is_started() -> None:
    passes("judge.mjs")

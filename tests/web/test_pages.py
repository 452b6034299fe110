"""The demo's store with a snapshot of several pages, without a browser: under node.
Tests ``api/web/klatsch/pages.js``."""

from __future__ import annotations

from tests.web.node import passes


def test_pages_of_a_snapshot_and_what_happens_meanwhile() -> None:
    passes("pages.mjs")

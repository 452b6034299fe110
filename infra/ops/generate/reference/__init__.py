"""The generated pages of ``docs/reference``: tables of what the code declares."""

from __future__ import annotations

from infra.ops.generate.files import Files
from infra.ops.generate.glossary import script
from infra.ops.generate.reference import commands, events, glossary, limits, permissions, system, topics


def pages() -> Files:
    """All of them, by path."""
    return {
        "docs/reference/events.md": events.page_text(),
        "docs/reference/commands.md": commands.page_text(),
        "docs/reference/topics.md": topics.page_text(),
        "docs/reference/permissions.md": permissions.page_text(),
        "docs/reference/problems.md": commands.problems_text(),
        "docs/reference/settings.md": system.settings_text(),
        "docs/reference/limits.md": limits.page_text(),
        "docs/reference/metrics.md": system.metrics_text(),
        "docs/reference/glossary.md": glossary.page_text(),
        "api/web/console/terms.js": script(),
    }
